import { record, requireValue } from '../check.js';
import { type RocAuc, rocAuc } from './auc.js';
import { type BinaryScores, checkBinaryScores, countPositives } from './binary.js';
import { brierScore, type Calibration, calibration } from './calibration.js';
import { type Proportion, proportion } from './proportion.js';
import { averagePrecision, type PrecisionRecallCurve, precisionRecallCurve, type RocCurve, rocCurve } from './roc.js';
import { type OperatingPoint, type ThresholdMetrics, thresholdMetrics } from './threshold.js';

export interface ScreeningOptions extends BinaryScores {
  /** Samples that score at least this much are called positive. Default: 0.5. */
  readonly threshold?: number | undefined;
  /** Chosen beforehand on another set with `chooseOperatingPoint`. */
  readonly operatingPoint?: OperatingPoint | undefined;
}

/** All values that screening studies report about a set of samples. JSON keeps them as they are. */
export interface ScreeningMetrics {
  readonly samples: number;
  /** Samples of class 1, among all. */
  readonly prevalence: Proportion;
  readonly auc: RocAuc;
  /** Null if there is only one class. */
  readonly roc: RocCurve | null;
  /** Null if no sample is of class 1. */
  readonly averagePrecision: number | null;
  /** Null if no sample is of class 1. */
  readonly precisionRecall: PrecisionRecallCurve | null;
  readonly brierScore: number;
  /** Ten bins. */
  readonly calibration: Calibration;
  readonly atThreshold: ThresholdMetrics;
  /** The point that the caller gave. */
  readonly operatingPoint: OperatingPoint | null;
  readonly atOperatingPoint: ThresholdMetrics | null;
}

/**
 * Computes the metrics of a screening test on one set of samples.
 *
 * @throws {ShapeError | InputError} if labels or scores are not valid {@link BinaryScores}
 */
export function screeningMetrics(options: ScreeningOptions): ScreeningMetrics {
  checkBinaryScores('screeningMetrics', options);
  const { threshold, operatingPoint } = options;
  if (operatingPoint !== undefined) requireValue('screeningMetrics', 'operatingPoint', operatingPoint, record);
  const atThreshold = thresholdMetrics(options, threshold);
  const samples = options.labels.length;
  const positives = countPositives(options);
  const some = positives > 0;
  return {
    samples,
    prevalence: proportion(positives, samples),
    auc: rocAuc(options),
    roc: some && positives < samples ? rocCurve(options) : null,
    averagePrecision: some ? averagePrecision(options) : null,
    precisionRecall: some ? precisionRecallCurve(options) : null,
    brierScore: brierScore(options),
    calibration: calibration(options),
    atThreshold,
    operatingPoint: operatingPoint ?? null,
    atOperatingPoint: operatingPoint === undefined ? null : thresholdMetrics(options, operatingPoint.threshold),
  };
}
