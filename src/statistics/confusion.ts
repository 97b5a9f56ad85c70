import { InputError, ShapeError } from '../errors.js';
import { checkClassCount, checkClasses } from './predictions.js';

/** Counts of samples: a row for each true class, a column for each predicted class. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** Samples of one class against all others. */
export interface ClassCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/**
 * Counts how often each class was called each class.
 *
 * @param weights how often each sample counts. Default: once.
 * @throws {ShapeError | InputError} if the arrays have different lengths, or hold values that are no classes
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
  weights?: ArrayLike<number>,
): number[][] {
  checkClassCount('confusionMatrix', classes);
  for (const values of weights === undefined ? [predicted] : [predicted, weights]) {
    if (values.length === labels.length) continue;
    throw new ShapeError(
      `[confusionMatrix] lengths: expected ${labels.length} predictions and weights, one for each label, got ${values.length}`,
    );
  }
  checkClasses('confusionMatrix', 'label', labels, classes);
  checkClasses('confusionMatrix', 'predicted class', predicted, classes);
  return countConfusions(labels, predicted, classes, weights);
}

/** {@link confusionMatrix} of arrays that were checked before. */
export function countConfusions(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
  weights?: ArrayLike<number>,
): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) matrix[labels[i]][predicted[i]] += weights === undefined ? 1 : weights[i];
  return matrix;
}

/**
 * @throws {InputError} unless the matrix is square, has two classes or more, and holds counts with a sum
 *   above 0
 */
export function checkConfusionMatrix(where: string, matrix: ConfusionMatrix): void {
  const classes = matrix.length;
  if (classes < 2 || matrix.some((row) => row.length !== classes)) {
    const sizes = [...new Set(matrix.map((row) => row.length))].join(' or ') || 'no';
    throw new InputError(
      `[${where}] confusion matrix: expected as many rows as columns, at least 2, got ${classes} rows of ${sizes} columns`,
    );
  }
  const wrong = matrix.flat().find((count) => !(Number.isFinite(count) && count >= 0));
  if (wrong !== undefined) {
    throw new InputError(`[${where}] confusion matrix: expected counts of at least 0, got ${wrong}`);
  }
  if (countSamples(matrix) === 0) {
    throw new InputError(`[${where}] confusion matrix: expected at least one sample, got none`);
  }
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function countSamples(matrix: ConfusionMatrix): number {
  return sum(matrix.map(sum));
}

/** Samples of each true class. */
export function rowTotals(matrix: ConfusionMatrix): number[] {
  return matrix.map(sum);
}

/** Samples that were called each class. */
export function columnTotals(matrix: ConfusionMatrix): number[] {
  return matrix.map((_, c) => sum(matrix.map((row) => row[c])));
}

/** Samples that were called their true class. */
export function countCorrect(matrix: ConfusionMatrix): number {
  return sum(matrix.map((row, c) => row[c]));
}

export function countsOfClass(matrix: ConfusionMatrix, positive: number): ClassCounts {
  const truePositives = matrix[positive][positive];
  const falseNegatives = sum(matrix[positive]) - truePositives;
  const falsePositives = sum(matrix.map((row) => row[positive])) - truePositives;
  const trueNegatives = countSamples(matrix) - truePositives - falseNegatives - falsePositives;
  return { truePositives, falsePositives, falseNegatives, trueNegatives };
}
