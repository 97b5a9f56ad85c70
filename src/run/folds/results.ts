import { type MetricIntervals, metricIntervals, prepareMetric } from '../../statistics/index.js';
import { mean, standardDeviation } from '../../statistics/probabilityMetrics.js';
import { groupsOf, metricInput } from '../predictions/metricInput.js';
import type { Predictions } from '../predictions/predictions.js';

/** A metric of a cross-validation, on all held-out images together. */
export interface FoldMetric extends MetricIntervals {
  /** On the held-out images of each fold; null where a fold has none, such as an AUC of one class. */
  readonly folds: readonly (number | null)[];
  /** Mean and standard deviation over the folds that have a value; null below two of them. */
  readonly mean: number | null;
  readonly standardDeviation: number | null;
}

/**
 * Metrics of out-of-fold predictions: of all images, and the spread over the folds.
 *
 * @param predictions with `fold-3` as the split of each
 * @param decision as in `metricInput`
 */
export function foldMetrics(
  predictions: Predictions,
  decision: Parameters<typeof metricInput>[1],
  seed = 0,
): FoldMetric[] {
  const whole = metricInput(predictions, decision);
  const folds = [...new Set(predictions.splits)];
  return metricIntervals(whole, { groups: groupsOf(predictions), seed }).map((found) => {
    const prepared = prepareMetric(found.metric, whole);
    const values = folds.map((fold) => {
      const weights = Uint8Array.from(predictions.splits, (split) => Number(split === fold));
      return prepared(weights).value;
    });
    const defined = values.filter((value) => value !== null);
    return {
      ...found,
      folds: values,
      mean: defined.length < 2 ? null : mean(defined),
      standardDeviation: defined.length < 2 ? null : standardDeviation(defined),
    };
  });
}
