import { numel, type Shape } from '../graph/shape.js';
import type { Layer } from '../nn/layer.js';
import { largestBatchFor } from '../train/batchMemory.js';
import { evaluationPlanner } from '../train/evaluate.js';
import { type PictureSurvey, surveyNotes } from '../vision/datasets/reading/pictureSurvey.js';
import type { Preprocessing } from '../vision/images/preprocess.js';
import type { OpenedSplit, OpenOptions } from './catalog/datasets.js';
import { combinedChecksum, fileChecksums } from './checksums.js';
import type { SplitRecord } from './config.js';
import { lossOf, type Recipe } from './recipes.js';

/**
 * How many images are judged at a time: small ones many, since large ones would take gigabytes; fewer where there is no
 * memory for so many.
 *
 * @param images how many there are
 */
export function evalBatchSize(network: Layer, imageShape: Shape, recipe: Recipe, images: number): number {
  const { batchSize } = recipe;
  const usual = numel(imageShape) > 10_000 ? batchSize : Math.max(100, batchSize);
  const planner = evaluationPlanner({ network, loss: lossOf(recipe).compute }, imageShape);
  return largestBatchFor('evaluate', Math.min(usual, images), imageShape, planner);
}

/** What a run keeps of a part of its data. */
export interface SplitDescription {
  readonly record: SplitRecord;
  /** SHA-256 of each picture; null where files hold several images. */
  readonly checksums: readonly string[] | null;
}

/** @param onProgress told of the checksums, for which all files are read */
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

/** What there is to say about photographs before a network sees them; see `surveyNotes`. */
export async function pictureNotesOf(
  splits: readonly OpenedSplit[],
  images: Preprocessing | null,
): Promise<readonly string[]> {
  if (images === null) return [];
  const surveys: PictureSurvey[] = [];
  for (const { survey } of splits) if (survey !== undefined) surveys.push(await survey(images));
  return surveyNotes(surveys, images);
}
