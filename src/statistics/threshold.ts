import * as check from '../check.js';
import { InputError } from '../errors.js';
import { type BinaryScores, checkBinaryScores, countPositives, type Sweep, sweep } from './binary.js';
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

/**
 * The rule that chooses the threshold of the lowest expected cost: prevalence · cost · (1 − sensitivity) +
 * (1 − prevalence) · (1 − specificity).
 */
export interface CostRule {
  /** Cost of a missed sample of class 1, as a multiple of that of a false alarm; above 0. */
  readonly missedCost: number;
  /** Share of class 1 where the threshold will be used, between 0 and 1. Default: its share in the set. */
  readonly prevalence?: number | undefined;
}

/** A threshold that was chosen on one set, to be applied unchanged to others. */
export interface OperatingPoint<Rule extends OperatingRule | CostRule = OperatingRule> {
  readonly rule: Rule;
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
  check.requireValue('thresholdMetrics', 'threshold', threshold, check.finite);
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
 * lowest with at least the given specificity, for `'youden'` the one with the highest sensitivity +
 * specificity (Youden, Cancer 1950;3:32-35), or for a {@link CostRule} the one with the lowest expected cost
 * (Metz, Semin Nucl Med 1978;8:283-298); the highest of equal thresholds. If even the highest score has too
 * little specificity or too high a cost, the threshold is the next number above it.
 *
 * Choose on one set and evaluate on another: on its own set an operating point looks better than it is.
 *
 * @throws {InputError} if the set has no sample of a class that the rule is about, or the rule has no share
 *   from 0 to 1, or no cost above 0
 * @throws {ShapeError | InputError} if labels or scores are not what {@link BinaryScores} says
 */
export function chooseOperatingPoint<Rule extends OperatingRule | CostRule>(
  data: BinaryScores,
  rule: Rule,
): OperatingPoint<Rule> {
  checkBinaryScores('chooseOperatingPoint', data);
  const positives = countPositives(data);
  checkRule(rule, positives, data.labels.length - positives);
  const threshold = thresholdOf(sweep(data), rule, positives, data.labels.length - positives);
  return { rule, threshold, chosenOn: thresholdMetrics(data, threshold) };
}

function checkRule(rule: OperatingRule | CostRule, positives: number, negatives: number): void {
  const where = 'chooseOperatingPoint';
  check.requireValue(where, 'rule', rule, rules);
  const [isSensitivity, isSpecificity] = ['sensitivity', 'specificity'].map(
    (name) => rule !== 'youden' && name in rule,
  );
  if (rule !== 'youden' && 'sensitivity' in rule) checkShare(where, 'sensitivity', rule.sensitivity);
  else if (rule !== 'youden' && 'specificity' in rule) checkShare(where, 'specificity', rule.specificity);
  else if (rule !== 'youden') {
    const { missedCost, prevalence = 0.5 } = rule;
    if (!check.positive.is(missedCost)) {
      throw new InputError(`[${where}] missedCost: expected a number above 0, got ${check.shown(missedCost)}`);
    }
    if (!check.betweenZeroAndOne.is(prevalence)) {
      throw new InputError(`[${where}] prevalence: expected a share between 0 and 1, got ${check.shown(prevalence)}`);
    }
  }
  const missing = [isSensitivity || negatives > 0, isSpecificity || positives > 0].indexOf(false);
  if (missing < 0) return;
  throw new InputError(`[${where}] labels: expected samples of class ${missing}, which the rule is about, got none`);
}

function thresholdOf(
  { thresholds, truePositives, falsePositives }: Sweep,
  rule: OperatingRule | CostRule,
  positives: number,
  negatives: number,
): number {
  if (rule === 'youden') {
    // The sums are whole numbers, so equal ones compare as equal.
    const sums = truePositives.map((count, i) => count * negatives - falsePositives[i] * positives);
    return thresholds[sums.indexOf(sums.reduce((best, sum) => Math.max(best, sum)))];
  }
  if ('sensitivity' in rule) {
    return thresholds[truePositives.findIndex((count) => count / positives >= rule.sensitivity)];
  }
  if ('specificity' in rule) {
    const last = falsePositives.findLastIndex((count) => (negatives - count) / negatives >= rule.specificity);
    return last >= 0 ? thresholds[last] : nextAbove(thresholds[0]);
  }
  const { missedCost, prevalence = positives / (positives + negatives) } = rule;
  const costs = truePositives.map((count, i) => {
    return prevalence * missedCost * (1 - count / positives) + (1 - prevalence) * (falsePositives[i] / negatives);
  });
  const least = costs.reduce((best, cost) => Math.min(best, cost), prevalence * missedCost);
  const found = costs.findIndex((cost) => cost <= least * (1 + 1e-12));
  return prevalence * missedCost <= least ? nextAbove(thresholds[0]) : thresholds[found];
}

const rules = check.rule<OperatingRule | CostRule>(
  "'youden', { sensitivity }, { specificity } or { missedCost }",
  (x) => {
    if (!check.record.is(x)) return x === 'youden';
    return ['sensitivity', 'specificity', 'missedCost'].filter((name) => name in x).length === 1;
  },
);

/** The next larger float64 of a number that is not negative. */
function nextAbove(x: number): number {
  const bits = new BigInt64Array(new Float64Array([x + 0]).buffer);
  bits[0]++;
  return new Float64Array(bits.buffer)[0];
}
