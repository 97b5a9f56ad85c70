import * as check from '../check.js';
import { type BinaryScores, checkBinaryScores, sortByScore } from './binary.js';
import { type ClassPredictions, checkPredictions, predictedClasses } from './predictions.js';
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

export interface CalibrationOptions {
  /** The number of bins. Default: 10. */
  readonly bins?: number | undefined;
  /**
   * `width`: bins of equal width. `mass`: bins with about the same number of samples; equal scores stay
   * together, so that there may be fewer bins. Default: `width`.
   */
  readonly binning?: 'width' | 'mass' | undefined;
}

/** More bins than that are empty. */
const mostBins = 1_000_000;

const calibrationChecks: check.OptionChecks<CalibrationOptions> = {
  bins: check.integer(1, mostBins),
  binning: check.oneOf(['width', 'mass']),
};

interface Tally {
  readonly low: number;
  high: number;
  samples: number;
  positives: number;
  sum: number;
}

/**
 * Reliability curve over bins, and the expected calibration error (Naeini et al. 2015; bins as in Guo et al.
 * 2017), both of the probability of class 1. A bin takes scores above its lower edge, and its upper edge.
 *
 * The error is never below 0, and with few samples it is above 0 for perfect probabilities too.
 *
 * @throws {ShapeError | InputError} if labels or scores are not valid {@link BinaryScores}, or there is no
 *   bin
 */
export function calibration(data: BinaryScores, options: CalibrationOptions = {}): Calibration {
  const { bins = 10, binning = 'width' } = check.requireOptions('calibration', options, calibrationChecks);
  checkBinaryScores('calibration', data);
  const tallies = binning === 'width' ? tallyByWidth(data, bins) : tallyByMass(data, bins);
  const gaps = tallies.reduce((total, { positives, sum }) => total + Math.abs(positives - sum), 0);
  return {
    bins: tallies.map(({ low, high, samples, positives, sum }) => ({
      low,
      high,
      meanScore: samples === 0 ? null : sum / samples,
      positives: proportion(positives, samples, 'no sample scores in this bin'),
    })),
    expectedCalibrationError: gaps / data.labels.length,
  };
}

/**
 * Calibration of the predicted class (the top label) for any number of classes: whether samples that are
 * called their class with a probability of 80 % are right in 80 % of all cases (Guo et al., ICML 2017).
 *
 * @param options `bins` default to 15, as in the paper
 * @throws {ShapeError | InputError} if the data are not valid {@link ClassPredictions}, or there is no bin
 */
export function topLabelCalibration(data: ClassPredictions, options: CalibrationOptions = {}): Calibration {
  checkPredictions('topLabelCalibration', data);
  const predicted = predictedClasses(data);
  const right = Uint8Array.from(data.labels, (label, i) => Number(label === predicted[i]));
  const scores = Float64Array.from(data.labels, (_, i) => data.probabilities[i * data.classes + predicted[i]]);
  return calibration({ labels: right, scores }, { ...options, bins: options.bins ?? 15 });
}

function tallyByWidth({ labels, scores }: BinaryScores, bins: number): Tally[] {
  const edges = Array.from({ length: bins }, (_, i) => [i / bins, (i + 1) / bins]);
  const tallies = edges.map(([low, high]): Tally => ({ low, high, samples: 0, positives: 0, sum: 0 }));
  for (const [i, score] of scores.entries()) add(tallies[binOf(score, bins)], score, labels[i]);
  return tallies;
}

/** Each bin ends at the score of its last sample; the next one begins there. */
function tallyByMass({ labels, scores }: BinaryScores, bins: number): Tally[] {
  const order = sortByScore(scores).reverse();
  const tallies: Tally[] = [];
  order.forEach((sample, i) => {
    const last = tallies.at(-1);
    const isDue = i >= (tallies.length * order.length) / bins && scores[sample] !== scores[order[i - 1]];
    const low = last === undefined ? 0 : last.high;
    const tally = last === undefined || isDue ? { low, high: 0, samples: 0, positives: 0, sum: 0 } : last;
    if (tally !== last) tallies.push(tally);
    add(tally, scores[sample], labels[sample]);
    tally.high = scores[sample];
  });
  const last = tallies[tallies.length - 1];
  last.high = 1;
  return tallies;
}

function add(tally: Tally, score: number, label: number): void {
  tally.samples++;
  tally.positives += label;
  tally.sum += score;
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
