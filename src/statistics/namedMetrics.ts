import { InputError } from '../errors.js';
import { balancedAccuracyValue, kappaValue, matthewsValue } from './agreement.js';
import type { BinaryScores } from './binary.js';
import { type MeanName, macroMean } from './classMetrics.js';
import { type ConfusionMatrix, countConfusions, countCorrect, countSamples, countsOfClass } from './confusion.js';
import {
  type ClassPredictions,
  checkClasses,
  checkPredictions,
  oneAgainstRest,
  predictedClasses,
} from './predictions.js';
import { brierTerms, logLosses, mean } from './probabilityMetrics.js';
import { prepareAuc, prepareAveragePrecision } from './ranking.js';
import { f1Of, shareOf } from './shares.js';
import { type MetricValue, none, type WeightedMetric } from './value.js';

/** Predictions and the class that sensitivity, AUC and the like are about. */
export interface MetricInput extends ClassPredictions {
  /**
   * The class that counts as positive. Default: class 1 of two classes; with more classes none, and metrics
   * of one class are then the mean over all classes.
   */
  readonly positive?: number | undefined;
}

interface NamedMetric {
  /** Whether larger values are better. */
  readonly higherIsBetter: boolean;
  readonly prepare: (data: MetricInput) => WeightedMetric;
}

/** A metric of the confusion matrix. */
function ofMatrix(compute: (matrix: ConfusionMatrix) => MetricValue): NamedMetric {
  const prepare = (data: MetricInput): WeightedMetric => {
    const predicted = predictedClasses(data);
    return (weights) => compute(countConfusions(data.labels, predicted, data.classes, weights));
  };
  return { higherIsBetter: true, prepare };
}

/** A metric of the positive class, or the mean over all classes. */
function ofClass(name: MeanName): NamedMetric {
  const prepare = (data: MetricInput): WeightedMetric => {
    const predicted = predictedClasses(data);
    const positive = positiveOf(data);
    return (weights) => {
      const matrix = countConfusions(data.labels, predicted, data.classes, weights);
      if (positive === null) return macroMean(matrix, name);
      const counts = countsOfClass(matrix, positive);
      return name === 'f1' ? f1Of(counts) : shareOf(name, counts);
    };
  };
  return { higherIsBetter: true, prepare };
}

/** A metric of the order of one class's probabilities, or the mean over all classes. */
function ofOrder(prepareOne: (data: BinaryScores) => WeightedMetric): NamedMetric {
  const prepare = (data: MetricInput): WeightedMetric => {
    const positive = positiveOf(data);
    if (positive !== null) return prepareOne(oneAgainstRest(data, positive));
    const parts = Array.from({ length: data.classes }, (_, c) => prepareOne(oneAgainstRest(data, c)));
    return (weights) => {
      let sum = 0;
      for (const [c, part] of parts.entries()) {
        const { value } = part(weights);
        if (value === null) return none(`no sample is of class ${c}, or all samples are`);
        sum += value;
      }
      return { value: sum / parts.length };
    };
  };
  return { higherIsBetter: true, prepare };
}

/** A mean of losses. */
function ofLosses(lossesOf: (data: MetricInput) => Float64Array): NamedMetric {
  const prepare = (data: MetricInput): WeightedMetric => {
    const losses = lossesOf(data);
    return (weights) => ({ value: mean(losses, weights) });
  };
  return { higherIsBetter: false, prepare };
}

const metrics = {
  accuracy: ofMatrix((matrix) => ({ value: countCorrect(matrix) / countSamples(matrix) })),
  balancedAccuracy: ofMatrix(balancedAccuracyValue),
  kappa: ofMatrix((matrix) => kappaValue(matrix, 'none')),
  linearKappa: ofMatrix((matrix) => kappaValue(matrix, 'linear')),
  quadraticKappa: ofMatrix((matrix) => kappaValue(matrix, 'quadratic')),
  matthews: ofMatrix(matthewsValue),
  sensitivity: ofClass('sensitivity'),
  specificity: ofClass('specificity'),
  ppv: ofClass('ppv'),
  npv: ofClass('npv'),
  f1: ofClass('f1'),
  auc: ofOrder(prepareAuc),
  averagePrecision: ofOrder(prepareAveragePrecision),
  brierScore: ofLosses(brierTerms),
  logLoss: ofLosses(logLosses),
} satisfies Record<string, NamedMetric>;

/** Names of the metrics that can be computed, compared and bootstrapped by name. */
export type MetricName = keyof typeof metrics;

export const metricNames = Object.keys(metrics) as readonly MetricName[];

/** Whether larger values of a metric are better. They are, except for losses. */
export function higherIsBetter(name: MetricName): boolean {
  return metrics[name].higherIsBetter;
}

/**
 * Prepares a metric of predictions, to be computed for many weights: `prepareMetric('auc', data)()` is the
 * AUC, and `bootstrap` gives its interval.
 *
 * Metrics of one class (sensitivity, specificity, PPV, NPV, F1, AUC, average precision) are of the positive
 * class. Without one they are the mean over all classes, each against the rest.
 *
 * @throws {ShapeError | InputError} if the data are not valid {@link ClassPredictions}, the name is no
 *   {@link MetricName}, or the positive class no class
 */
export function prepareMetric(name: MetricName, data: MetricInput): WeightedMetric {
  if (!Object.hasOwn(metrics, name)) {
    throw new InputError(`[prepareMetric] name: expected one of ${metricNames.join(', ')}, got ${name}`);
  }
  checkPredictions('prepareMetric', data);
  if (data.positive !== undefined) checkClasses('prepareMetric', 'positive', [data.positive], data.classes);
  return metrics[name].prepare(data);
}

function positiveOf({ positive, classes }: MetricInput): number | null {
  return positive ?? (classes === 2 ? 1 : null);
}
