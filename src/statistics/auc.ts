import { type BinaryScores, checkBinaryScores, countPositives, sortByScore } from './binary.js';
import { type Interval, z95 } from './proportion.js';
import { groupNumbers } from './resample.js';

export interface AucOptions {
  /**
   * The group of each sample, for instance the patient: standard error and interval then allow for samples of
   * a group that resemble each other. Default: every sample is independent.
   */
  readonly groups?: ArrayLike<string | number> | undefined;
}

/** The area under the ROC curve, or the reason why there is none. */
export type RocAuc =
  | {
      /**
       * From 0 to 1: the probability that a sample of class 1 scores higher than one of class 0. Ties count
       * half.
       */
      readonly value: number;
      /** DeLong's standard error, or Obuchowski's of groups; null if only one sample or group has a class. */
      readonly standardError: number | null;
      /** 95 % confidence interval. */
      readonly interval: Interval;
      /** The method of the interval. */
      readonly method: 'delong-logit' | 'obuchowski-logit' | 'newcombe';
    }
  | { readonly value: null; readonly reason: string };

/**
 * Area under the ROC curve, the Mann-Whitney statistic, with DeLong's standard error.
 *
 * The interval is DeLong's on the logit scale (Pepe 2003). It stays within 0 and 1, and has better coverage
 * near 1 than the plain one. DeLong's variance is zero if, for example, the scores separate the classes
 * completely: the interval would then be a single point. If a class has a single sample, there is no such
 * variance. In both cases the interval is Newcombe's score interval (Statistics in Medicine 2006;25:559-573,
 * method 5), which depends only on the area and the numbers of samples.
 *
 * With groups, the variance is that of clustered data (Obuchowski, Biometrics 1997;53:567-578), which is
 * DeLong's if every sample is a group of its own. Newcombe's interval then takes the numbers of groups that
 * have samples of each class.
 *
 * The variance is computed in O(n log n) by midranks (Sun & Xu, IEEE Signal Processing Letters
 * 2014;21:1389-1393).
 *
 * @throws {ShapeError | InputError} if labels or scores are not valid {@link BinaryScores}, or groups are
 *   missing
 */
export function rocAuc(data: BinaryScores, { groups }: AucOptions = {}): RocAuc {
  checkBinaryScores('rocAuc', data);
  const numbers = groups === undefined ? undefined : groupNumbers('rocAuc', { samples: data.labels.length, groups });
  const { labels } = data;
  const m = countPositives(data);
  const n = labels.length - m;
  if (m === 0 || n === 0) {
    return { value: null, reason: `all ${labels.length} samples are of class ${m === 0 ? 0 : 1}` };
  }
  const above = countLower(data);
  const value = above[1].reduce((total, x) => total + x, 0) / (m * n);
  const spread = areaVariance(data, above, numbers?.groupOf);
  const method = numbers === undefined ? 'delong-logit' : 'obuchowski-logit';
  const standardError = spread.variance === null ? null : Math.sqrt(spread.variance);
  if (standardError === null || standardError === 0) {
    return {
      value,
      standardError,
      interval: newcombeInterval(value, spread.units[1], spread.units[0]),
      method: 'newcombe',
    };
  }
  const logit = Math.log(value / (1 - value));
  const half = (z95 * standardError) / (value * (1 - value));
  return { value, standardError, interval: [logistic(logit - half), logistic(logit + half)], method };
}

/**
 * For each sample the number of samples of the other class that score lower; ties count half. The samples of
 * class 0 come first, then those of class 1, both in the order of the set. Divided by the size of the other
 * class, they are DeLong's structural components (one minus them for class 0).
 */
export function countLower({ labels, scores }: BinaryScores): [class0: number[], class1: number[]] {
  const split = (label: number) => scores.filter((_, i) => labels[i] === label);
  const ranks = midranks(scores);
  const ranksWithin = [midranks(split(0)), midranks(split(1))];
  const lower: [number[], number[]] = [[], []];
  labels.forEach((label, i) => {
    const own = lower[label];
    own.push(ranks[i] - ranksWithin[label][own.length]);
  });
  return lower;
}

/** Ranks from 1, the lowest score first; equal scores share the mean of theirs. */
function midranks(scores: BinaryScores['scores']): Float64Array {
  const order = sortByScore(scores).reverse();
  const ranks = new Float64Array(scores.length);
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && scores[order[end]] === scores[order[start]]) end++;
    for (let i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2;
  }
  return ranks;
}

/** The variance of an area, or of a difference of areas; null if a class has too few independent samples. */
export interface AreaVariance {
  readonly variance: number | null;
  /** Samples of each class, or groups that have samples of it. */
  readonly units: readonly [class0: number, class1: number];
}

/**
 * The variance of an area from the counts of {@link countLower}, or of the difference of two areas from the
 * differences of their counts: DeLong's, or Obuchowski's of groups.
 */
export function areaVariance(
  { labels }: Pick<BinaryScores, 'labels'>,
  lower: readonly [class0: readonly number[], class1: readonly number[]],
  groupOf?: Uint32Array,
): AreaVariance {
  const sizes = [lower[0].length, lower[1].length] as const;
  const means = lower.map((counts) => counts.reduce((total, x) => total + x, 0) / counts.length);
  // Distance of the count of a sample from the mean of its class; of a group, the sum over its samples.
  const apart = [new Map<number, number>(), new Map<number, number>()] as const;
  const places = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    const unit = groupOf?.[i] ?? i;
    apart[label].set(unit, (apart[label].get(unit) ?? 0) + lower[label][places[label]++] - means[label]);
  }
  const units = [apart[0].size, apart[1].size] as const;
  if (units[0] < 2 || units[1] < 2) return { variance: null, units };
  const scale = sizes[0] * sizes[1];
  const own = [0, 1].map((label) => {
    let squares = 0;
    for (const distance of apart[label].values()) squares += (distance / scale) ** 2;
    return (squares * units[label]) / (units[label] - 1);
  });
  // A group with both classes: its counts are of samples that score lower, which is good for class 1 alone.
  let shared = 0;
  for (const [unit, distance] of apart[1]) shared -= (distance / scale) * ((apart[0].get(unit) ?? 0) / scale);
  const all = new Set([...apart[0].keys(), ...apart[1].keys()]).size;
  return { variance: Math.max(0, own[0] + own[1] + (2 * shared * all) / (all - 1)), units };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * The two areas that are 1.96 of their standard errors away from the area found. Their variance depends only
 * on the area and the numbers of samples.
 */
function newcombeInterval(found: number, m: number, n: number): Interval {
  const pairs = (m + n) / 2 - 1;
  const isWithin = (area: number) => {
    const spread = 1 + (pairs * (1 - area)) / (2 - area) + (pairs * area) / (1 + area);
    return (found - area) ** 2 <= (z95 ** 2 * area * (1 - area) * spread) / (m * n);
  };
  const bound = (end: number) => {
    let outside = end;
    let inside = found;
    for (let i = 0; i < 60; i++) {
      const middle = (outside + inside) / 2;
      if (isWithin(middle)) inside = middle;
      else outside = middle;
    }
    return inside;
  };
  return [found === 0 ? 0 : bound(0), found === 1 ? 1 : bound(1)];
}
