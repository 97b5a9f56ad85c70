import { InputError, ShapeError } from '../errors.js';
import { RandomGenerator } from '../random.js';
import type { WeightedMetric } from './value.js';

export interface ResampleOptions {
  /** The number of samples. */
  readonly samples: number;
  /**
   * The group of each sample, for instance the patient: whole groups are resampled. Default: every sample is
   * a group of its own.
   */
  readonly groups?: ArrayLike<string | number> | undefined;
  /** The number of resamples, 100 or more. Default: 2000. */
  readonly resamples?: number | undefined;
  /** The same seed gives the same resamples. Default: 0. */
  readonly seed?: number | undefined;
}

/** Values of a metric on the whole set, on resamples, and without one group each. NaN where it has none. */
export interface Replicates {
  readonly value: number;
  /** Why there is no value on the whole set. */
  readonly reason?: string;
  readonly replicates: Float64Array;
  readonly jackknife: Float64Array;
}

/** The number of each sample's group, from 0 in the order of first samples, and how many there are. */
export function groupNumbers(
  where: string,
  { samples, groups }: ResampleOptions,
): { groupOf: Uint32Array; count: number } {
  if (!Number.isInteger(samples) || samples < 1) {
    throw new InputError(`[${where}] samples: expected at least one, got ${samples}`);
  }
  if (groups === undefined) return { groupOf: Uint32Array.from({ length: samples }, (_, i) => i), count: samples };
  if (groups.length !== samples) {
    throw new ShapeError(`[${where}] groups: expected one for each of ${samples} samples, got ${groups.length}`);
  }
  const numbers = new Map<string | number, number>();
  const groupOf = Uint32Array.from({ length: samples }, (_, i) => {
    const group = groups[i];
    if (group === undefined || group === null || group === '' || Number.isNaN(group)) {
      throw new InputError(`[${where}] groups: expected one for each sample, got none for sample ${i}`);
    }
    const number = numbers.get(group) ?? numbers.size;
    numbers.set(group, number);
    return number;
  });
  return { groupOf, count: numbers.size };
}

/**
 * Computes metrics on the same resamples: as many groups as there are, taken at random with replacement (the
 * cluster bootstrap; Field & Welsh, J R Stat Soc B 2007;69:369-390), and on the set without each group (the
 * jackknife by group).
 *
 * @throws {ShapeError | InputError} if groups are missing, or the number of resamples is below 100
 */
export function resample(where: string, metrics: readonly WeightedMetric[], options: ResampleOptions): Replicates[] {
  const { resamples = 2000, seed = 0 } = options;
  if (!Number.isInteger(resamples) || resamples < 100) {
    throw new InputError(`[${where}] resamples: expected a whole number of at least 100, got ${resamples}`);
  }
  const { groupOf, count } = groupNumbers(where, options);
  const generator = new RandomGenerator(seed);
  const weights = new Float64Array(groupOf.length);
  const replicates = metrics.map(() => new Float64Array(resamples));
  const jackknife = metrics.map(() => new Float64Array(count));
  const times = new Uint32Array(count);
  const weigh = (column: number, into: readonly Float64Array[]) => {
    for (let i = 0; i < groupOf.length; i++) weights[i] = times[groupOf[i]];
    metrics.forEach((metric, m) => {
      into[m][column] = metric(weights).value ?? Number.NaN;
    });
  };
  for (let r = 0; r < resamples; r++) {
    times.fill(0);
    for (let k = 0; k < count; k++) times[generator.int(count)]++;
    weigh(r, replicates);
  }
  // With a single group, nothing would be left.
  for (let left = 0; left < count && count > 1; left++) {
    times.fill(1);
    times[left] = 0;
    weigh(left, jackknife);
  }
  return metrics.map((metric, m) => {
    const whole = metric();
    const found = { replicates: replicates[m], jackknife: jackknife[m] };
    return whole.value === null
      ? { value: Number.NaN, reason: whole.reason, ...found }
      : { value: whole.value, ...found };
  });
}
