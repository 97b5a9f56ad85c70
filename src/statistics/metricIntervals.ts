import { type Bootstrap, bootstrapAll } from './bootstrap.js';
import { type MetricInput, type MetricName, prepareMetric } from './namedMetrics.js';

/** A metric with its 95 % intervals. */
export interface MetricIntervals {
  readonly metric: MetricName;
  /** By resampling samples. */
  readonly byImage: Bootstrap;
  /** By resampling groups, such as patients; null without groups. */
  readonly byGroup: Bootstrap | null;
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
 * The usual metrics of two or of more classes, each with the {@link bootstrap} interval of samples and of
 * groups. 10,000 samples of ten classes take half a minute.
 *
 * @param options groups of all samples, such as patients (default: none), and the seed of the resamples
 *   (default 0)
 * @throws as {@link prepareMetric} and {@link bootstrap}
 */
export function metricIntervals(
  input: MetricInput,
  options: { readonly groups?: readonly string[] | undefined; readonly seed?: number } = {},
): MetricIntervals[] {
  const { groups, seed = 0 } = options;
  const names: readonly MetricName[] = input.classes === 2 ? ofTwo : ofMore;
  const prepared = names.map((name) => prepareMetric(name, input));
  const samples = input.labels.length;
  const byImage = bootstrapAll(prepared, { samples, seed });
  const byGroup = groups === undefined ? null : bootstrapAll(prepared, { samples, groups, seed });
  return names.map((metric, m) => ({ metric, byImage: byImage[m], byGroup: byGroup === null ? null : byGroup[m] }));
}
