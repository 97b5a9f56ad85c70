import { type AucOptions, areaVariance, countLower } from './auc.js';
import { type BinaryScores, checkBinaryScores, countPositives } from './binary.js';
import { twoSidedP } from './distributions.js';
import { type Interval, z95 } from './proportion.js';
import { groupNumbers } from './resample.js';
import { none } from './value.js';

/**
 * The difference of two areas under ROC curves of the same samples, or the reason why there is no test of
 * it.
 */
export type PairedAuc =
  | {
      /** The first area minus the second one. */
      readonly value: number;
      readonly areas: readonly [a: number, b: number];
      readonly standardError: number;
      /** 95 % confidence interval of the difference. */
      readonly interval: Interval;
      readonly z: number;
      /** Two-sided. */
      readonly pValue: number;
    }
  | { readonly value: null; readonly reason: string };

/**
 * Compares the areas under the ROC curves of two classifiers on the same samples, after DeLong, DeLong and
 * Clarke-Pearson (Biometrics 1988;44:837-845), as pROC's `roc.test(paired = TRUE, method = "delong")`. With
 * groups, such as patients with several samples, the variance is that of clustered data (Obuchowski,
 * Biometrics 1997;53:567-578).
 *
 * @param b scores of the second classifier for the samples of `a`, in the same order
 * @throws {ShapeError | InputError} if labels or scores are not valid {@link BinaryScores}, or groups are
 *   missing
 */
export function compareAucs(a: BinaryScores, b: BinaryScores['scores'], { groups }: AucOptions = {}): PairedAuc {
  checkBinaryScores('compareAucs', a);
  checkBinaryScores('compareAucs', { labels: a.labels, scores: b });
  const numbers = groups === undefined ? undefined : groupNumbers('compareAucs', { samples: a.labels.length, groups });
  const m = countPositives(a);
  const n = a.labels.length - m;
  if (m < 2 || n < 2) return none(`the test needs two samples of each class, got ${n} of class 0 and ${m} of class 1`);
  const [negativesA, positivesA] = countLower(a);
  const [negativesB, positivesB] = countLower({ labels: a.labels, scores: b });
  const areaOf = (lower: readonly number[]) => lower.reduce((sum, count) => sum + count, 0) / m / n;
  const areas = [areaOf(positivesA), areaOf(positivesB)] as const;
  const differences = (first: readonly number[], second: readonly number[]) =>
    first.map((count, i) => count - second[i]);
  const { variance, units } = areaVariance(
    a,
    [differences(negativesA, negativesB), differences(positivesA, positivesB)],
    numbers?.groupOf,
  );
  if (variance === null) {
    return none(`the test needs two groups with each class, got ${units[0]} with class 0 and ${units[1]} with class 1`);
  }
  if (variance === 0) {
    return none('the difference has no variance: both put the samples into the same order, or separate the classes');
  }
  const standardError = Math.sqrt(variance);
  const value = areas[0] - areas[1];
  const half = z95 * standardError;
  const z = value / standardError;
  return { value, areas, standardError, interval: [value - half, value + half], z, pValue: twoSidedP(z) };
}
