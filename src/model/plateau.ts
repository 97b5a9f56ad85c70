import type { Shape } from '../graph/shape.js';
import { formatFigure, formatPercent } from './format.js';
import type { Techniques } from './techniques.js';
import type { EpochRecord } from './trainer.js';

/** A loss this close to the prior's entropy has learned next to nothing from the images. */
const closeness = 0.98;
/** Beyond, it is worse than guessing. */
const farness = 1.05;
/** Of the accuracy, from the best epoch to the last. */
const fallBack = 0.1;
/** The first epoch may well be spent on finding the way. */
const leastEpochs = 2;

/** The cross entropy, in nats, of guessing every class with the share that it has: `−Σ p·ln p`. */
export function priorEntropy(classCounts: readonly number[]): number {
  const total = classCounts.reduce((sum, n) => sum + n, 0);
  return classCounts.reduce((sum, n) => (n === 0 ? sum : sum - (n / total) * Math.log(n / total)), 0);
}

/** What a training is, as far as its notice depends on it. */
export interface TrainingFacts {
  /** Sum of the weights of the losses that are trained on (1). */
  readonly weight?: number | undefined;
  /** What is in use is not recommended. */
  readonly model?: string | undefined;
  readonly inputShape?: Shape | undefined;
  readonly optimizer?: string | undefined;
  readonly techniques?: Techniques | undefined;
}

/**
 * What there is to say of a training that went wrong, and what to try: its loss has never left the entropy of the class
 * shares, is above it even, or the accuracy has fallen back since; null if there is nothing.
 */
export function trainingNotice(
  history: readonly EpochRecord[],
  classCounts: readonly number[],
  facts: TrainingFacts = {},
): string | null {
  return plateauNotice(history, classCounts, facts) ?? fallBackNotice(history, facts);
}

function plateauNotice(
  history: readonly EpochRecord[],
  classCounts: readonly number[],
  facts: TrainingFacts,
): string | null {
  const { weight = 1, optimizer, techniques = {} } = facts;
  const prior = weight * priorEntropy(countsAsSeen(classCounts, techniques));
  if (history.length < leastEpochs || prior === 0) return null;
  if (history.some(({ trainLoss }) => trainLoss < closeness * prior)) return null;
  const { trainLoss } = history[history.length - 1];
  const [loss, guessing] = [formatFigure(trainLoss), formatFigure(prior)];
  if (trainLoss > farness * prior) {
    return (
      `The training loss (${loss}) is above guessing: without looking at the images, by the class shares alone, it would be ` +
      `${guessing}. The steps are too large or too few: ${inWords(['lower the learning rate (--lr)', ...ofSteps(facts)])}.`
    );
  }
  const ways = [
    ...(mayBeNormalized(facts) ? ['a network with ReLU and normalization (resnet50)'] : []),
    'another learning rate (--lr)',
    ...(optimizer === 'adam' || optimizer === 'adamw' ? [] : ['--optimizer adam']),
    ...(mayBeNormalized(facts) && techniques.sampler === undefined
      ? ['evenly mixed batches for many epochs (sampler: stratified, with --config)']
      : []),
  ];
  return (
    `The training loss (${loss}) has stayed at the entropy of the class shares (${guessing}), where guessing without ` +
    `looking at the images is: the network has learned nothing. Try ${inWords(ways)}.`
  );
}

function fallBackNotice(history: readonly EpochRecord[], facts: TrainingFacts): string | null {
  const judged = history.flatMap(({ epoch, evalAccuracy: accuracy }) => (accuracy === null ? [] : { epoch, accuracy }));
  const last = judged.at(-1);
  if (last === undefined) return null;
  const best = judged.reduce((most, next) => (next.accuracy > most.accuracy ? next : most));
  if (best.accuracy - last.accuracy < fallBack) return null;
  const keep = facts.techniques?.saveBest === undefined ? ['--save-best acc, which keeps the best weights'] : [];
  return (
    `The accuracy has fallen back: ${formatPercent(best.accuracy)} after epoch ${best.epoch}, ` +
    `${formatPercent(last.accuracy)} after epoch ${last.epoch}. ` +
    `Try ${inWords(['a lower learning rate (--lr)', ...ofSchedule(facts), ...keep])}.`
  );
}

/** The classes as often as they count in the loss. */
function countsAsSeen(counts: readonly number[], { sampler, classWeight = [] }: Techniques): number[] {
  return counts.map((count, i) => {
    if (count === 0) return 0;
    const seen = sampler === 'balanced' ? 1 : count;
    return seen * (classWeight === 'auto' ? 1 / count : (classWeight[i] ?? 1));
  });
}

function mayBeNormalized({ model = '', inputShape }: TrainingFacts): boolean {
  return inputShape?.[0] === 3 && !/resnet|mobilenet/.test(model);
}

function ofSteps({ techniques }: TrainingFacts): string[] {
  return [
    ...(techniques?.clipGradNorm === undefined ? ['clip gradients (clipGradNorm, with --config)'] : []),
    'train longer (--epochs)',
  ];
}

function ofSchedule({ techniques }: TrainingFacts): string[] {
  return techniques?.schedule === undefined ? ['a schedule that lowers it (schedule, with --config)'] : [];
}

function inWords(ways: readonly string[]): string {
  return ways.length === 1 ? ways[0] : `${ways.slice(0, -1).join(', ')} or ${ways.at(-1)}`;
}
