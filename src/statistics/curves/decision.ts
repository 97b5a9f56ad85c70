import { InputError } from '../../errors.js';
import { type BinaryScores, checkBinaryScores } from '../binary.js';
import { checkShare } from '../share.js';
import { type MetricValue, none, type WeightedMetric } from '../value.js';

export interface DecisionCurveOptions {
  /** Threshold probabilities between 0 and 1. Default: 0.01, 0.02 … 0.99. */
  readonly thresholds?: readonly number[] | undefined;
  /**
   * Share of the disease in the population that is decided about. Give it where the set has another share,
   * as in case-control studies. Default: the share in the set.
   */
  readonly prevalence?: number | undefined;
}

/** Net benefit at one threshold probability, in true positives per person. */
export interface DecisionPoint {
  readonly threshold: number;
  /** If those who score at least the threshold are treated. Here and below: at most the prevalence. */
  readonly model: MetricValue;
  /** If all are treated. If none is, it is 0. */
  readonly all: MetricValue;
  /**
   * Share of people who are spared a treatment compared with treating all, at no loss of true positives: the
   * gain over treating all, divided by the odds of the threshold.
   */
  readonly interventionsAvoided: MetricValue;
}

/**
 * Decision curve analysis (Vickers & Elkin, Med Decis Making 2006;26:565-574): the net benefit TP/n − FP/n ·
 * t/(1 − t) of a model whose user treats from a probability t on. With a prevalence, TP/n and FP/n are those
 * that sensitivity and specificity give there, as in dcurves. Scores have to be calibrated for that
 * prevalence.
 *
 * A value is none if a prevalence is given and a class has no samples.
 *
 * @throws {ShapeError | InputError} if labels or scores are not valid {@link BinaryScores}, or a threshold
 *   or the prevalence is out of range
 */
export function decisionCurve(data: BinaryScores, options: DecisionCurveOptions = {}): DecisionPoint[] {
  const { thresholds = Array.from({ length: 99 }, (_, i) => (i + 1) / 100), prevalence } = options;
  return thresholds.map((threshold) => {
    const model = prepareNetBenefit(data, threshold, prevalence)();
    const always = { labels: data.labels, scores: new Float64Array(data.labels.length).fill(1) };
    const all = prepareNetBenefit(always, threshold, prevalence)();
    const interventionsAvoided =
      model.value === null || all.value === null
        ? model
        : { value: (model.value - all.value) / (threshold / (1 - threshold)) };
    return { threshold, model, all, interventionsAvoided };
  });
}

/**
 * The net benefit at one threshold probability, for `bootstrap`.
 *
 * @throws as {@link decisionCurve}
 */
export function prepareNetBenefit(data: BinaryScores, threshold: number, prevalence?: number): WeightedMetric {
  checkBinaryScores('decisionCurve', data);
  if (!(threshold > 0 && threshold < 1)) {
    throw new InputError(`[decisionCurve] threshold: expected a probability between 0 and 1, got ${threshold}`);
  }
  if (prevalence !== undefined) checkShare('decisionCurve', 'prevalence', prevalence);
  const { labels, scores } = data;
  return (weights) => {
    const totals = [0, 0];
    const called = [0, 0];
    for (let i = 0; i < labels.length; i++) {
      const weight = weights === undefined ? 1 : weights[i];
      totals[labels[i]] += weight;
      if (scores[i] >= threshold) called[labels[i]] += weight;
    }
    const samples = totals[0] + totals[1];
    const odds = threshold / (1 - threshold);
    if (prevalence === undefined) return { value: (called[1] - called[0] * odds) / samples };
    const missing = totals.indexOf(0);
    if (missing >= 0) return none(`no sample is of class ${missing}, whose share at another prevalence is asked for`);
    return { value: (called[1] / totals[1]) * prevalence - (called[0] / totals[0]) * (1 - prevalence) * odds };
  };
}
