import type { ClassCounts } from './confusion.js';
import { type Interval, z95 } from './proportion.js';
import { partsOfShare, reasonWithout } from './shares.js';
import { none } from './value.js';

/** A likelihood ratio with its 95 % confidence interval, or the reason why there is none. */
export type LikelihoodRatio =
  | {
      readonly value: number;
      /** Null if the ratio is 0, whose logarithm has no standard error. */
      readonly interval: Interval | null;
    }
  | { readonly value: null; readonly reason: string };

/** Factors by which a result of the test multiplies the odds of the class. */
export interface LikelihoodRatios {
  /** Sensitivity / (1 − specificity), from 0 on; 1 for a test that says nothing. */
  readonly positive: LikelihoodRatio;
  /** (1 − sensitivity) / specificity. */
  readonly negative: LikelihoodRatio;
}

/**
 * Positive and negative likelihood ratio of one class against the rest, with the intervals of Simel, Samsa
 * and Matchar (J Clin Epidemiol 1991;44:763-770), which take the logarithm as normally distributed.
 */
export function likelihoodRatios(counts: ClassCounts): LikelihoodRatios {
  const [, positives] = partsOfShare('sensitivity', counts);
  const [, negatives] = partsOfShare('specificity', counts);
  if (positives === 0 || negatives === 0) {
    const missing = none(reasonWithout[positives === 0 ? 'sensitivity' : 'specificity']);
    return { positive: missing, negative: missing };
  }
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = counts;
  return {
    positive: ratio(
      truePositives,
      positives,
      falsePositives,
      negatives,
      'no sample of another class is called the class',
    ),
    negative: ratio(
      falseNegatives,
      positives,
      trueNegatives,
      negatives,
      'every sample of another class is called the class',
    ),
  };
}

/** (a / m) / (b / n). */
function ratio(a: number, m: number, b: number, n: number, reason: string): LikelihoodRatio {
  if (b === 0) return none(reason);
  const value = a / m / (b / n);
  if (a === 0) return { value, interval: null };
  const half = z95 * Math.sqrt(1 / a - 1 / m + 1 / b - 1 / n);
  return { value, interval: [value * Math.exp(-half), value * Math.exp(half)] };
}
