import { none } from '../value.js';
import { fitLogistic } from './logistic.js';

/** The probability of class 1 becomes sigmoid(intercept + slope · log-odds). */
export interface PlattScaling {
  readonly method: 'platt';
  readonly slope: number;
  readonly intercept: number;
}

/**
 * Platt's scaling (Advances in Large Margin Classifiers, 1999): a logistic regression on the log-odds with
 * targets that are a little inside of 0 and 1, so that it always has an end (Lin, Lin & Weng, Mach Learn
 * 2007;68:267-276).
 */
export function plattOf(labels: ArrayLike<number>, logOdds: Float64Array): PlattScaling | ReturnType<typeof none> {
  const samples = labels.length;
  let positives = 0;
  for (let i = 0; i < samples; i++) positives += labels[i];
  if (positives === 0 || positives === samples) return none(`all samples are of class ${positives === 0 ? 0 : 1}`);
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (samples - positives + 2)];
  const fitted = fitLogistic(
    logOdds,
    Float64Array.from({ length: samples }, (_, i) => (labels[i] === 1 ? high : low)),
  );
  if ('reason' in fitted) return fitted;
  return { method: 'platt', slope: fitted.slope, intercept: fitted.intercept };
}
