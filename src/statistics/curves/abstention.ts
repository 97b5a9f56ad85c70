import { InputError, ShapeError } from '../../errors.js';
import { type ClassPredictions, checkPredictions, predictedClasses } from '../predictions.js';
import { type Proportion, proportion } from '../proportion.js';

/** If only samples with a confidence of at least a threshold are decided, and the others are referred. */
export interface AbstentionPoint {
  readonly threshold: number;
  /** Share of the samples that are decided. */
  readonly coverage: number;
  /** Share of wrong decisions among them: the risk. */
  readonly errors: Proportion;
}

/** The risk-coverage curve. */
export interface AbstentionCurve {
  /** A point for each confidence that occurs, from the highest on, to a coverage of 1. */
  readonly points: readonly AbstentionPoint[];
  /**
   * Mean risk over all coverages, from 0 (best); without any order of the samples it is the share of errors.
   */
  readonly area: number;
}

/**
 * Errors among the samples that a classifier is surest of, against their share of all samples (El-Yaniv &
 * Wiener, JMLR 2010;11:1605-1641; area as in Geifman & El-Yaniv, NeurIPS 2017). Samples of equal confidence
 * are decided together.
 *
 * @param confidence of each sample, any finite numbers. Default: the highest probability.
 * @throws {ShapeError | InputError} if the data are not valid {@link ClassPredictions}, or the confidence is
 *   not a finite number for each sample
 */
export function abstentionCurve(data: ClassPredictions, confidence?: ArrayLike<number>): AbstentionCurve {
  checkPredictions('abstentionCurve', data);
  const { labels, probabilities, classes } = data;
  const samples = labels.length;
  const sure =
    confidence ?? Float64Array.from(labels, (_, i) => Math.max(...probabilities.slice(i * classes, (i + 1) * classes)));
  if (sure.length !== samples) {
    throw new ShapeError(
      `[abstentionCurve] confidence: expected one for each of ${samples} labels, got ${sure.length}`,
    );
  }
  const wrong = Array.from(sure).findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new InputError(`[abstentionCurve] confidence ${wrong}: expected a finite number, got ${sure[wrong]}`);
  }
  const predicted = predictedClasses(data);
  const order = Array.from(labels, (_, i) => i).sort((a, b) => sure[b] - sure[a]);
  const points: AbstentionPoint[] = [];
  let errors = 0;
  let area = 0;
  let before = 0;
  order.forEach((sample, i) => {
    if (predicted[sample] !== labels[sample]) errors++;
    if (i + 1 < samples && sure[order[i + 1]] === sure[sample]) return;
    const decided = i + 1;
    area += ((decided - before) * (errors / decided)) / samples;
    before = decided;
    points.push({ threshold: sure[sample], coverage: decided / samples, errors: proportion(errors, decided) });
  });
  return { points, area };
}

/**
 * The point of a curve with the least coverage of at least this share.
 *
 * @throws {InputError} unless the coverage is above 0 and at most 1
 */
export function atCoverage(curve: AbstentionCurve, coverage: number): AbstentionPoint {
  const found = curve.points.find((point) => point.coverage >= coverage - 1e-12);
  if (found !== undefined && coverage > 0) return found;
  throw new InputError(`[atCoverage] coverage: expected a share above 0 and at most 1, got ${coverage}`);
}
