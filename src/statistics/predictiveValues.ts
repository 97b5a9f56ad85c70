import { record, requireValue } from '../check.js';
import { type Interval, type Proportion, z95 } from './proportion.js';
import { checkShare } from './share.js';
import { none } from './value.js';

/** Shares from 0 to 1; null where no sample is called positive, or negative. */
export interface PredictiveValues {
  readonly ppv: number | null;
  readonly npv: number | null;
}

/**
 * Predictive values in a population where `prevalence` is the share of the disease, by Bayes' theorem. The
 * sensitivity and specificity are assumed to be the same there.
 *
 * @throws {InputError} unless all three are from 0 to 1
 */
export function predictiveValues(at: {
  readonly sensitivity: number;
  readonly specificity: number;
  readonly prevalence: number;
}): PredictiveValues {
  requireValue('predictiveValues', 'values', at, record);
  for (const name of ['sensitivity', 'specificity', 'prevalence'] as const) {
    checkShare('predictiveValues', name, at[name]);
  }
  const { sensitivity, specificity, prevalence } = at;
  const truePositives = sensitivity * prevalence;
  const falsePositives = (1 - specificity) * (1 - prevalence);
  const trueNegatives = specificity * (1 - prevalence);
  const falseNegatives = (1 - sensitivity) * prevalence;
  const share = (part: number, rest: number) => (part + rest === 0 ? null : part / (part + rest));
  return { ppv: share(truePositives, falsePositives), npv: share(trueNegatives, falseNegatives) };
}

/** A predictive value at some prevalence with its 95 % interval, or the reason why there is none. */
export type PredictiveValue =
  | {
      readonly value: number;
      /**
       * Null where sensitivity or specificity is 0 or 1, or the prevalence is: the formula has no variance
       * there.
       */
      readonly interval: Interval | null;
    }
  | { readonly value: null; readonly reason: string };

/**
 * Predictive values at another prevalence than that of the set, with intervals on the logit scale (Mercaldo,
 * Lau & Zhou, Stat Med 2007;26:2170-2183).
 *
 * @param measured sensitivity and specificity with their counts, as from `thresholdMetrics` or
 *   `classMetrics`
 * @throws {InputError} unless the prevalence is from 0 to 1
 */
export function predictiveValuesAt(
  measured: { readonly sensitivity: Proportion; readonly specificity: Proportion },
  prevalence: number,
): { readonly ppv: PredictiveValue; readonly npv: PredictiveValue } {
  checkShare('predictiveValuesAt', 'prevalence', prevalence);
  const { sensitivity, specificity } = measured;
  if (sensitivity.value === null || specificity.value === null) {
    const missing = none(`there is no ${sensitivity.value === null ? 'sensitivity' : 'specificity'}`);
    return { ppv: missing, npv: missing };
  }
  const { ppv, npv } = predictiveValues({
    sensitivity: sensitivity.value,
    specificity: specificity.value,
    prevalence,
  });
  const odds = ({ value }: Proportion) => (value ?? 0) / (1 - (value ?? 0));
  const ppvVariance = 1 / odds(sensitivity) / sensitivity.total + odds(specificity) / specificity.total;
  const npvVariance = odds(sensitivity) / sensitivity.total + 1 / odds(specificity) / specificity.total;
  return {
    ppv: withInterval(ppv, ppvVariance, 'no sample would be called positive'),
    npv: withInterval(npv, npvVariance, 'no sample would be called negative'),
  };
}

function withInterval(value: number | null, variance: number, reason: string): PredictiveValue {
  if (value === null) return none(reason);
  if (!Number.isFinite(variance) || value === 0 || value === 1) return { value, interval: null };
  const half = z95 * Math.sqrt(variance);
  const logit = Math.log(value / (1 - value));
  const logistic = (x: number) => 1 / (1 + Math.exp(-x));
  return { value, interval: [logistic(logit - half), logistic(logit + half)] };
}
