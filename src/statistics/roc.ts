import { InputError } from '../errors.js';
import { type BinaryScores, checkBinaryScores, countPositives, sweep } from './binary.js';

/** Points of the ROC curve, from (0, 0) to (1, 1). */
export interface RocCurve {
  /**
   * Descending. Samples that score at least a threshold are called positive. The first is null: no sample is.
   */
  readonly thresholds: readonly (number | null)[];
  /** 1 − specificity. */
  readonly falsePositiveRate: readonly number[];
  /** Sensitivity. */
  readonly truePositiveRate: readonly number[];
}

/**
 * Points of the precision-recall curve, from the lowest threshold to (recall 0, precision 1). This last point
 * has no threshold.
 */
export interface PrecisionRecallCurve {
  /** Ascending; one threshold less than there are points. */
  readonly thresholds: readonly number[];
  readonly precision: readonly number[];
  readonly recall: readonly number[];
}

/**
 * The ROC curve with a point for each score that occurs, as scikit-learn's
 * `roc_curve(drop_intermediate=False)`.
 *
 * @throws {InputError} if there is only one class
 * @throws {ShapeError | InputError} if labels or scores are not what {@link BinaryScores} says
 */
export function rocCurve(data: BinaryScores): RocCurve {
  checkBinaryScores('rocCurve', data);
  const positives = countPositives(data);
  const negatives = data.labels.length - positives;
  if (positives === 0 || negatives === 0) {
    throw new InputError(
      `[rocCurve] labels: expected samples of both classes, got ${negatives} of class 0 and ${positives} of class 1`,
    );
  }
  const { thresholds, truePositives, falsePositives } = sweep(data);
  return {
    thresholds: [null, ...thresholds],
    falsePositiveRate: [0, ...falsePositives.map((count) => count / negatives)],
    truePositiveRate: [0, ...truePositives.map((count) => count / positives)],
  };
}

/**
 * The precision-recall curve with a point for each score that occurs, as scikit-learn's
 * `precision_recall_curve`.
 *
 * @throws {InputError} if no sample is of class 1
 * @throws {ShapeError | InputError} if labels or scores are not what {@link BinaryScores} says
 */
export function precisionRecallCurve(data: BinaryScores): PrecisionRecallCurve {
  checkBinaryScores('precisionRecallCurve', data);
  const positives = countPositives(data);
  if (positives === 0) {
    throw new InputError('[precisionRecallCurve] labels: expected at least one sample of class 1, got none');
  }
  const { thresholds, truePositives, falsePositives } = sweep(data);
  return {
    thresholds: thresholds.toReversed(),
    precision: [1, ...truePositives.map((count, i) => count / (count + falsePositives[i]))].reverse(),
    recall: [0, ...truePositives.map((count) => count / positives)].reverse(),
  };
}

/**
 * Average precision: the precision at each threshold, weighted by the recall that it adds, without
 * interpolation, as scikit-learn's `average_precision_score`. It is from 0 to 1; random scores give the share
 * of class 1.
 *
 * @throws as {@link precisionRecallCurve}
 */
export function averagePrecision(data: BinaryScores): number {
  const { precision, recall } = precisionRecallCurve(data);
  return recall.slice(1).reduce((sum, next, i) => sum + (recall[i] - next) * precision[i], 0);
}
