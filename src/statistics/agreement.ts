import { macroMean } from './classMetrics.js';
import {
  type ConfusionMatrix,
  checkConfusionMatrix,
  columnTotals,
  countCorrect,
  countSamples,
  rowTotals,
  sum,
} from './confusion.js';
import { type Interval, z95 } from './proportion.js';
import { type MetricValue, none } from './value.js';

/**
 * Cost of a confusion of two classes: the same for all, or growing with the distance of the classes or its
 * square, for classes in an order such as grades of a disease.
 */
export type KappaWeights = 'none' | 'linear' | 'quadratic';

/** Cohen's kappa with its standard error, or the reason why there is none. */
export type Kappa =
  | {
      /** 1 for full agreement, 0 for the agreement of chance. */
      readonly value: number;
      readonly standardError: number;
      /** 95 % confidence interval from the normal distribution, at most from −1 to 1. */
      readonly interval: Interval;
    }
  | { readonly value: null; readonly reason: string };

/**
 * Cohen's kappa of true and predicted classes (Educ Psychol Meas 1960;20:37-46), weighted if the classes
 * have an order (Psychol Bull 1968;70:213-220). The standard error is that of Fleiss, Cohen and Everitt
 * (Psychol Bull 1969;72:323-327).
 *
 * @throws {InputError} unless the matrix is square and holds at least one sample
 */
export function kappa(matrix: ConfusionMatrix, weights: KappaWeights = 'none'): Kappa {
  checkConfusionMatrix('kappa', matrix);
  const samples = countSamples(matrix);
  const value = kappaValue(matrix, weights);
  if (value.value === null) return value;
  const classes = matrix.length;
  const agreement = (i: number, j: number) => 1 - disagreement(weights, i, j) / disagreement(weights, 0, classes - 1);
  const rows = rowTotals(matrix).map((count) => count / samples);
  const columns = columnTotals(matrix).map((count) => count / samples);
  const rowMean = rows.map((_, i) => sum(columns.map((share, j) => share * agreement(i, j))));
  const columnMean = columns.map((_, j) => sum(rows.map((share, i) => share * agreement(i, j))));
  const expected = sum(rows.map((share, i) => share * rowMean[i]));
  const spread = sum(
    matrix.flatMap((row, i) =>
      row.map((count, j) => {
        const term = agreement(i, j) - (rowMean[i] + columnMean[j]) * (1 - value.value);
        return (count / samples) * term ** 2;
      }),
    ),
  );
  const variance = (spread - (value.value - expected * (1 - value.value)) ** 2) / (samples * (1 - expected) ** 2);
  const standardError = Math.sqrt(Math.max(0, variance));
  const half = z95 * standardError;
  return {
    value: value.value,
    standardError,
    interval: [Math.max(-1, value.value - half), Math.min(1, value.value + half)],
  };
}

/** {@link kappa} without its standard error, of a matrix that was checked before. */
export function kappaValue(matrix: ConfusionMatrix, weights: KappaWeights): MetricValue {
  const rows = rowTotals(matrix);
  const columns = columnTotals(matrix);
  const samples = sum(rows);
  let observed = 0;
  let expected = 0;
  matrix.forEach((row, i) => {
    row.forEach((count, j) => {
      observed += count * disagreement(weights, i, j);
      expected += ((rows[i] * columns[j]) / samples) * disagreement(weights, i, j);
    });
  });
  if (!(expected > 0)) return none('all samples are of one class and called that class, as chance would do');
  return { value: 1 - observed / expected };
}

function disagreement(weights: KappaWeights, i: number, j: number): number {
  if (weights === 'none') return Number(i !== j);
  return weights === 'linear' ? Math.abs(i - j) : (i - j) ** 2;
}

/**
 * Matthews' correlation coefficient of true and predicted classes, from −1 to 1; 0 is chance. With more than
 * two classes it is Gorodkin's R_K (Comput Biol Chem 2004;28:367-374).
 *
 * @throws {InputError} unless the matrix is square and holds at least one sample
 */
export function matthews(matrix: ConfusionMatrix): MetricValue {
  checkConfusionMatrix('matthews', matrix);
  return matthewsValue(matrix);
}

/** {@link matthews} of a matrix that was checked before. */
export function matthewsValue(matrix: ConfusionMatrix): MetricValue {
  const [rows, columns] = [rowTotals(matrix), columnTotals(matrix)];
  const samples = sum(rows);
  const covariance = (a: readonly number[], b: readonly number[]) =>
    samples ** 2 - sum(a.map((count, c) => count * b[c]));
  const both = countCorrect(matrix) * samples - sum(rows.map((count, c) => count * columns[c]));
  const [ofRows, ofColumns] = [covariance(rows, rows), covariance(columns, columns)];
  if (ofRows === 0) return none('all samples are of one class');
  if (ofColumns === 0) return none('all samples are called one class');
  // One root of the product: without errors the value is 1 exactly.
  return { value: both / Math.sqrt(ofRows * ofColumns) };
}

/**
 * Balanced accuracy: the mean sensitivity of the classes (Brodersen et al., ICPR 2010). Chance gives
 * 1 / classes. None if a class has no sample.
 *
 * @throws {InputError} unless the matrix is square and holds at least one sample
 */
export function balancedAccuracy(matrix: ConfusionMatrix): MetricValue {
  checkConfusionMatrix('balancedAccuracy', matrix);
  return balancedAccuracyValue(matrix);
}

/** {@link balancedAccuracy} of a matrix that was checked before. */
export function balancedAccuracyValue(matrix: ConfusionMatrix): MetricValue {
  const { leftOut, ...mean } = macroMean(matrix, 'sensitivity');
  return leftOut.length === 0 ? mean : none(`no sample is of class ${leftOut.join(', ')}`);
}
