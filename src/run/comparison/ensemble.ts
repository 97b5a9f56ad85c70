import { InputError } from '../../errors.js';
import {
  chooseOperatingPoint,
  holm,
  type ModelComparison,
  type OperatingRule,
  rocAuc,
} from '../../statistics/index.js';
import { binaryScores } from '../decision.js';
import { positiveClass } from '../positive.js';
import type { Predictions } from '../predictions/predictions.js';
import { type CompareOptions, type Comparison, comparePredictions } from './compare.js';
import { type Matched, matched } from './match.js';
import type { PredictionSource } from './source.js';

/** An ensemble and its members on the same pictures. */
export interface EnsembleResult {
  readonly part: string;
  /** Mean probabilities of the members; their logarithms as logits. */
  readonly predictions: Predictions;
  /** Probability from which on the ensemble decides for the positive one of two classes. */
  readonly threshold: number | null;
  /** Whether the ensemble's own validation predictions chose the threshold; else it is 0.5. */
  readonly thresholdChosen: boolean;
  /** Model 0 is the ensemble. Pairs are those with the ensemble; Holm counts only them. */
  readonly comparison: Comparison;
  /** Standard deviation of the members' probability of the ensemble's class, for each picture. */
  readonly disagreement: Float64Array;
  /** Probability that a wrong prediction has more disagreement than a right one; null without both. */
  readonly disagreementAuc: number | null;
}

/**
 * The mean of the probabilities of several models, from their stored predictions, compared with each member.
 *
 * @param rule chooses the threshold on validation images, where all members have predictions for them
 * @throws {InputError} as `comparePredictions`
 */
export function ensembleOf(
  members: readonly PredictionSource[],
  options: CompareOptions & { readonly rule?: OperatingRule | null | undefined } = {},
): EnsembleResult {
  if (members.length < 2) throw new InputError(`[ensemble] runs: expected at least two, got ${members.length}`);
  const all = matched(members, options.split);
  const predictions = meanOf(all);
  const { record } = members[0].predictions;
  const positive = positiveClass(predictions.classNames, options.positive ?? record.positive ?? undefined);
  const chosen = positive === null ? null : chosenThreshold(members, options.rule ?? null, positive);
  const threshold = positive === null ? null : (chosen ?? 0.5);
  const own: PredictionSource = {
    path: 'ensemble',
    recipe: null,
    seed: null,
    predictions: {
      ...predictions,
      record: { ...record, positive: positive?.name ?? null, threshold, parts: record.parts },
    },
  };
  const compared = comparePredictions([own, ...members], { ...options, split: all.part, each: true });
  const comparison = { ...compared, metrics: compared.metrics.map(withEnsemble) };
  const disagreement = disagreementOf(all, predictions);
  return {
    part: all.part,
    predictions,
    threshold,
    thresholdChosen: chosen !== null,
    comparison,
    disagreement,
    disagreementAuc: aucOfErrors(predictions, disagreement),
  };
}

function meanOf({ predictions }: Matched): Predictions {
  const [first] = predictions;
  const probabilities = Float32Array.from(first.probabilities, (_, i) => {
    return predictions.reduce((sum, { probabilities: own }) => sum + own[i], 0) / predictions.length;
  });
  return { ...first, probabilities, logits: probabilities.map(Math.log) };
}

/** Null where the members have no validation predictions for the same pictures, or these have one class. */
function chosenThreshold(
  members: readonly PredictionSource[],
  rule: OperatingRule | null,
  positive: NonNullable<ReturnType<typeof positiveClass>>,
): number | null {
  if (rule === null || !members.every(({ predictions }) => predictions.splits.includes('validation'))) return null;
  try {
    return chooseOperatingPoint(binaryScores(meanOf(matched(members, 'validation')), positive), rule).threshold;
  } catch (error) {
    // Other validation pictures, or those of one class.
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** Only the pairs with the ensemble, adjusted for their number. */
function withEnsemble(found: ModelComparison): ModelComparison {
  const pairs = found.pairs.filter(({ a }) => a === 0);
  const adjusted = holm(pairs.flatMap(({ pValue }) => (pValue.value === null ? [] : [pValue.value])));
  return {
    ...found,
    pairs: pairs.map((pair) => ({
      ...pair,
      adjusted: pair.pValue.value === null ? null : (adjusted.shift() ?? null),
    })),
    undistinguished: [],
  };
}

function disagreementOf({ predictions }: Matched, { labels, probabilities, classNames }: Predictions): Float64Array {
  const classes = classNames.length;
  return Float64Array.from(labels, (_, i) => {
    const at = i * classes + mostProbable(probabilities, i, classes);
    const mean = predictions.reduce((sum, { probabilities: own }) => sum + own[at], 0) / predictions.length;
    const square = predictions.reduce((sum, { probabilities: own }) => sum + (own[at] - mean) ** 2, 0);
    return Math.sqrt(square / (predictions.length - 1));
  });
}

function aucOfErrors({ labels, probabilities, classNames }: Predictions, disagreement: Float64Array): number | null {
  const classes = classNames.length;
  const wrong = Uint8Array.from(labels, (label, i) => Number(mostProbable(probabilities, i, classes) !== label));
  return rocAuc({ labels: wrong, scores: disagreement }).value;
}

function mostProbable(probabilities: Float32Array, sample: number, classes: number): number {
  let found = 0;
  for (let c = 1; c < classes; c++) {
    if (probabilities[sample * classes + c] > probabilities[sample * classes + found]) found = c;
  }
  return found;
}
