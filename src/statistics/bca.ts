import { normalCdf, normalQuantile } from './distributions.js';
import { type Interval, z95 } from './proportion.js';

/** An interval from resamples, and how it was computed. */
export type ResampledInterval =
  | { readonly interval: Interval; readonly method: 'bca' }
  | {
      readonly interval: Interval;
      readonly method: 'percentile';
      /** Why it is not the BCa interval. */
      readonly reason: string;
    }
  | { readonly interval: null; readonly method: null; readonly reason: string };

/**
 * The 95 % interval of a metric from its values on resamples: BCa, bias-corrected and accelerated (Efron, J
 * Am Stat Assoc 1987;82:171-185), with the acceleration from the jackknife (DiCiccio & Efron, Stat Sci
 * 1996;11:189-228). Where it cannot be computed the interval is that of the percentiles, with the reason.
 *
 * @param value the metric on the whole set
 * @param replicates its values on resamples, all defined
 * @param jackknife its values without each group; NaN where it has none
 */
export function bcaInterval(
  value: number,
  replicates: ArrayLike<number>,
  jackknife: ArrayLike<number>,
): ResampledInterval {
  const sorted = Float64Array.from(replicates).sort();
  if (sorted.length === 0) return { interval: null, method: null, reason: 'no resample has a value' };
  if (sorted[0] === sorted[sorted.length - 1]) {
    return {
      interval: null,
      method: null,
      reason: 'the value is the same on all resamples, so they say nothing of its spread',
    };
  }
  const between = (low: number, high: number): Interval => [quantile(sorted, low), quantile(sorted, high)];
  const percentile = (reason: string): ResampledInterval => {
    return { interval: between(0.025, 0.975), method: 'percentile', reason };
  };
  const bias = normalQuantile(shareBelow(sorted, value));
  if (!Number.isFinite(bias)) return percentile('all resamples are on one side of the value');
  const acceleration = accelerationOf(jackknife);
  if (acceleration === null) return percentile('without one of the groups the metric has no value');
  if (Number.isNaN(acceleration)) return percentile('without each single group the value stays the same');
  const shares = [-z95, z95].map((z) => {
    const scale = 1 - acceleration * (bias + z);
    return scale > 0 ? normalCdf(bias + (bias + z) / scale) : Number.NaN;
  });
  if (shares.some(Number.isNaN)) return percentile('the acceleration is too large');
  return { interval: between(shares[0], shares[1]), method: 'bca' };
}

/** Share of values below a value; equal ones count half. */
function shareBelow(sorted: Float64Array, value: number): number {
  let twice = 0;
  for (const replicate of sorted) twice += 1 - Math.sign(replicate - value);
  return twice / 2 / sorted.length;
}

/** Null if a value is missing; NaN if all are equal. */
function accelerationOf(jackknife: ArrayLike<number>): number | null {
  const values = Array.from(jackknife);
  if (values.some(Number.isNaN)) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    squares += (mean - value) ** 2;
    cubes += (mean - value) ** 3;
  }
  // Differences within rounding say nothing.
  const scale = Math.max(1e-300, Math.abs(mean)) * 1e-14;
  return squares <= values.length * scale ** 2 ? Number.NaN : cubes / (6 * squares ** 1.5);
}

/** The quantile by linear interpolation, NumPy's default. */
function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}
