import { formatFigure } from './format.js';
import type { EpochRecord } from './trainer.js';

/** A loss this close to the prior's entropy has learned next to nothing from the images. */
const closeness = 0.98;
/** The first epoch may well be spent on finding the way. */
const leastEpochs = 2;

/** The cross entropy, in nats, of guessing every class with the share that it has: `−Σ p·ln p`. */
export function priorEntropy(classCounts: readonly number[]): number {
  const total = classCounts.reduce((sum, n) => sum + n, 0);
  return classCounts.reduce((sum, n) => (n === 0 ? sum : sum - (n / total) * Math.log(n / total)), 0);
}

/**
 * Says so if the training loss has never left the entropy of the class shares, and what to try; null otherwise.
 *
 * @param weight sum of the weights of the losses that are trained on
 */
export function plateauNotice(
  history: readonly EpochRecord[],
  classCounts: readonly number[],
  weight = 1,
): string | null {
  const prior = weight * priorEntropy(classCounts);
  if (history.length < leastEpochs || prior === 0) return null;
  if (history.some(({ trainLoss }) => trainLoss < closeness * prior)) return null;
  const last = history[history.length - 1];
  return (
    `The training loss (${formatFigure(last.trainLoss)}) has stayed at the entropy of the class shares ` +
    `(${formatFigure(prior)}), where guessing without looking at the images is: the network has learned nothing. ` +
    'Try a network with ReLU and normalization (resnet50), another learning rate (--lr), or --optimizer adam.'
  );
}
