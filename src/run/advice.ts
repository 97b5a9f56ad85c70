import type { Shape } from '../graph/shape.js';
import { formatMetric, formatPercent } from '../text/numbers.js';
import { option } from '../text/option.js';
import { visibleLine } from '../text/visible.js';
import type { EpochRecord } from '../train/history.js';
import type { Techniques } from './trainingOptions.js';

/** A network with a loss this close to the entropy of the class shares has learned almost nothing. */
const closeness = 0.98;
/** Beyond, it is worse than guessing. */
const farness = 1.05;
/** Loss of accuracy from the best epoch to the last. */
const fallBack = 0.1;
/** The first epoch may well be spent on finding the way. */
const leastEpochs = 2;
/** After one epoch alone this much above guessing is no way to be found. */
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

/** Facts about a training that its advice depends on. */
export interface TrainingFacts {
  /** Sum of the weights of the losses that are trained on (1). */
  readonly weight?: number | undefined;
  /** The network has batch norm. Default false. */
  readonly batchNorm?: boolean | undefined;
  /** Number of validation images, and name, of each class. */
  readonly evalCounts?: readonly number[] | undefined;
  readonly classNames?: readonly string[] | undefined;
  readonly inputShape?: Shape | undefined;
  readonly optimizer?: string | undefined;
  readonly techniques?: Techniques | undefined;
}

/**
 * Advice for a training that went wrong. Its loss stayed at the entropy of the class shares or rose above it,
 * its accuracy fell back or equals the share of the largest class, or its training loss is far below its
 * validation loss.
 *
 * @returns null if none of these is the case
 */
export function trainingAdvice(
  history: readonly EpochRecord[],
  classCounts: readonly number[],
  facts: TrainingFacts = {},
): string | null {
  return (
    plateauNotice(history, classCounts, facts) ??
    fallBackNotice(history, facts) ??
    largestClassNotice(history, facts) ??
    gapNotice(history, classCounts, facts)
  );
}

function plateauNotice(
  history: readonly EpochRecord[],
  classCounts: readonly number[],
  facts: TrainingFacts,
): string | null {
  const { weight = 1, optimizer, techniques = {} } = facts;
  const prior = weight * priorEntropy(countsAsSeen(classCounts, techniques));
  if (history.length === 0 || prior === 0) return null;
  if (history.length < leastEpochs && history[0].trainLoss <= lost * prior) return null;
  if (history.some(({ trainLoss }) => trainLoss < closeness * prior)) return null;
  const { trainLoss } = history[history.length - 1];
  const [loss, guessing] = [formatMetric(trainLoss), formatMetric(prior)];
  if (trainLoss > farness * prior) {
    return (
      `The training loss (${loss}) is above guessing: without looking at the images, by the class shares alone, it would be ` +
      `${guessing}. The steps are too large or too few: ${inWords([`lower the learning rate (${option('learningRate')})`, ...ofSteps(facts)])}.`
    );
  }
  const ways = [
    ...(mayBeNormalized(facts) ? ['a network with ReLU and normalization (resnet50)'] : []),
    `another learning rate (${option('learningRate')})`,
    ...(optimizer === 'adam' || optimizer === 'adamw' ? [] : [option('optimizer', 'adam')]),
    ...(mayBeNormalized(facts) && techniques.sampler === undefined
      ? [`evenly mixed batches for many epochs (${option('sampler', 'stratified')})`]
      : []),
  ];
  return (
    `The training loss (${loss}) has stayed at the entropy of the class shares (${guessing}), where guessing without ` +
    `looking at the images is: the network has learned nothing. Try ${inWords(ways)}.`
  );
}

