import type { RandomGenerator } from '../random.js';
import { choicesOf, type Parameter, placeOf, type Values } from './space.js';

/** How much a parameter alone explains of the order of the trials. */
export interface Importance {
  readonly key: string;
  /** Share of the variance of the trials' ranks; null with too few trials. */
  readonly share: number | null;
  /** Its 95 % interval by resampling trials; null with too few. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Number of trials that have the parameter. */
  readonly trials: number;
}

const resamples = 400;
/** Fewer trials say nothing about a curve with three numbers. */
const fewestTrials = 10;

/**
 * The share of the variance of the trials' ranks that a parabola over each parameter explains, or the mean
 * of each choice. It is adjusted for their freedom, so that a parameter without effect has about 0. Ranks
 * make it independent of the metric's scale and of trials that diverged.
 *
 * @param trials values with their cost; smaller is better
 */
export function importances(
  parameters: readonly Parameter[],
  trials: readonly { readonly values: Values; readonly cost: number }[],
  generator: RandomGenerator,
): Importance[] {
  return parameters.map(({ key, range }) => {
    const own = trials.filter(({ values }) => Object.hasOwn(values, key));
    const choices = choicesOf(range);
    const points = own.map(({ values, cost }) => ({ x: placeOf(range, values[key]), cost }));
    const freedom = choices > 0 ? choices - 1 : 2;
    if (own.length < Math.max(fewestTrials, 3 * (freedom + 1)))
      return { key, share: null, interval: null, trials: own.length };
    const share = shareOf(points, choices);
    const repeated: number[] = [];
    for (let i = 0; i < resamples; i++) {
      const sample = points.map(() => points[generator.int(points.length)]);
      const found = shareOf(sample, choices);
      if (!Number.isNaN(found)) repeated.push(found);
    }
    repeated.sort((a, b) => a - b);
    const at = (place: number) => repeated[Math.min(repeated.length - 1, Math.floor(place * repeated.length))];
    return { key, share, interval: [at(0.025), at(0.975)] as const, trials: own.length };
  });
}

function shareOf(points: readonly { readonly x: number; readonly cost: number }[], choices: number): number {
  const ranks = ranksOf(points.map(({ cost }) => cost));
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
  const total = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  if (total === 0) return 0;
  const columns = points.map(({ x }) =>
    choices > 0 ? Array.from({ length: choices - 1 }, (_, c) => (x === c ? 1 : 0)) : [x - 0.5, (x - 0.5) ** 2],
  );
  const { left, rank } = residual(columns, ranks);
  const n = points.length;
  if (n <= rank + 1) return 0;
  return Math.max(0, 1 - (left / total) * ((n - 1) / (n - rank - 1)));
}

/** Ranks from 1; equal values share theirs. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b] || 0);
  const ranks = new Array<number>(values.length);
  for (let begin = 0; begin < order.length; ) {
    let end = begin + 1;
    while (end < order.length && values[order[end]] === values[order[begin]]) end++;
    for (let k = begin; k < end; k++) ranks[order[k]] = (begin + end + 1) / 2;
    begin = end;
  }
  return ranks;
}

/**
 * Sum of squares that columns and a constant leave of some values, by Gram and Schmidt; and the number of
 * columns in use.
 */
function residual(columns: readonly (readonly number[])[], values: readonly number[]): { left: number; rank: number } {
  const n = values.length;
  const basis: number[][] = [new Array<number>(n).fill(1 / Math.sqrt(n))];
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  for (let c = 0; c < columns[0].length; c++) {
    let column = columns.map((row) => row[c]);
    for (const one of basis) {
      const part = dot(column, one);
      column = column.map((x, i) => x - part * one[i]);
    }
    const length = Math.sqrt(dot(column, column));
    if (length > 1e-8) basis.push(column.map((x) => x / length));
  }
  let rest = [...values];
  for (const one of basis) {
    const part = dot(rest, one);
    rest = rest.map((x, i) => x - part * one[i]);
  }
  return { left: dot(rest, rest), rank: basis.length - 1 };
}
