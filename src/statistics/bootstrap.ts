import { bcaInterval, type ResampledInterval } from './bca.js';
import { groupNumbers, type Replicates, type ResampleOptions, resample } from './resample.js';
import type { WeightedMetric } from './value.js';

/** A metric with its bootstrap interval, or the reasons why there is no value or no interval. */
export type Bootstrap = ResampledInterval & {
  /** The metric on the whole set; null if it has none. */
  readonly value: number | null;
  readonly resamples: number;
  /** Resamples on which the metric has no value. They are left out. */
  readonly undefinedResamples: number;
  /** Groups that were resampled: samples if there are no groups. */
  readonly groups: number;
};

/** With more resamples without a value than this share, those with a value say too little. */
const maxUndefined = 0.1;

/**
 * The 95 % confidence interval of any metric by resampling groups: BCa with the jackknife by group, or
 * percentiles where BCa cannot be computed, which the result says.
 *
 * Give the patient as group where patients have several samples: resampling single samples then gives
 * intervals that are too short. With fewer than about 30 groups every bootstrap interval is too short.
 *
 * @param metric from `prepareMetric`, or a function of weights of your own
 * @throws {ShapeError | InputError} if groups are missing, or the number of resamples is below 100
 */
export function bootstrap(metric: WeightedMetric, options: ResampleOptions): Bootstrap {
  return bootstrapAll([metric], options)[0];
}

/**
 * {@link bootstrap} of several metrics of the same samples on the same resamples, in less time than one by
 * one.
 *
 * @throws as {@link bootstrap}
 */
export function bootstrapAll(metrics: readonly WeightedMetric[], options: ResampleOptions): Bootstrap[] {
  const { count } = groupNumbers('bootstrap', options);
  return resample('bootstrap', metrics, options).map((found) => intervalOf(found, count));
}

/** The interval from values on resamples. */
export function intervalOf(found: Replicates, groups: number): Bootstrap {
  const { value, reason, replicates, jackknife } = found;
  const defined = replicates.filter((replicate) => !Number.isNaN(replicate));
  const undefinedResamples = replicates.length - defined.length;
  const facts = { resamples: replicates.length, undefinedResamples, groups };
  const without = (why: string) => ({ interval: null, method: null, reason: why }) as const;
  if (reason !== undefined) return { value: null, ...without(reason), ...facts };
  if (groups < 2) return { value, ...without('a single group has nothing to resample'), ...facts };
  if (undefinedResamples > maxUndefined * replicates.length) {
    const share = Math.round((100 * undefinedResamples) / replicates.length);
    return { value, ...without(`the metric has no value on ${share} % of the resamples`), ...facts };
  }
  return { value, ...bcaInterval(value, defined, jackknife), ...facts };
}
