import { type PictureSurvey, surveyNotes } from '../vision/datasets/reading/pictureSurvey.js';
import { type Preprocessing, preprocessing } from '../vision/images/preprocess.js';
import {
  type DataName,
  type KnownSplit,
  namedDataset,
  type OpenedData,
  type OpenedSplit,
  type OpenOptions,
} from './catalog/datasets.js';
import { combinedChecksum, fileChecksums, packChecksums } from './checksums.js';
import type { PicturesRecord, RunConfig, SplitRecord } from './config.js';
import { imageLoadingAs } from './imageLoading.js';
import { forEvaluation } from './inputPipeline.js';
import type { Recipe } from './recipe.js';
import { withTestData } from './testData.js';

/** Fraction of each class that is held out for validation where the data has no split. */
export const usualHoldOut = 0.2;

/** Something for each part of a run's data. */
export interface PerSplit<T> {
  readonly train: T;
  /** Validation images, which may choose weights and epoch. */
  readonly eval: T;
  /** Test images, which choose nothing and are evaluated once after the training; null without any. */
  readonly test: T | null;
}
export type Splits = PerSplit<OpenedSplit>;

interface KnownPlace extends DataName {
  readonly isOther: boolean;
  readonly testData?: string | undefined;
  readonly split: KnownSplit['pictures'] | null;
}

/**
 * Opens data for a run that exists: images become inputs as in its training.
 *
 * @param place.isOther the data may be other than those of the training
 * @param place.split the split of the run; null makes it again from the recorded shares and seed
 * @param place.testData where test images from another place are. Default: where they were
 */
export async function openAsTrained(
  { data: known, model, seed }: RunConfig,
  { name, location, isOther, testData = known.testData, split }: KnownPlace,
  options: Pick<OpenOptions, 'imageLoading' | 'onDownload' | 'onProgress' | 'fixes'>,
): Promise<OpenedData> {
  const [, height, width] = model.inputShape;
  // Another table may have other columns.
  const loaded = isOther ? { ...known, table: undefined } : known;
  const imageLoading = imageLoadingAs(loaded, options.imageLoading);
  const opened = await namedDataset(name).open({
    location,
    images: known.images ?? preprocessing({ size: [height, width] }),
    holdOut: known.holdOut ?? (isOther ? { share: usualHoldOut, seed } : null),
    classNames: known.classNames,
    imageLoading,
    fixes: isOther ? options.fixes : known.fixes,
    ...(split != null &&
      name === known.name && {
        split: { pictures: split, unreadable: known.train.unreadable.map(({ path }) => path), mayDiffer: isOther },
      }),
    onDownload: options.onDownload,
    onProgress: options.onProgress,
  });
  if (isOther || testData === undefined) return opened;
  return withTestData(opened, testData, { ...options, imageLoading });
}

/** Opens the parts of the data, with the transforms that all have. */
export async function openSplits(data: OpenedData, recipe: Recipe): Promise<Splits> {
  return {
    train: forEvaluation(await data.open('train'), recipe),
    eval: forEvaluation(await data.open('validation'), recipe),
    test: data.hasTest ? forEvaluation(await data.open('test'), recipe) : null,
  };
}

/** The parts that there are. */
export function partsOf<T>({ train, eval: evaluated, test }: PerSplit<T>): T[] {
  return test === null ? [train, evaluated] : [train, evaluated, test];
}

/** Facts about a part of a run's data. */
export interface SplitDescription {
  readonly record: SplitRecord;
  /** SHA-256 of each picture; null where files hold several images. */
  readonly checksums: readonly string[] | null;
}

/** @param onProgress called as checksums are computed, for which all files are read */
export async function describeSplit(
  split: OpenedSplit,
  onProgress?: OpenOptions['onProgress'],
): Promise<SplitDescription> {
  const { dataset, source, files, classCounts, unreadable } = split;
  const onFile = (done: number) => onProgress?.({ stage: 'adding up checksums', done, total: files.length });
  const checksums = await fileChecksums(files, onFile, split.sha256Of);
  const record = {
    images: dataset.length,
    source,
    sha256: combinedChecksum(files, checksums),
    classCounts: [...classCounts],
    unreadable: [...unreadable],
  };
  return { record, checksums: files.every(({ label }) => label !== undefined) ? checksums : null };
}

export async function describeSplits(
  splits: Splits,
  onProgress?: OpenOptions['onProgress'],
): Promise<PerSplit<SplitDescription>> {
  return {
    train: await describeSplit(splits.train, onProgress),
    eval: await describeSplit(splits.eval, onProgress),
    test: splits.test && (await describeSplit(splits.test, onProgress)),
  };
}

/** The checksums of the files, without those of their pixels. */
export function picturesRecord({ train, eval: evaluated }: PerSplit<SplitDescription>): PicturesRecord {
  const packed = ({ checksums }: SplitDescription) => ({
    files: checksums && packChecksums(checksums),
    pixels: null,
  });
  return { format: 1, train: packed(train), validation: packed(evaluated) };
}

/** Notes about photographs before a network sees them; see `surveyNotes`. */
export async function pictureNotesOf(
  splits: readonly OpenedSplit[],
  images: Preprocessing | null,
  onProgress?: OpenOptions['onProgress'],
): Promise<readonly string[]> {
  if (images === null) return [];
  const surveys: PictureSurvey[] = [];
  for (const { survey } of splits) if (survey !== undefined) surveys.push(await survey(images, onProgress));
  return surveyNotes(surveys, images);
}
