import { type BinaryScores, checkBinaryScores, countPositives, sortByScore } from './binary.js';
import { type Interval, z95 } from './proportion.js';

/** The area under the ROC curve, or the reason why there is none. */
export type RocAuc =
  | {
      /**
       * From 0 to 1: the probability that a sample of class 1 scores higher than one of class 0. Ties count
       * half.
       */
      readonly value: number;
      /** DeLong's standard error; null if a class has only one sample. */
      readonly standardError: number | null;
      /** 95 % confidence interval. */
      readonly interval: Interval;
      /** The method of the interval. */
      readonly method: 'delong-logit' | 'newcombe';
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
 * The variance is computed in O(n log n) by midranks (Sun & Xu, IEEE Signal Processing Letters
 * 2014;21:1389-1393).
 *
 * @throws {ShapeError | InputError} if labels or scores are not valid {@link BinaryScores}
 */
export function rocAuc(data: BinaryScores): RocAuc {
  checkBinaryScores('rocAuc', data);
  const { labels } = data;
  const m = countPositives(data);
  const n = labels.length - m;
  if (m === 0 || n === 0) {
    return { value: null, reason: `all ${labels.length} samples are of class ${m === 0 ? 0 : 1}` };
  }
  const above = countLower(data);
  const value = above[1].reduce((total, x) => total + x, 0) / (m * n);
  if (m === 1 || n === 1) {
    return { value, standardError: null, interval: newcombeInterval(value, m, n), method: 'newcombe' };
  }
  const standardError = Math.sqrt(variance(above[1]) / n ** 2 / m + variance(above[0]) / m ** 2 / n);
  if (standardError === 0) {
    return { value, standardError, interval: newcombeInterval(value, m, n), method: 'newcombe' };
  }
  const logit = Math.log(value / (1 - value));
  const half = (z95 * standardError) / (value * (1 - value));
  return { value, standardError, interval: [logistic(logit - half), logistic(logit + half)], method: 'delong-logit' };
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

/** Unbiased variance of a sample. */
export function variance(values: readonly number[]): number {
  const mean = values.reduce((total, x) => total + x, 0) / values.length;
  return values.reduce((total, x) => total + (x - mean) ** 2, 0) / (values.length - 1);
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
