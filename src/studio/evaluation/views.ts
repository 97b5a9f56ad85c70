import { binaryScores } from '../../run/decision.js';
import type { PositiveClass } from '../../run/positive.js';
import { metricInput } from '../../run/predictions/metricInput.js';
import type { Predictions } from '../../run/predictions/predictions.js';
import {
  calibration,
  confusionMatrix,
  predictedClasses,
  predictiveValuesAt,
  rocAuc,
  rocCurve,
  thresholdMetrics,
  wilsonInterval,
} from '../../statistics/index.js';
import type { BinaryView, EvaluationView, RocPoint, SampleView, ThresholdView } from '../api.js';

/** How two classes are decided between; null for the most probable class. */
export interface DecisionAt {
  readonly positive: PositiveClass;
  readonly threshold: number;
}

/** The class that each sample is taken for. */
function predictedOf(own: Predictions, at: DecisionAt | null): ArrayLike<number> {
  return predictedClasses(metricInput(own, at && { positive: at.positive.index, threshold: at.threshold }));
}

/** Points of a curve that are shown: more would look the same. */
const mostPoints = 400;

/** Metrics, confusion matrix and curves of the predictions for one part of the data. */
export function evaluationOf(
  own: Predictions,
  at: DecisionAt | null,
): Pick<EvaluationView, 'images' | 'accuracy' | 'interval' | 'confusion' | 'recall' | 'precision' | 'binary'> {
  const { labels, classNames } = own;
  const confusion = confusionMatrix(labels, predictedOf(own, at), classNames.length);
  const hits = confusion.reduce((sum, row, c) => sum + row[c], 0);
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  return {
    images: labels.length,
    accuracy: labels.length === 0 ? 0 : hits / labels.length,
    interval: labels.length === 0 ? null : wilsonInterval(hits, labels.length),
    confusion,
    recall: confusion.map((row, c) => share(row[c], total(row))),
    precision: confusion.map((row, c) => share(row[c], total(confusion.map((each) => each[c])))),
    binary: at === null ? null : binaryOf(own, at),
  };
}

function binaryOf(own: Predictions, { positive, threshold }: DecisionAt): BinaryView {
  const scores = binaryScores(own, positive);
  const hasBoth = new Set(scores.labels).size === 2;
  const { bins } = calibration(scores, { bins: 20 });
  return {
    positive: positive.name,
    other: positive.other,
    threshold,
    auc: rocAuc(scores).value,
    roc: hasBoth ? thinned(rocCurve(scores)) : [],
    histogram: bins.map(({ low, high, positives: { hits, total } }) => ({ low, high, counts: [total - hits, hits] })),
  };
}

function thinned({ thresholds, falsePositiveRate, truePositiveRate }: ReturnType<typeof rocCurve>): RocPoint[] {
  const step = Math.ceil(thresholds.length / mostPoints);
  return thresholds.flatMap((threshold, i) =>
    i % step !== 0 && i !== thresholds.length - 1
      ? []
      : [{ threshold, falsePositiveRate: falsePositiveRate[i], truePositiveRate: truePositiveRate[i] }],
  );
}

/** The consequences of a threshold where the prevalence is given. */
export function thresholdOf(own: Predictions, at: DecisionAt, prevalence: number): ThresholdView {
  const found = thresholdMetrics(binaryScores(own, at.positive), at.threshold);
  const { sensitivity, specificity } = found;
  const { ppv, npv } = predictiveValuesAt({ sensitivity, specificity }, prevalence);
  return {
    threshold: at.threshold,
    truePositives: found.truePositives,
    falsePositives: found.falsePositives,
    trueNegatives: found.trueNegatives,
    falseNegatives: found.falseNegatives,
    sensitivity: sensitivity.value,
    specificity: specificity.value,
    ppv: ppv.value,
    npv: npv.value,
    perThousand: {
      missed: 1000 * prevalence * (1 - (sensitivity.value ?? 0)),
      falseAlarms: 1000 * (1 - prevalence) * (1 - (specificity.value ?? 0)),
    },
  };
}

/** Restricts the pictures that are shown: a cell of the confusion matrix, or a bar of the scores. */
export interface SampleFilter {
  readonly label?: number | undefined;
  readonly predicted?: number | undefined;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  readonly wrong?: boolean | undefined;
}

/** Samples that a filter lets through; the most certain of its class first. */
export function samplesOf(own: Predictions, at: DecisionAt | null, filter: SampleFilter): SampleView[] {
  const { files, labels, probabilities, classNames } = own;
  const predicted = predictedOf(own, at);
  const classes = classNames.length;
  const found: SampleView[] = [];
  for (let i = 0; i < labels.length; i++) {
    const score = at === null ? 0 : probabilities[i * classes + at.positive.index];
    const isWanted =
      (filter.label === undefined || labels[i] === filter.label) &&
      (filter.predicted === undefined || predicted[i] === filter.predicted) &&
      (filter.low === undefined || score >= filter.low) &&
      (filter.high === undefined || score < filter.high || (filter.high === 1 && score === 1)) &&
      (filter.wrong !== true || predicted[i] !== labels[i]);
    if (!isWanted) continue;
    found.push({
      sample: i,
      file: files[i],
      label: classNames[labels[i]],
      predicted: classNames[predicted[i]],
      probability: probabilities[i * classes + predicted[i]],
    });
  }
  return found.sort((a, b) => b.probability - a.probability);
}
