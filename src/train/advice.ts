import type { SamplerName } from '../io/data/sampler.js';
import { formatMetric, formatPercent } from '../text/numbers.js';
import { visibleLine } from '../text/visible.js';
import type { EpochRecord } from './history.js';

/** A network with a loss this close to the entropy of the class shares has learned almost nothing. */
const closeness = 0.98;
/** Beyond, it is worse than guessing. */
const farness = 1.05;
/** Loss of accuracy from the best epoch to the last. */
const fallBack = 0.1;
/** After the first epoch alone, a loss near the entropy proves nothing. */
const leastEpochs = 2;
/** After one epoch, a loss this far above guessing will not come down. */
const lost = 1.5;
/**
 * Least gap between validation loss and training loss for a notice, as a fraction of the entropy of the class
 * shares.
 */
const gap = 0.5;

/** The cross entropy, in nats, of guessing every class with the share that it has: `−Σ p·ln p`. */
export function priorEntropy(classCounts: readonly number[]): number {
  const total = classCounts.reduce((sum, n) => sum + n, 0);
  return classCounts.reduce((sum, n) => (n === 0 ? sum : sum - (n / total) * Math.log(n / total)), 0);
}

/**
 * Things to try, as the caller's options are spelled. One that the training uses already, or that the caller
 * does not have, is undefined.
 */
export interface Remedies {
  readonly learningRate: string;
  readonly weightDecay: string;
  readonly epochs: string;
  /** The optimizer Adam. */
  readonly adam?: string | undefined;
  /** A network with normalization. */
  readonly normalized?: string | undefined;
  readonly clipGradNorm?: string | undefined;
  readonly schedule?: string | undefined;
  readonly transforms?: string | undefined;
  readonly classWeight?: string | undefined;
  readonly balanced?: string | undefined;
  readonly stratified?: string | undefined;
  /** The best epoch by accuracy is kept. */
  readonly bestAccuracy?: string | undefined;
  readonly bestLoss?: string | undefined;
}

/** Facts about a training that its advice depends on. */
export interface TrainingFacts {
  /**
   * Number of training images of each class, or their weight in the loss. Null if the loss is not their cross
   * entropy, or if they are unknown.
   */
  readonly classCounts: readonly number[] | null;
  /** The same as the loss sees them: weighted, or sampled evenly. Default: `classCounts`. */
  readonly seenCounts?: readonly number[] | null | undefined;
  /** Sum of the weights of the losses that are trained on (1). */
  readonly weight?: number | undefined;
  /** Number of validation images, and name, of each class. */
  readonly evalCounts?: readonly number[] | undefined;
  readonly classNames?: readonly string[] | undefined;
  readonly remedies: Remedies;
}

interface Weighting {
  readonly sampler?: SamplerName | undefined;
  readonly classWeight?: 'auto' | readonly number[] | undefined;
}

/** The classes as often as they count in the loss. */
export function countsAsSeen(counts: readonly number[], { sampler, classWeight = [] }: Weighting): number[] {
  return counts.map((count, i) => {
    if (count === 0) return 0;
    const seen = sampler === 'balanced' ? 1 : count;
    return seen * (classWeight === 'auto' ? 1 / count : (classWeight[i] ?? 1));
  });
}

/**
 * Advice for a training that went wrong. Its loss stayed at the entropy of the class shares or rose above it,
 * its accuracy fell back or equals the share of the largest class, or its training loss is far below its
 * validation loss.
 *
 * @returns null if none of these is the case
 */
export function trainingAdvice(history: readonly EpochRecord[], facts: TrainingFacts): string | null {
  return (
    plateauNotice(history, facts) ??
    fallBackNotice(history, facts) ??
    largestClassNotice(history, facts) ??
    gapNotice(history, facts)
  );
}

