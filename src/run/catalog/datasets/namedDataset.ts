import type { Shape } from '../../../graph/shape.js';
import type { Dataset, Sample } from '../../../io/data/dataset.js';
import type { DownloadProgress } from '../../../io/files/download.js';
import type { PassedOver, ReadingProgress } from '../../../vision/datasets/listing.js';
import type { Transformable } from '../../../vision/datasets/reading/augmenter.js';
import type { BadImage, ImageFilesOptions } from '../../../vision/datasets/reading/imageFiles.js';
import type { PictureSurvey } from '../../../vision/datasets/reading/pictureSurvey.js';
import type { SplitRole } from '../../../vision/datasets/splits.js';
import type { TableOptions } from '../../../vision/datasets/tableColumns.js';
import type { PictureSource } from '../../../vision/images/decode.js';
import type { Preprocessing } from '../../../vision/images/preprocess.js';
import type { ChannelOrder } from '../../../vision/transforms/image.js';

/** Images to train on, to evaluate during the training, to test on afterwards, or all together. */
export type Split = 'train' | 'validation' | 'test' | 'all';

/** Images held out for validation and test, for data without a split. */
export interface HoldOut {
  /** Fraction of each class for validation, between 0 and 1. */
  readonly share: number;
  /** Fraction of each class for the test. Default 0. */
  readonly test?: number | undefined;
  /** Seed of the choice. */
  readonly seed: number;
}

/** How photographs, and a table that lists them, are loaded. */
export interface ImageLoadingOptions extends Pick<ImageFilesOptions, 'cache' | 'numWorkers' | 'onBadImage'> {
  /** With a table of pictures only. */
  readonly table?: TableOptions | undefined;
}

/** The split of a run, by the names of its pictures. */
export interface KnownSplit {
  /** Part and group of each picture, by its name as a cell of a table (`safeCell`). */
  readonly pictures: ReadonlyMap<string, { readonly role: SplitRole; readonly group: string | null }>;
  /** Paths of pictures that could not be read when it was made. They are in no part. */
  readonly unreadable: readonly string[];
  /** Whether the data may be others: the split then applies only if it has exactly the same pictures. */
  readonly mayDiffer: boolean;
}

/** Decisions of a person about single pictures, by their names as cells of a table (`safeCell`). */
export interface DataFixes {
  /** Pictures to leave out. */
  readonly excluded: readonly string[];
  /** Other labels, by the names of classes. */
  readonly relabelled: Readonly<Record<string, string>>;
}

export interface OpenOptions {
  /** The path behind the colon in `palm:DIR`: a folder or a table. */
  readonly location?: string | undefined;
  /** Do not download what is missing. Default false. */
  readonly offline?: boolean | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** How photographs become inputs. */
  readonly images: Preprocessing;
  /** How they are loaded. */
  readonly imageLoading?: ImageLoadingOptions | undefined;
  /** Called during slow work before the first image. */
  readonly onProgress?: ((progress: ReadingProgress) => void) | undefined;
  /** Null: nothing is held out, and test images serve for validation if there are no validation images. */
  readonly holdOut: HoldOut | null;
  /** Groups that stay together: a column of a table, or a regular expression for the paths of a folder. */
  readonly group?: string | undefined;
  /** Pictures to leave out, and other labels. */
  readonly fixes?: DataFixes | undefined;
  /** A split that was made before, instead of a new one. */
  readonly split?: KnownSplit | undefined;
  /** The classes that a network knows, in the order of its outputs; default: those of the data. */
  readonly classNames?: readonly string[] | undefined;
}

/** Images that can be changed. */
interface ImageSet extends Dataset, Transformable<ImageSet> {}

