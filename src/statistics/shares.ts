import type { ClassCounts } from './confusion.js';
import { type MetricValue, quotient } from './value.js';

/** Names of the shares that follow from the counts of one class against the rest. */
export type ShareName = 'sensitivity' | 'specificity' | 'ppv' | 'npv';

/** Numerator and denominator of each share. */
export function partsOfShare(name: ShareName, counts: ClassCounts): [hits: number, total: number] {
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = counts;
  switch (name) {
    case 'sensitivity':
      return [truePositives, truePositives + falseNegatives];
    case 'specificity':
      return [trueNegatives, trueNegatives + falsePositives];
    case 'ppv':
      return [truePositives, truePositives + falsePositives];
    case 'npv':
      return [trueNegatives, trueNegatives + falseNegatives];
  }
}

/** Why a share has no value: it has no samples to count. */
export const reasonWithout: Readonly<Record<ShareName, string>> = {
  sensitivity: 'no sample is of the class',
  specificity: 'no sample is of another class',
  ppv: 'no sample is called the class',
  npv: 'no sample is called another class',
};

export function shareOf(name: ShareName, counts: ClassCounts): MetricValue {
  return quotient(...partsOfShare(name, counts), reasonWithout[name]);
}

/** Harmonic mean of sensitivity and PPV: 2 TP / (2 TP + FP + FN) (van Rijsbergen 1979). */
export function f1Of({ truePositives, falsePositives, falseNegatives }: ClassCounts): MetricValue {
  const total = 2 * truePositives + falsePositives + falseNegatives;
  return quotient(2 * truePositives, total, 'no sample is of the class or called the class');
}
