import { type ClassPredictions, checkPredictions } from './predictions.js';

/** Probabilities count as at least this much: a single 0 for the true class would make the loss infinite. */
const smallest = 2 ** -52;

/**
 * Mean of −ln(probability of the true class), the cross entropy; 0 is best, and ln(classes) is that of equal
 * probabilities. Probabilities are at least 2^-52 here, as in scikit-learn's `log_loss` for float64, and are
 * divided by their sum.
 *
 * @throws {ShapeError | InputError} if the data are not valid {@link ClassPredictions}
 */
export function logLoss(data: ClassPredictions): number {
  checkPredictions('logLoss', data);
  return mean(logLosses(data));
}

/** The loss of each sample. */
export function logLosses({ labels, probabilities, classes }: ClassPredictions): Float64Array {
  return Float64Array.from(labels, (label, i) => {
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += probabilities[i * classes + c];
    return -Math.log(Math.max(smallest, probabilities[i * classes + label] / sum));
  });
}

/**
 * Brier score (Monthly Weather Review 1950;78:1-3): the mean of Σ (probability − truth)² over the classes,
 * from 0 (best) to 2. With two classes it is half of this, the square of the error of one probability, as
 * `brierScore` and scikit-learn's `brier_score_loss` have it.
 *
 * @throws {ShapeError | InputError} if the data are not valid {@link ClassPredictions}
 */
export function classBrierScore(data: ClassPredictions): number {
  checkPredictions('classBrierScore', data);
  return mean(brierTerms(data));
}

/** The term of each sample. */
export function brierTerms({ labels, probabilities, classes }: ClassPredictions): Float64Array {
  return Float64Array.from(labels, (label, i) => {
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += (probabilities[i * classes + c] - Number(c === label)) ** 2;
    return classes === 2 ? sum / 2 : sum;
  });
}

/** The standard deviation of a sample (divisor n − 1); NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** The weighted mean; NaN without weight. */
export function mean(values: ArrayLike<number>, weights?: ArrayLike<number>): number {
  let sum = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const weight = weights === undefined ? 1 : weights[i];
    sum += weight * values[i];
    total += weight;
  }
  return sum / total;
}
