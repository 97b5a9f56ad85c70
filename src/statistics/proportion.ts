import { shown } from '../check.js';
import { InputError } from '../errors.js';
import { betaCdf, shareWhere } from './distributions.js';

export type Interval = readonly [low: number, high: number];

/** A share that was counted, with its confidence interval. */
export interface Proportion {
  readonly hits: number;
  readonly total: number;
  /** `hits / total`, from 0 to 1; null if there was nothing to count. */
  readonly value: number | null;
  /** 95 % confidence interval after Wilson; null if there was nothing to count. */
  readonly interval: Interval | null;
  /** Why there was nothing to count; only where the value is null. */
  readonly reason?: string;
}

/** The 97.5 % quantile of the normal distribution: two-sided intervals of 95 %. */
export const z95 = 1.959963984540054;

/**
 * The 95 % confidence interval of a share, `hits` out of `total`, after Wilson (1927). It stays within 0 and
 * 1, and is valid for few trials and for shares near 0 and 1.
 *
 * @throws {InputError} unless `total` is at least 1 and `hits` from 0 to `total`
 */
export function wilsonInterval(hits: number, total: number): Interval {
  checkCounts('wilsonInterval', hits, total);
  const share = hits / total;
  const scale = 1 + z95 ** 2 / total;
  const center = (share + z95 ** 2 / (2 * total)) / scale;
  const half = (z95 / scale) * Math.sqrt((share * (1 - share)) / total + z95 ** 2 / (4 * total ** 2));
  // At the ends the formula gives 0 and 1, except for rounding errors.
  return [hits === 0 ? 0 : center - half, hits === total ? 1 : center + half];
}

/**
 * The 95 % confidence interval of a share after Clopper and Pearson (Biometrika 1934;26:404-413), the exact
 * one: it covers at least 95 % for any share, and is wider than Wilson's. Studies for regulators often ask
 * for it.
 *
 * @throws {InputError} unless `total` is at least 1 and `hits` from 0 to `total`
 */
export function clopperPearsonInterval(hits: number, total: number): Interval {
  checkCounts('clopperPearsonInterval', hits, total);
  const misses = total - hits;
  const low = hits === 0 ? 0 : shareWhere((share) => betaCdf(share, hits, misses + 1), 0.025);
  const high = misses === 0 ? 1 : shareWhere((share) => betaCdf(share, hits + 1, misses), 0.975);
  return [low, high];
}

function checkCounts(where: string, hits: number, total: number): void {
  if (Number.isFinite(total) && Number.isFinite(hits) && total > 0 && hits >= 0 && hits <= total) return;
  const got = `${shown(hits)} of ${shown(total)}`;
  throw new InputError(`[${where}] counts: expected hits from 0 to a total above 0, got ${got}`);
}

/** A share with Wilson's interval; none if there is nothing to count. */
export function proportion(hits: number, total: number, reason = 'there are no samples to count'): Proportion {
  if (total === 0) return { hits, total, value: null, interval: null, reason };
  return { hits, total, value: hits / total, interval: wilsonInterval(hits, total) };
}
