import { InputError, ShapeError } from '../errors.js';
import type { BinaryScores } from './binary.js';

/** Predictions of a classifier for samples whose class is known. */
export interface ClassPredictions {
  /** The true class of each sample, from 0 to classes − 1. */
  readonly labels: Int32Array | Uint8Array;
  /** The predicted probability of each class, `[samples, classes]`, row-major. Rows add up to 1. */
  readonly probabilities: Float32Array | Float64Array;
  /** The number of classes, at least 2. */
  readonly classes: number;
  /**
   * The class that each sample is called, for instance by a threshold. Default: the class of the highest
   * probability, the lowest class among equal ones.
   */
  readonly predicted?: Int32Array | Uint8Array | undefined;
}

/** Rows of probabilities may differ from 1 by this much: files have them with four decimals. */
const sumTolerance = 1e-3;

/**
 * @param where the function that was called, for messages
 * @throws {ShapeError} if the arrays do not fit together
 * @throws {InputError} without samples, for a label that is no class, or for rows that are no probabilities
 */
export function checkPredictions(where: string, data: ClassPredictions): void {
  const { labels, probabilities, classes, predicted } = data;
  checkClassCount(where, classes);
  const samples = labels.length;
  if (samples === 0) throw new InputError(`[${where}] labels: expected at least one sample, got none`);
  if (probabilities.length !== samples * classes) {
    throw new ShapeError(
      `[${where}] probabilities: expected ${classes} for each of ${samples} labels, got ${probabilities.length} values`,
    );
  }
  checkClasses(where, 'label', labels, classes);
  for (let i = 0; i < samples; i++) {
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      const value = probabilities[i * classes + c];
      if (!(value >= 0 && value <= 1)) {
        throw new InputError(
          `[${where}] probability of class ${c} for sample ${i}: expected a number from 0 to 1, got ${value}; apply ` +
            'softmax to the outputs of a network first',
        );
      }
      sum += value;
    }
    if (Math.abs(sum - 1) > sumTolerance) {
      throw new InputError(`[${where}] probabilities of sample ${i}: expected a sum of 1, got ${sum}`);
    }
  }
  if (predicted === undefined) return;
  if (predicted.length !== samples) {
    throw new ShapeError(
      `[${where}] predicted: expected ${samples} classes, one for each label, got ${predicted.length}`,
    );
  }
  checkClasses(where, 'predicted class', predicted, classes);
}

/** @throws {InputError} unless there are at least two classes */
export function checkClassCount(where: string, classes: number): void {
  if (Number.isInteger(classes) && classes >= 2) return;
  throw new InputError(`[${where}] classes: expected a whole number of at least 2, got ${classes}`);
}

/** @throws {InputError} if a value is no class */
export function checkClasses(where: string, name: string, values: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isInteger(values[i]) && values[i] >= 0 && values[i] < classes) continue;
    throw new InputError(`[${where}] ${name} ${i}: expected a class from 0 to ${classes - 1}, got ${values[i]}`);
  }
}

/** The class that each sample is called. */
export function predictedClasses({ labels, probabilities, classes, predicted }: ClassPredictions): ArrayLike<number> {
  if (predicted !== undefined) return predicted;
  return Int32Array.from(labels, (_, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if (probabilities[i * classes + c] > probabilities[i * classes + best]) best = c;
    }
    return best;
  });
}

/** One class against all others: label 1 for the class, and its probability. */
export function oneAgainstRest({ labels, probabilities, classes }: ClassPredictions, positive: number): BinaryScores {
  return {
    labels: Uint8Array.from(labels, (label) => Number(label === positive)),
    scores: Float64Array.from(labels, (_, i) => probabilities[i * classes + positive]),
  };
}
