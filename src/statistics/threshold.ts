import { InputError } from '../errors.js';
import { type BinaryScores, checkBinaryScores, countPositives, sweep } from './binary.js';
import { type Proportion, proportion } from './proportion.js';
import { checkShare } from './share.js';

/** Counts and shares if samples that score at least the threshold are called positive. */
export interface ThresholdMetrics {
  readonly threshold: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
  /** Share of all samples that are classified correctly. */
  readonly accuracy: Proportion;
  /** Share of the samples of class 1 that are called positive (recall). */
  readonly sensitivity: Proportion;
  /** Share of the samples of class 0 that are called negative. */
  readonly specificity: Proportion;
  /** Positive predictive value: of those called positive, the samples of class 1 (precision). */
  readonly ppv: Proportion;
  /** Negative predictive value: of those called negative, the samples of class 0. */
  readonly npv: Proportion;
}

/**
 * The rule that chooses a threshold: at least this sensitivity, at least this specificity, or the highest sum
 * of both.
 */
export type OperatingRule = { readonly sensitivity: number } | { readonly specificity: number } | 'youden';

/** A threshold that was chosen on one set, to be applied unchanged to others. */
export interface OperatingPoint {
  readonly rule: OperatingRule;
  readonly threshold: number;
  /** Its metrics on the set that it was chosen on. They are usually better than on other sets. */
  readonly chosenOn: ThresholdMetrics;
}

/**
 * Confusion matrix and the shares that follow from it, each with its 95 % interval.
 *
 * A sample that scores exactly the threshold is called positive.
 *
 * @throws {ShapeError | InputError} if labels or scores are not what {@link BinaryScores} says, or the
 *   threshold is NaN
 */
export function thresholdMetrics(data: BinaryScores, threshold = 0.5): ThresholdMetrics {
  checkBinaryScores('thresholdMetrics', data);
  if (!Number.isFinite(threshold)) {
    throw new InputError(`[thresholdMetrics] threshold: expected a number, got ${threshold}`);
  }
  const { labels, scores } = data;
  const positives = countPositives(data);
  const negatives = labels.length - positives;
  let truePositives = 0;
  let falsePositives = 0;
  for (let i = 0; i < labels.length; i++) {
    if (!(scores[i] >= threshold)) continue;
    if (labels[i] === 1) truePositives++;
    else falsePositives++;
  }
  const trueNegatives = negatives - falsePositives;
  const falseNegatives = positives - truePositives;
  return {
    threshold,
    truePositives,
    falsePositives,
    trueNegatives,
    falseNegatives,
    accuracy: proportion(truePositives + trueNegatives, labels.length),
    sensitivity: proportion(truePositives, positives, 'no sample is of class 1'),
    specificity: proportion(trueNegatives, negatives, 'no sample is of class 0'),
    ppv: proportion(truePositives, truePositives + falsePositives, 'no sample is called positive'),
    npv: proportion(trueNegatives, trueNegatives + falseNegatives, 'no sample is called negative'),
  };
}

/**
 * Chooses the threshold among the scores of a set. It is the highest with at least the given sensitivity, the
 * lowest with at least the given specificity, or for `'youden'` the one with the highest sensitivity +
 * specificity (Youden's J; the highest of equal thresholds). If even the highest score has too little
 * specificity, the threshold is the next number above it.
 *
 * Choose on one set and evaluate on another: on its own set an operating point looks better than it is.
 *
 * @throws {InputError} if the set has no sample of a class that the rule is about, or the rule has no share
 *   from 0 to 1
 * @throws {ShapeError | InputError} if labels or scores are not what {@link BinaryScores} says
 */
export function chooseOperatingPoint(data: BinaryScores, rule: OperatingRule): OperatingPoint {
  checkBinaryScores('chooseOperatingPoint', data);
  const positives = countPositives(data);
  const negatives = data.labels.length - positives;
  if (rule !== 'youden' && 'sensitivity' in rule) checkShare('chooseOperatingPoint', 'sensitivity', rule.sensitivity);
  else if (rule !== 'youden') checkShare('chooseOperatingPoint', 'specificity', rule.specificity);
  const needs = (label: number, count: number) => {
    if (count > 0) return;
    throw new InputError(
      `[chooseOperatingPoint] labels: expected samples of class ${label}, which the rule is about, got none`,
    );
  };
  if (rule === 'youden' || 'sensitivity' in rule) needs(1, positives);
  if (rule === 'youden' || 'specificity' in rule) needs(0, negatives);

  const { thresholds, truePositives, falsePositives } = sweep(data);
  const choose = (): number => {
    if (rule === 'youden') {
      // The sums are whole numbers, so equal ones compare as equal.
      const sums = truePositives.map((count, i) => count * negatives - falsePositives[i] * positives);
      return thresholds[sums.indexOf(sums.reduce((best, sum) => Math.max(best, sum)))];
    }
    if ('sensitivity' in rule) {
      return thresholds[truePositives.findIndex((count) => count / positives >= rule.sensitivity)];
    }
    const last = falsePositives.findLastIndex((count) => (negatives - count) / negatives >= rule.specificity);
    return last >= 0 ? thresholds[last] : nextAbove(thresholds[0]);
  };
  const threshold = choose();
  return { rule, threshold, chosenOn: thresholdMetrics(data, threshold) };
}

/** The next larger float64 of a number that is not negative. */
function nextAbove(x: number): number {
  const bits = new BigInt64Array(new Float64Array([x + 0]).buffer);
  bits[0]++;
  return new Float64Array(bits.buffer)[0];
}
