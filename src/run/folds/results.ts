import { type Bootstrap, bootstrapAll, type MetricName, prepareMetric } from '../../statistics/index.js';
import { mean, standardDeviation } from '../../statistics/probabilityMetrics.js';
import { groupsOf, metricInput } from '../predictions/metricInput.js';
import type { Predictions } from '../predictions/predictions.js';

/** A metric of a cross-validation. */
export interface FoldMetric {
  readonly metric: MetricName;
  /** On all held-out images together, with its interval by resampling images. */
  readonly byImage: Bootstrap;
  /** The same by resampling groups, such as patients; null without groups. */
  readonly byGroup: Bootstrap | null;
  /** On the held-out images of each fold; null where a fold has none, such as an AUC of one class. */
  readonly folds: readonly (number | null)[];
  /** Mean and standard deviation over the folds that have a value; null below two of them. */
  readonly mean: number | null;
  readonly standardDeviation: number | null;
}

const ofTwo = [
  ...(['accuracy', 'balancedAccuracy', 'auc', 'sensitivity', 'specificity'] as const),
  ...(['ppv', 'npv', 'matthews', 'brierScore'] as const),
] satisfies MetricName[];
const ofMore = [
  ...(['accuracy', 'balancedAccuracy', 'auc', 'f1', 'kappa'] as const),
  ...(['quadraticKappa', 'matthews', 'logLoss'] as const),
] satisfies MetricName[];

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
  const names: readonly MetricName[] = predictions.classNames.length === 2 ? ofTwo : ofMore;
  const whole = metricInput(predictions, decision);
  const samples = predictions.labels.length;
  const prepared = names.map((name) => prepareMetric(name, whole));
  const byImage = bootstrapAll(prepared, { samples, seed });
  const groups = groupsOf(predictions);
  const byGroup = groups === undefined ? null : bootstrapAll(prepared, { samples, groups, seed });
  const folds = [...new Set(predictions.splits)];
  return names.map((metric, m) => {
    const values = folds.map((fold) => {
      const weights = Uint8Array.from(predictions.splits, (split) => Number(split === fold));
      return prepared[m](weights).value;
    });
    const defined = values.filter((value) => value !== null);
    return {
      metric,
      byImage: byImage[m],
      byGroup: byGroup === null ? null : byGroup[m],
      folds: values,
      mean: defined.length < 2 ? null : mean(defined),
      standardDeviation: defined.length < 2 ? null : standardDeviation(defined),
    };
  });
}