function fallBackNotice(history: readonly EpochRecord[], facts: TrainingFacts): string | null {
  const evaluated = history.flatMap(({ epoch, evalAccuracy: accuracy }) =>
    accuracy === null ? [] : { epoch, accuracy },
  );
  const last = evaluated.at(-1);
  if (last === undefined) return null;
  const best = evaluated.reduce((most, next) => (next.accuracy > most.accuracy ? next : most));
  if (best.accuracy - last.accuracy < fallBack) return null;
  const keep =
    facts.techniques?.saveBest === undefined ? [`${option('saveBest', 'acc')}, which keeps the best weights`] : [];
  return (
    `The accuracy has fallen back: ${formatPercent(best.accuracy)} after epoch ${best.epoch}, ` +
    `${formatPercent(last.accuracy)} after epoch ${last.epoch}. ` +
    `Try ${inWords([`a lower learning rate (${option('learningRate')})`, ...ofSchedule(facts), ...keep])}.`
  );
}

function largestClassNotice(history: readonly EpochRecord[], facts: TrainingFacts): string | null {
  const { evalCounts = [], classNames = [] } = facts;
  const accuracy = history.findLast(({ evalAccuracy }) => evalAccuracy !== null)?.evalAccuracy;
  const total = evalCounts.reduce((sum, n) => sum + n, 0);
  const largest = Math.max(...evalCounts);
  if (typeof accuracy !== 'number' || largest === total) return null;
  if (Math.round(accuracy * total) !== largest) return null;
  const name = classNames[evalCounts.indexOf(largest)];
  return (
    `The accuracy (${formatPercent(accuracy)}) is the share of the largest class, ${visibleLine(name)}: the network may take every ` +
    `image for it. Look at the confusion matrix, and try ${inWords(ofBalance(facts))}.`
  );
}

function gapNotice(
  history: readonly EpochRecord[],
  classCounts: readonly number[],
  { weight = 1, techniques }: TrainingFacts,
): string | null {
  const last = history.findLast(({ evalLoss }) => evalLoss !== null);
  if (last === undefined || last.evalLoss === null) return null;
  const trained = last.trainLoss / weight;
  if (last.evalLoss < 2 * trained || last.evalLoss - trained < gap * priorEntropy(classCounts)) return null;
  const ways = [
    'more images',
    ...(techniques?.transforms === undefined
      ? [`random changes of the training images (${option('transforms')})`]
      : []),
    `a larger weight decay (${option('weightDecay')})`,
    ...(techniques?.saveBest === undefined
      ? [`fewer epochs, or ${option('saveBest', 'loss')}, which keeps the best weights`]
      : []),
  ];
  return (
    `The loss on the validation images (${formatMetric(last.evalLoss)}) is far above that on the training images ` +
    `(${formatMetric(trained)}): the network has learned those by heart. Try ${inWords(ways)}.`
  );
}

function ofBalance({ techniques }: TrainingFacts): string[] {
  return [
    ...(techniques?.classWeight === undefined ? [`weights of the classes (${option('classWeight', 'auto')})`] : []),
    ...(techniques?.sampler === undefined ? [`evenly sampled classes (${option('sampler', 'balanced')})`] : []),
    `another learning rate (${option('learningRate')})`,
  ];
}

/** The classes as often as they count in the loss. */
function countsAsSeen(counts: readonly number[], { sampler, classWeight = [] }: Techniques): number[] {
  return counts.map((count, i) => {
    if (count === 0) return 0;
    const seen = sampler === 'balanced' ? 1 : count;
    return seen * (classWeight === 'auto' ? 1 / count : (classWeight[i] ?? 1));
  });
}

/** Whether a network with normalization can take the place of this one: there is one for photographs. */
function mayBeNormalized({ batchNorm = false, inputShape }: TrainingFacts): boolean {
  return inputShape?.[0] === 3 && !batchNorm;
}

function ofSteps({ techniques }: TrainingFacts): string[] {
  return [
    ...(techniques?.clipGradNorm === undefined ? [`clip gradients (${option('clipGradNorm')})`] : []),
    `train longer (${option('epochs')})`,
  ];
}

function ofSchedule({ techniques }: TrainingFacts): string[] {
  return techniques?.schedule === undefined ? [`a schedule that lowers it (${option('schedule')})`] : [];
}

function inWords(ways: readonly string[]): string {
  return ways.length === 1 ? ways[0] : `${ways.slice(0, -1).join(', ')} or ${ways.at(-1)}`;
}