/** One part of a data set, read. */
export interface OpenedSplit {
  readonly dataset: ImageSet;
  /** Where it came from, for people. */
  readonly source: string;
  /** Files that it was read from, with the label of a file that is one image. */
  readonly files: readonly { readonly path: string; readonly label?: number }[];
  /**
   * Checksum of one of the files, which must stay the same while it is used. Default: that of the file on
   * disk.
   */
  readonly sha256Of?: (path: string) => Promise<string>;
  /** Surveys the changes that photographs need before a network sees them. */
  readonly survey?: (images: Preprocessing, onProgress?: OpenOptions['onProgress']) => Promise<PictureSurvey>;
  /** Name of a sample: the path of its file below the place of the data, with `/`; or `test image 17`. */
  nameOf(index: number): string;
  /** The group of a sample, such as a patient; null without groups. */
  groupOf(index: number): string | null;
  /** Samples of each class. */
  readonly classCounts: readonly number[];
  /** Pictures that cannot be decoded and were left out. */
  readonly unreadable: readonly BadImage[];
}

/** A part of the data in a split that the data set has itself. */
export interface DataPart {
  readonly role: SplitRole;
  /** Where it comes from: the name of a folder, or a column. */
  readonly from: string;
  readonly images: number;
}

/** How files on disk were understood. */
export interface Understanding {
  /** Empty for a data set without a split. */
  readonly parts: readonly DataPart[];
  /** Files that are no data. */
  readonly passedOver: readonly PassedOver[];
  readonly notes: readonly string[];
}

/** Understanding of a data set with a fixed form: nothing had to be guessed. */
export const nothingToSay: Understanding & Pick<OpenedData, 'obstacle' | 'hasTest'> = {
  parts: [],
  passedOver: [],
  notes: [],
  obstacle: null,
  hasTest: false,
};

/** A data set whose place and classes are known. */
export interface OpenedData extends Understanding {
  readonly title: string;
  readonly classNames: readonly string[];
  /** `[channels, height, width]` */
  readonly imageShape: Shape;
  /** Null where images are not photographs to be resized. */
  readonly images: Preprocessing | null;
  /** How the validation images were held out; null if the data set has a split of its own. */
  readonly holdOut: HoldOut | null;
  /** Whether there are test images beside the validation images. */
  readonly hasTest: boolean;
  /** Whether these are drawn pictures in place of photographs. */
  readonly synthetic: boolean;
  /** Why nothing can be learned from it, as an error's message; null if nothing is in the way. */
  readonly obstacle: string | null;
  open(split: Split): Promise<OpenedSplit>;
}

/** A user's picture, in the form that a network trained on the data set expects. */
export interface PreparedImage {
  /** `[channels, height, width]`, as transforms take it. */
  readonly pixels: Uint8Array;
  /** The same as inputs of a network without transforms. */
  readonly image: Float32Array;
  readonly shape: Shape;
  /** Changes that were made to it, for people; empty if none. */
  readonly note: string;
}

/** A data set that can be asked for by name. */
export interface NamedDataset {
  readonly title: string;
  /** Kind of the path behind the colon; null if there is none. */
  readonly location: 'DIR' | 'FILE' | null;
  /** The path may be left out: the files are then in the cache folder, or downloaded. Default false. */
  readonly locationOptional?: boolean;
  /** Name of the validation images: `test` or `validation`. */
  readonly evalName: string;
  /** Whether images are files that are decoded and resized, so that the options about that have a meaning. */
  readonly isPhotographs: boolean;
  /** Order of the colors of its photographs if neither caller nor initial weights set it. Default 'RGB'. */
  readonly order?: ChannelOrder;
  /** Metrics describe a screening test unless the caller says otherwise. Default false. */
  readonly screening?: boolean;
  /**
   * Columns of a table of predictions with the name of the file and the probability of the second class.
   * Default: the path, the predicted class, and the probability of each class.
   */
  readonly predictionColumns?: readonly [file: string, probability: string];
  open(options: OpenOptions): Promise<OpenedData>;
  /**
   * @param name of the picture in messages; default: its path, or its number of bytes
   * @throws {FileError} for a file that is no picture
   */
  readImage(source: PictureSource, images: Preprocessing, name?: string): Promise<PreparedImage>;
  /** A sample as a PNG file, to be looked at. */
  picture(sample: Sample, images: Preprocessing): Promise<Uint8Array>;
}

export function countClasses(labels: Iterable<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}
