import {
  type ClassCounts,
  type ConfusionMatrix,
  checkConfusionMatrix,
  countCorrect,
  countSamples,
  countsOfClass,
  rowTotals,
  sum,
} from './confusion.js';
import { type LikelihoodRatios, likelihoodRatios } from './likelihoodRatios.js';
import { type Proportion, proportion } from './proportion.js';
import { f1Of, partsOfShare, reasonWithout, type ShareName, shareOf } from './shares.js';
import { type MetricValue, none } from './value.js';

/** Metrics of one class against all others. */
export interface ClassMetrics extends ClassCounts {
  /** Share of the samples of the class that are called the class (recall). */
  readonly sensitivity: Proportion;
  /** Share of the samples of other classes that are called other classes. */
  readonly specificity: Proportion;
  /** Share of the class among the samples that are called the class (precision). */
  readonly ppv: Proportion;
  /** Share of other classes among the samples that are called other classes. */
  readonly npv: Proportion;
  /** Harmonic mean of sensitivity and PPV. */
  readonly f1: MetricValue;
  readonly likelihoodRatios: LikelihoodRatios;
}

/** A mean over classes. */
export type ClassMean = MetricValue & {
  /** Classes without a value. The mean is over the others. */
  readonly leftOut: readonly number[];
};

export type MeanName = ShareName | 'f1';

/** Each value is the mean of the values of the classes. */
export type ClassMeans = Readonly<Record<MeanName, ClassMean>>;

/** Metrics that follow from a confusion matrix. */
export interface ConfusionMetrics {
  readonly samples: number;
  /** Share of all samples that are called their true class. */
  readonly accuracy: Proportion;
  readonly perClass: readonly ClassMetrics[];
  /** Means in which every class counts the same. */
  readonly macro: ClassMeans;
  /** Means in which every class counts by its samples. */
  readonly weighted: ClassMeans;
}

/**
 * Metrics of each class against the rest, and their means. Shares have 95 % intervals after Wilson; use
 * `bootstrap` for intervals of the means, and where samples come in groups.
 *
 * A value without samples to count is none, with the reason; it never counts as 0. Means leave such classes
 * out and name them, as scikit-learn's `zero_division=np.nan`.
 *
 * @throws {InputError} unless the matrix is square and holds at least one sample
 */
export function confusionMetrics(matrix: ConfusionMatrix): ConfusionMetrics {
  checkConfusionMatrix('confusionMetrics', matrix);
  return {
    samples: countSamples(matrix),
    accuracy: proportion(countCorrect(matrix), countSamples(matrix)),
    perClass: matrix.map((_, c) => classMetrics(countsOfClass(matrix, c))),
    macro: meansOf(matrix, macroMean),
    weighted: meansOf(matrix, weightedMean),
  };
}

/**
 * Metrics of one class against the rest, from its counts.
 *
 * @throws {InputError} if a count is negative or no number
 */
export function classMetrics(counts: ClassCounts): ClassMetrics {
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = counts;
  const share = (name: ShareName) => proportion(...partsOfShare(name, counts), reasonWithout[name]);
  return {
    truePositives,
    falsePositives,
    falseNegatives,
    trueNegatives,
    sensitivity: share('sensitivity'),
    specificity: share('specificity'),
    ppv: share('ppv'),
    npv: share('npv'),
    f1: f1Of(counts),
    likelihoodRatios: likelihoodRatios(counts),
  };
}

function meansOf(matrix: ConfusionMatrix, mean: typeof macroMean): ClassMeans {
  const of = (name: MeanName) => mean(matrix, name);
  return {
    sensitivity: of('sensitivity'),
    specificity: of('specificity'),
    ppv: of('ppv'),
    npv: of('npv'),
    f1: of('f1'),
  };
}

/** The mean over classes with a value, each counting the same. */
export function macroMean(matrix: ConfusionMatrix, name: MeanName): ClassMean {
  return meanOf(matrix, name, () => 1);
}

/** The mean over classes with a value, each counting by its samples. */
function weightedMean(matrix: ConfusionMatrix, name: MeanName): ClassMean {
  const samples = rowTotals(matrix);
  return meanOf(matrix, name, (c) => samples[c]);
}

function meanOf(matrix: ConfusionMatrix, name: MeanName, weightOf: (c: number) => number): ClassMean {
  const values = matrix.map((_, c) => {
    const counts = countsOfClass(matrix, c);
    return (name === 'f1' ? f1Of(counts) : shareOf(name, counts)).value;
  });
  const leftOut = values.flatMap((value, c) => (value === null ? [c] : []));
  const weights = values.map((value, c) => (value === null ? 0 : weightOf(c)));
  const total = sum(weights);
  if (total === 0) return { ...none(`no class with samples has a ${nameText[name]}`), leftOut };
  return { value: sum(values.map((value, c) => (value ?? 0) * weights[c])) / total, leftOut };
}

const nameText: Readonly<Record<MeanName, string>> = {
  sensitivity: 'sensitivity',
  specificity: 'specificity',
  ppv: 'PPV',
  npv: 'NPV',
  f1: 'F1 score',
};
