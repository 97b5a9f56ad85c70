import { InputError, ShapeError } from '../errors.js';
import { betaCdf, twoSidedP } from './distributions.js';
import { checkClasses } from './predictions.js';

/** Samples that two classifiers call differently, and the tests of whether both are right equally often. */
export interface McNemar {
  /** Samples that only the first classifier calls their true class. */
  readonly onlyA: number;
  /** Samples that only the second classifier calls their true class. */
  readonly onlyB: number;
  readonly both: number;
  readonly neither: number;
  /**
   * Two-sided p-value of the exact test, the binomial one; 1 if the classifiers are right on the same
   * samples.
   */
  readonly exact: number;
  /** (|a − b| − 1)² / (a + b), chi-squared with one degree of freedom (Edwards 1948); null if a + b is 0. */
  readonly statistic: number | null;
  /** p-value of the statistic with continuity correction. */
  readonly corrected: number | null;
}

/**
 * McNemar's test of two classifiers on the same samples (Psychometrika 1947;12:153-157). It takes samples as
 * independent: with several samples of one patient, use `compareModels` with groups instead.
 *
 * @throws {ShapeError | InputError} without samples, or if the arrays have different lengths or hold no
 *   classes
 */
export function mcnemar(data: {
  readonly labels: ArrayLike<number>;
  readonly a: ArrayLike<number>;
  readonly b: ArrayLike<number>;
}): McNemar {
  const { labels, a, b } = data;
  if (labels.length === 0) throw new InputError('[mcnemar] labels: expected at least one sample, got none');
  for (const [name, values] of Object.entries({ a, b })) {
    if (values.length === labels.length) continue;
    throw new ShapeError(
      `[mcnemar] ${name}: expected ${labels.length} classes, one for each label, got ${values.length}`,
    );
  }
  for (const [name, values] of Object.entries({ label: labels, a, b })) {
    checkClasses('mcnemar', name, values, Number.MAX_SAFE_INTEGER);
  }
  const counts = { onlyA: 0, onlyB: 0, both: 0, neither: 0 };
  for (let i = 0; i < labels.length; i++) {
    const [rightA, rightB] = [a[i] === labels[i], b[i] === labels[i]];
    if (rightA) counts[rightB ? 'both' : 'onlyA']++;
    else counts[rightB ? 'onlyB' : 'neither']++;
  }
  return { ...counts, ...mcnemarOfCounts(counts.onlyA, counts.onlyB) };
}

/** The tests of two counts of discordant samples. */
export function mcnemarOfCounts(a: number, b: number): Pick<McNemar, 'exact' | 'statistic' | 'corrected'> {
  if (a + b === 0) return { exact: 1, statistic: null, corrected: null };
  const [least, most] = [Math.min(a, b), Math.max(a, b)];
  const exact = Math.min(1, 2 * betaCdf(0.5, most, least + 1));
  const statistic = (Math.abs(a - b) - 1) ** 2 / (a + b);
  return { exact, statistic, corrected: twoSidedP(Math.sqrt(statistic)) };
}
