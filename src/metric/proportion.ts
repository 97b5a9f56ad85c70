import { InputError } from '../errors.js';

export type Interval = readonly [low: number, high: number];

/** A share that was counted, with its confidence interval. */
export interface Proportion {
  readonly hits: number;
  readonly total: number;
  /** `hits / total`, from 0 to 1; null if there was nothing to count. */
  readonly value: number | null;
  /** 95 % confidence interval after Wilson; null if there was nothing to count. */
  readonly interval: Interval | null;
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
  if (!(total > 0 && hits >= 0 && hits <= total)) {
    throw new InputError(`[wilsonInterval] counts: expected hits from 0 to a total above 0, got ${hits} of ${total}`);
  }
  const share = hits / total;
  const scale = 1 + z95 ** 2 / total;
  const center = (share + z95 ** 2 / (2 * total)) / scale;
  const half = (z95 / scale) * Math.sqrt((share * (1 - share)) / total + z95 ** 2 / (4 * total ** 2));
  // At the ends the formula gives 0 and 1, except for rounding errors.
  return [hits === 0 ? 0 : center - half, hits === total ? 1 : center + half];
}

export function proportion(hits: number, total: number): Proportion {
  if (total === 0) return { hits, total, value: null, interval: null };
  return { hits, total, value: hits / total, interval: wilsonInterval(hits, total) };
}
