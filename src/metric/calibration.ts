import { InputError } from '../errors.js';
import { type BinaryScores, checkBinaryScores } from './binary.js';
import { type Proportion, proportion } from './proportion.js';

/** Samples with scores above `low` and not above `high` (the first bin takes 0 too). */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  /** Mean predicted probability of class 1; null for an empty bin. */
  readonly meanScore: number | null;
  /** Share of the bin's samples that are of class 1. */
  readonly positives: Proportion;
}

/** Compares probabilities with shares: of samples with a probability of 80 %, 80 % should be of class 1. */
export interface Calibration {
  readonly bins: readonly ReliabilityBin[];
  /** Mean of |share of class 1 − mean score| over the bins, weighted by their samples. 0 is best. */
  readonly expectedCalibrationError: number;
}

/**
 * Reliability curve over bins of equal width, and the expected calibration error (Naeini et al. 2015; bins as
 * in Guo et al. 2017), both of the probability of class 1.
 *
 * @param options `bins`: the number of bins. Default: 10.
 * @throws {ShapeError | InputError} if labels or scores are not valid {@link BinaryScores}, or there is no
 *   bin
 */
export function calibration(data: BinaryScores, { bins = 10 }: { readonly bins?: number } = {}): Calibration {
  checkBinaryScores('calibration', data);
  if (!Number.isInteger(bins) || bins < 1) {
    throw new InputError(`[calibration] bins: expected a positive integer, got ${bins}`);
  }
  const { labels, scores } = data;
  const tallies = Array.from({ length: bins }, () => ({ samples: 0, positives: 0, sum: 0 }));
  scores.forEach((score, i) => {
    const tally = tallies[binOf(score, bins)];
    tally.samples++;
    tally.positives += labels[i];
    tally.sum += score;
  });
  const gaps = tallies.reduce((total, { positives, sum }) => total + Math.abs(positives - sum), 0);
  return {
    bins: tallies.map(({ samples, positives, sum }, i) => ({
      low: i / bins,
      high: (i + 1) / bins,
      meanScore: samples === 0 ? null : sum / samples,
      positives: proportion(positives, samples),
    })),
    expectedCalibrationError: gaps / labels.length,
  };
}

/** The bin of a score: above its lower edge i/bins, not above its upper one. 0 is in the first. */
function binOf(score: number, bins: number): number {
  const guess = Math.max(0, Math.ceil(score * bins) - 1);
  // The product is rounded: 0.55 × 100 gives more than 55, and the score is on the edge 55/100.
  if (guess > 0 && score <= guess / bins) return guess - 1;
  return guess < bins - 1 && score > (guess + 1) / bins ? guess + 1 : guess;
}

/**
 * Brier score: mean of (score − label)². 0 is best. If every score is the share p of class 1, it is p(1 − p).
 *
 * @throws {ShapeError | InputError} if labels or scores are not valid {@link BinaryScores}
 */
export function brierScore(data: BinaryScores): number {
  checkBinaryScores('brierScore', data);
  const { labels, scores } = data;
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum += (scores[i] - labels[i]) ** 2;
  return sum / labels.length;
}