function plateauNotice(history: readonly EpochRecord[], facts: TrainingFacts): string | null {
  const { weight = 1, classCounts, seenCounts = classCounts, remedies } = facts;
  if (seenCounts === null) return null;
  const prior = weight * priorEntropy(seenCounts);
  if (history.length === 0 || prior === 0) return null;
  if (history.length < leastEpochs && history[0].trainLoss <= lost * prior) return null;
  if (history.some(({ trainLoss }) => trainLoss < closeness * prior)) return null;
  const { trainLoss } = history[history.length - 1];
  const [loss, guessing] = [formatMetric(trainLoss), formatMetric(prior)];
  const { learningRate, clipGradNorm, epochs, normalized, adam, stratified } = remedies;
  if (trainLoss > farness * prior) {
    const ways = [
      `lower the learning rate (${learningRate})`,
      clipGradNorm && `clip gradients (${clipGradNorm})`,
      `train longer (${epochs})`,
    ];
    return (
      `The training loss (${loss}) is above guessing: without looking at the images, by the class shares alone, it would be ` +
      `${guessing}. The steps are too large or too few: ${inWords(ways)}.`
    );
  }
  const ways = [
    normalized,
    `another learning rate (${learningRate})`,
    adam,
    normalized && stratified && `evenly mixed batches for many epochs (${stratified})`,
  ];
  return (
    `The training loss (${loss}) has stayed at the entropy of the class shares (${guessing}), where guessing without ` +
    `looking at the images is: the network has learned nothing. Try ${inWords(ways)}.`
  );
}

function fallBackNotice(history: readonly EpochRecord[], { remedies }: TrainingFacts): string | null {
  const evaluated = history.flatMap(({ epoch, evalAccuracy: accuracy }) =>
    accuracy === null ? [] : { epoch, accuracy },
  );
  const last = evaluated.at(-1);
  if (last === undefined) return null;
  const best = evaluated.reduce((most, next) => (next.accuracy > most.accuracy ? next : most));
  if (best.accuracy - last.accuracy < fallBack) return null;
  const { learningRate, schedule, bestAccuracy } = remedies;
  const ways = [
    `a lower learning rate (${learningRate})`,
    schedule && `a schedule that lowers it (${schedule})`,
    bestAccuracy && `${bestAccuracy}, which keeps the best weights`,
  ];
  return (
    `The accuracy has fallen back: ${formatPercent(best.accuracy)} after epoch ${best.epoch}, ` +
    `${formatPercent(last.accuracy)} after epoch ${last.epoch}. Try ${inWords(ways)}.`
  );
}

function largestClassNotice(
  history: readonly EpochRecord[],
  { evalCounts = [], classNames = [], remedies }: TrainingFacts,
): string | null {
  const accuracy = history.findLast(({ evalAccuracy }) => evalAccuracy !== null)?.evalAccuracy;
  const total = evalCounts.reduce((sum, n) => sum + n, 0);
  const largest = Math.max(...evalCounts);
  if (typeof accuracy !== 'number' || largest === total) return null;
  if (Math.round(accuracy * total) !== largest) return null;
  const label = evalCounts.indexOf(largest);
  const { classWeight, balanced, learningRate } = remedies;
  const ways = [
    classWeight && `weights of the classes (${classWeight})`,
    balanced && `evenly sampled classes (${balanced})`,
    `another learning rate (${learningRate})`,
  ];
  return (
    `The accuracy (${formatPercent(accuracy)}) is the share of the largest class, ${visibleLine(classNames[label] ?? String(label))}: ` +
    `the network may take every image for it. Look at the confusion matrix, and try ${inWords(ways)}.`
  );
}

function gapNotice(
  history: readonly EpochRecord[],
  { weight = 1, classCounts, remedies }: TrainingFacts,
): string | null {
  const last = history.findLast(({ evalLoss }) => evalLoss !== null);
  if (last === undefined || last.evalLoss === null || classCounts === null) return null;
  const trained = last.trainLoss / weight;
  if (last.evalLoss < 2 * trained || last.evalLoss - trained < gap * priorEntropy(classCounts)) return null;
  const { transforms, weightDecay, bestLoss } = remedies;
  const ways = [
    'more images',
    transforms && `random changes of the training images (${transforms})`,
    `a larger weight decay (${weightDecay})`,
    bestLoss && `fewer epochs, or ${bestLoss}, which keeps the best weights`,
  ];
  return (
    `The loss on the validation images (${formatMetric(last.evalLoss)}) is far above that on the training images ` +
    `(${formatMetric(trained)}): the network has learned those by heart. Try ${inWords(ways)}.`
  );
}

function inWords(all: readonly (string | undefined)[]): string {
  const ways = all.filter((way) => way !== undefined);
  return ways.length === 1 ? ways[0] : `${ways.slice(0, -1).join(', ')} or ${ways.at(-1)}`;
}
