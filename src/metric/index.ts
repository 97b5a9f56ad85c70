import { InputError, ShapeError } from '../errors.js';
import type { TypedArray } from '../graph/dtype.js';

export { type RocAuc, rocAuc } from './auc.js';
export type { BinaryScores } from './binary.js';
export { brierScore, type Calibration, calibration, type ReliabilityBin } from './calibration.js';
export { type Interval, type Proportion, wilsonInterval } from './proportion.js';
export {
  averagePrecision,
  type PrecisionRecallCurve,
  precisionRecallCurve,
  type RocCurve,
  rocCurve,
} from './roc.js';
export { type ScreeningFigures, type ScreeningOptions, screeningFigures } from './screening.js';
export {
  chooseOperatingPoint,
  type OperatingPoint,
  type OperatingRule,
  type PredictiveValues,
  predictiveValues,
  type ThresholdFigures,
  thresholdFigures,
} from './threshold.js';

/** A figure that is gathered over the batches of an epoch. */
export interface Metric {
  /** Names of the figures, one for each number of {@link accumulate}. */
  readonly names: readonly string[];
  /** Forgets everything. */
  reset(): void;
  /**
   * Takes in a batch.
   *
   * @param scores `[samples, classes]`, row-major
   * @param labels the true class of each sample
   */
  update(scores: TypedArray, labels: ArrayLike<number>): void;
  /** The figures over all batches since the last reset; NaN if there was none. */
  accumulate(): number[];
}

/** Share of samples whose true class is among the k highest scores, for each k of `topk`. */
export class Accuracy implements Metric {
  readonly names: readonly string[];
  readonly #topk: readonly number[];
  readonly #hits: number[];
  #samples = 0;

  constructor({ topk = [1] }: { readonly topk?: readonly number[] } = {}) {
    if (topk.length === 0 || topk.some((k) => !Number.isInteger(k) || k < 1)) {
      throw new InputError(`[Accuracy] topk: expected positive integers, got [${topk}]`);
    }
    this.#topk = topk;
    this.#hits = topk.map(() => 0);
    this.names = topk.length === 1 ? ['acc'] : topk.map((k) => `acc_top${k}`);
  }

  reset(): void {
    this.#hits.fill(0);
    this.#samples = 0;
  }

  update(scores: TypedArray, labels: ArrayLike<number>): void {
    const samples = labels.length;
    const classes = scores.length / samples;
    if (samples === 0 || !Number.isInteger(classes)) {
      throw new ShapeError(`[Accuracy] scores: expected a multiple of ${samples} samples, got ${scores.length} values`);
    }
    for (let i = 0; i < samples; i++) {
      const label = labels[i];
      const own = scores[i * classes + label];
      let rank = 0;
      // Among equal scores the lower class comes first, as in topk.
      for (let c = 0; c < classes; c++) {
        const score = scores[i * classes + c];
        if (score > own || (score === own && c < label)) rank++;
      }
      // A label that is no class, or a NaN, is never a hit.
      if (own === undefined || Number.isNaN(own)) continue;
      this.#topk.forEach((k, j) => {
        if (rank < k) this.#hits[j]++;
      });
    }
    this.#samples += samples;
  }

  accumulate(): number[] {
    return this.#hits.map((hits) => hits / this.#samples);
  }
}
