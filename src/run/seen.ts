import { wilsonInterval } from '../statistics/index.js';
import { formatCount, formatPercent } from '../text/numbers.js';
import { confusionOf } from '../train/evaluate.js';
import type { Evaluation } from '../train/evaluation.js';
import type { OpenedSplit } from './catalog/datasets.js';
import { pixelChecksum, pixelChecksums, SeenPictures } from './checksums.js';
import type { RunFolder } from './folder.js';
import type { SplitDescription } from './splits.js';

/** Metrics on training pictures say nothing about other pictures, so an evaluation distinguishes them. */

/** Earlier uses of some images in a run. */
export interface SeenImages {
  /** Whether the network was trained on each; null if the run keeps no checksums of its pictures. */
  readonly trained: readonly boolean[] | null;
  /** Number of them that were validation images of the run. */
  readonly validated: number;
}

/** Labels, outputs and metrics of a part of the evaluated images. */
export type PartialEvaluation = Pick<Evaluation, 'samples' | 'accuracy' | 'confusion' | 'labels' | 'probabilities'>;

/** Finds the images in a part of a data set that are copies of training or validation images of a run. */
export async function seenImages(
  folder: RunFolder,
  evaluated: OpenedSplit,
  { record, checksums }: SplitDescription,
): Promise<SeenImages> {
  const { dataset } = evaluated;
  const { train } = folder.config.data;
  const pictures = await folder.readPictures();
  const whole = record.sha256 === train.sha256;
  if (pictures === null) return { trained: whole ? new Array(dataset.length).fill(true) : null, validated: 0 };
  const [trained, validated] = [new SeenPictures(pictures.train), new SeenPictures(pictures.validation)];
  const looks = trained.comparesPixels || validated.comparesPixels;
  const pixels = looks ? await pixelChecksums(dataset.withTransform(null)) : null;
  const files = checksums;
  if (!whole && files === null && pixels === null) return { trained: null, validated: 0 };
  const found = Array.from({ length: dataset.length }, (_, i) => [files?.[i] ?? null, pixels?.[i] ?? null] as const);
  return {
    trained: found.map((image) => whole || trained.has(...image)),
    validated: found.filter((image) => validated.has(...image)).length,
  };
}

/** Finds out whether a run was trained on single pictures; null if it has no checksums of its pictures. */
export async function trainedPictures(folder: RunFolder): Promise<{
  has(file: string, image: Float32Array): boolean;
} | null> {
  const pictures = await folder.readPictures();
  if (pictures === null || pictures.train.files === null) return null;
  const trained = new SeenPictures(pictures.train);
  return { has: (file, image) => trained.has(file, trained.comparesPixels ? pixelChecksum(image) : null) };
}

/** The part of an evaluation that the network was not trained on; null if there is none, or nothing else. */
export function untrainedPart(evaluation: Evaluation, { trained }: SeenImages): PartialEvaluation | null {
  if (trained === null || !trained.includes(true) || !trained.includes(false)) return null;
  const kept = trained.flatMap((isTrained, i) => (isTrained ? [] : [i]));
  const classes = evaluation.confusion.length;
  const labels = Int32Array.from(kept, (i) => evaluation.labels[i]);
  const probabilities = new Float32Array(kept.length * classes);
  kept.forEach((i, place) => {
    probabilities.set(evaluation.probabilities.subarray(i * classes, (i + 1) * classes), place * classes);
  });
  const confusion = confusionOf(labels, probabilities, classes);
  const correct = confusion.reduce((sum, row, i) => sum + row[i], 0);
  return { samples: kept.length, accuracy: correct / kept.length, confusion, labels, probabilities };
}

/** Notes about the images that a reader of the metrics needs, in sentences. */
export function seenNotes(
  { trained, validated }: SeenImages,
  {
    images,
    sameData,
    others,
  }: { readonly images: number; readonly sameData: boolean; readonly others: PartialEvaluation | null },
): string[] {
  if (trained === null) {
    const unknown =
      'The run keeps no checksums of its pictures, so whether it was trained on some of these is not known.';
    return sameData ? [] : [unknown];
  }
  const count = trained.filter(Boolean).length;
  const notes: string[] = [];
  if (count === images)
    notes.push('The network was trained on all of these images: the metrics say nothing about others.');
  else if (count > 0) {
    notes.push(
      `The network was trained on ${formatCount(count)} of these ${formatCount(images)} images.${accuracyOn(others)}`,
    );
  }
  if (!sameData) {
    if (count === 0) notes.push('The network was trained on none of these images.');
    if (validated > 0) notes.push(`${formatCount(validated)} of these images are validation images of the run.`);
  }
  return notes;
}

function accuracyOn(others: PartialEvaluation | null): string {
  if (others === null) return '';
  const { samples, accuracy } = others;
  const [low, high] = wilsonInterval(accuracy * samples, samples).map((share) => formatPercent(share));
  return ` On the other ${formatCount(samples)} its accuracy is ${formatPercent(accuracy)} (95 % interval ${low} to ${high}).`;
}
