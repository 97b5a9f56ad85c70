import type { Shape } from '../graph/shape.js';
import { wilsonInterval } from '../statistics/index.js';
import { formatCount, formatPercent } from '../text/numbers.js';
import { confusionOf } from '../train/evaluate.js';
import type { Evaluation } from '../train/evaluation.js';
import type { OpenedSplit, OpenOptions } from './catalog/datasets.js';
import { pixelChecksum, pixelFacts, SeenPictures } from './checksums.js';
import type { RunFolder } from './folder.js';
import { lookOf } from './looks.js';
import type { SplitDescription } from './splits.js';

/** Metrics on training pictures say nothing about other pictures, so an evaluation distinguishes them. */

/** Earlier uses of some images in a run. */
export interface SeenImages {
  /** Whether the network was trained on each; null if the run keeps no checksums of its pictures. */
  readonly trained: readonly boolean[] | null;
  /** Whether each of the others looks like a training image that was saved with loss or resized. */
  readonly alike: readonly boolean[];
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
  onProgress?: OpenOptions['onProgress'],
): Promise<SeenImages> {
  const { dataset } = evaluated;
  const { train } = folder.config.data;
  const pictures = await folder.readPictures();
  const whole = record.sha256 === train.sha256;
  const known = (trained: boolean[] | null) => ({ trained, alike: trained?.map(() => false) ?? [], validated: 0 });
  if (pictures === null) return known(whole ? new Array(dataset.length).fill(true) : null);
  const [training, validation] = [new SeenPictures(pictures.train), new SeenPictures(pictures.validation)];
  const looks = training.comparesPixels || validation.comparesPixels;
  const pixels = looks ? await pixelFacts(dataset.withTransform(null), onProgress) : null;
  const files = checksums;
  if (!whole && files === null && pixels === null) return known(null);
  const found = Array.from(
    { length: dataset.length },
    (_, i) => [files?.[i] ?? null, pixels?.checksums[i] ?? null] as const,
  );
  const trained = found.map((image) => whole || training.has(...image));
  return {
    trained,
    alike: trained.map((isTrained, i) => !isTrained && pixels !== null && training.looksLike(pixels.looks[i])),
    validated: found.filter((image) => validation.has(...image)).length,
  };
}

/** How a run has used a picture: `alike` is not among its training pictures, but looks like one of them. */
export type UseInTraining = 'trained' | 'alike' | 'none';

/** Finds out whether a run was trained on single pictures; null if it has no checksums of its pictures. */
export async function trainedPictures(folder: RunFolder): Promise<{
  use(file: string, image: Float32Array, shape: Shape): UseInTraining;
} | null> {
  const pictures = await folder.readPictures();
  if (pictures === null || pictures.train.files === null) return null;
  const trained = new SeenPictures(pictures.train);
  return {
    use: (file, image, shape) => {
      if (trained.has(file, trained.comparesPixels ? pixelChecksum(image) : null)) return 'trained';
      return trained.looksLike(lookOf(image, shape)) ? 'alike' : 'none';
    },
  };
}

/** The part of an evaluation that the network was not trained on; null if there is none, or nothing else. */
export function untrainedPart(evaluation: Evaluation, { trained, alike }: SeenImages): PartialEvaluation | null {
  if (trained === null) return null;
  const kept = trained.flatMap((isTrained, i) => (isTrained || alike[i] ? [] : [i]));
  if (kept.length === 0 || kept.length === trained.length) return null;
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
  { trained, alike, validated }: SeenImages,
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
  const similar = alike.filter(Boolean).length;
  const notes: string[] = [];
  if (count === images)
    notes.push('The network was trained on all of these images: the metrics say nothing about others.');
  else if (count + similar > 0) {
    const all = formatCount(images);
    const facts = [
      ...(count > 0 ? [`The network was trained on ${formatCount(count)} of these ${all} images.`] : []),
      ...(similar > 0
        ? [
            `${formatCount(similar)} ${count > 0 ? 'more' : `of these ${all} images`} ${similar === 1 ? 'looks' : 'look'} ` +
              `like ${trainingImages(similar)}, saved again or resized.`,
          ]
        : []),
    ];
    notes.push(`${facts.join(' ')}${accuracyOn(others)}`);
  }
  if (!sameData) {
    if (count + similar === 0) notes.push('The network was trained on none of these images.');
    if (validated > 0) notes.push(`${formatCount(validated)} of these images are validation images of the run.`);
  }
  return notes;
}

const trainingImages = (count: number) => (count === 1 ? 'a training image' : 'training images');

function accuracyOn(others: PartialEvaluation | null): string {
  if (others === null) return '';
  const { samples, accuracy } = others;
  const [low, high] = wilsonInterval(accuracy * samples, samples).map((share) => formatPercent(share));
  return ` On the other ${formatCount(samples)} its accuracy is ${formatPercent(accuracy)} (95 % interval ${low} to ${high}).`;
}
