import { InputError, ShapeError } from '../../errors.js';
import { checkClassCount, checkClasses } from '../predictions.js';

/** Outputs of a network before softmax, for samples whose class is known. */
export interface LogitSet {
  /** The true class of each sample, from 0 to classes − 1. */
  readonly labels: Int32Array | Uint8Array;
  /**
   * `[samples, classes]`, row-major. For a network with one output z, which is the log-odds of class 1, give
   * rows of 0 and z.
   */
  readonly logits: Float32Array | Float64Array;
  /** The number of classes, at least 2. */
  readonly classes: number;
}

/**
 * @throws {ShapeError | InputError} if the arrays do not fit together, or hold no samples or values that are
 *   not finite
 */
export function checkLogits(where: string, { labels, logits, classes }: LogitSet): void {
  checkClassCount(where, classes);
  if (labels.length === 0) throw new InputError(`[${where}] labels: expected at least one sample, got none`);
  if (logits.length !== labels.length * classes) {
    throw new ShapeError(
      `[${where}] logits: expected ${classes} for each of ${labels.length} labels, got ${logits.length} values`,
    );
  }
  checkClasses(where, 'label', labels, classes);
  checkFinite(where, logits);
}

export function checkFinite(where: string, logits: LogitSet['logits']): void {
  const wrong = logits.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new InputError(`[${where}] logit ${wrong}: expected a finite number, got ${logits[wrong]}`);
}

/** Log-odds of class 1 against class 0, of rows of two logits. */
export function logOddsOf(logits: LogitSet['logits']): Float64Array {
  return Float64Array.from({ length: logits.length / 2 }, (_, i) => logits[2 * i + 1] - logits[2 * i]);
}

export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}
