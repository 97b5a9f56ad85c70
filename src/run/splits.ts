import { type PictureSurvey, surveyNotes } from '../vision/datasets/reading/pictureSurvey.js';
import { type Preprocessing, preprocessing } from '../vision/images/preprocess.js';
import {
  type DataName,
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

/** Fraction of each class that is held out for validation where the data has no split. */
export const usualHoldOut = 0.2;

/** Something for the training part and for the validation part of a run's data. */
export type PerSplit<T> = Readonly<Record<'train' | 'eval', T>>;
export type Splits = PerSplit<OpenedSplit>;

/**
 * Opens data for a run that exists: images become inputs as in its training.
 *
 * @param place.isOther the data may be other than those of the training
 */
export function openAsTrained(
  { data: known, model, seed }: RunConfig,
  { name, location, isOther }: DataName & { readonly isOther: boolean },
  options: Pick<OpenOptions, 'imageLoading' | 'onDownload' | 'onProgress'>,
): Promise<OpenedData> {
  const [, height, width] = model.inputShape;
  // Another table may have other columns.
  const loaded = isOther ? { ...known, table: undefined } : known;
  return namedDataset(name).open({
    location,
    images: known.images ?? preprocessing({ size: [height, width] }),
    holdOut: known.holdOut ?? (isOther ? { share: usualHoldOut, seed } : null),
    classNames: known.classNames,
    imageLoading: imageLoadingAs(loaded, options.imageLoading),
    onDownload: options.onDownload,
    onProgress: options.onProgress,
  });
}

/** Opens the training part and the validation part, with the transforms that both have. */
export async function openSplits(data: OpenedData, recipe: Recipe): Promise<Splits> {
  return {
    train: forEvaluation(await data.open('train'), recipe),
    eval: forEvaluation(await data.open('validation'), recipe),
  };
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
): Promise<readonly string[]> {
  if (images === null) return [];
  const surveys: PictureSurvey[] = [];
  for (const { survey } of splits) if (survey !== undefined) surveys.push(await survey(images));
  return surveyNotes(surveys, images);
}
