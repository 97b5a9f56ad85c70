import { describeOperatingRule } from '../report/operatingPoint.js';
import {
  type BinaryScores,
  type OperatingPoint,
  type OperatingRule,
  type ScreeningMetrics,
  screeningMetrics,
} from '../statistics/index.js';
import { formatPercent, formatThreshold } from '../text/numbers.js';
import type { Evaluation } from '../train/evaluation.js';
import type { ChosenPart } from './decisions/record.js';
import type { PositiveClass } from './positive.js';

/** The threshold of a decision without an operating point: the more probable class. */
const evenThreshold = 0.5;

/** How a network decides between two classes. */
export interface DecisionRule {
  readonly positive: PositiveClass;
  /** Probability of the positive class from which on a picture is taken for it. */
  readonly threshold: number;
  /** How the threshold was chosen; null for the default of 0.5. */
  readonly operatingPoint: ChosenPoint | null;
}

/** An operating point, and the images that it was chosen on. */
export interface ChosenPoint extends OperatingPoint {
  readonly part: ChosenPart;
}

/** The class that a network predicts for one picture. */
export interface Decision {
  /** The class that the picture is taken for. */
  readonly class: string;
  readonly positiveClass: string;
  /** Probability of the positive class. */
  readonly probability: number;
  readonly threshold: number;
  /** Null for the default threshold of 0.5. */
  readonly rule: OperatingRule | null;
}

/** @param threshold where there is no operating point. Default: the more probable class */
export function decisionRule(
  positive: PositiveClass,
  operatingPoint: ChosenPoint | null,
  threshold = evenThreshold,
): DecisionRule {
  return { positive, threshold: operatingPoint?.threshold ?? threshold, operatingPoint };
}

/** @param probabilities of both classes */
export function decide(rule: DecisionRule, probabilities: ArrayLike<number>): Decision {
  const { positive, threshold, operatingPoint } = rule;
  const probability = probabilities[positive.index];
  return {
    class: probability >= threshold ? positive.name : positive.other,
    positiveClass: positive.name,
    probability,
    threshold,
    rule: operatingPoint?.rule ?? null,
  };
}

/** `PM 68.0 % is below 0.71`. */
export function describeDecision({ positiveClass, class: decided, probability, threshold }: Decision): string {
  const reaches = decided === positiveClass ? 'reaches' : 'is below';
  return `${positiveClass} ${formatPercent(probability, 1)} ${reaches} ${formatThreshold(threshold)}`;
}

/** Labels and scores of the positive class, from the probabilities of both. */
export function binaryScores(
  { labels, probabilities }: Pick<Evaluation, 'labels' | 'probabilities'>,
  { index }: PositiveClass,
): BinaryScores {
  return {
    labels: index === 1 ? labels : labels.map((label) => 1 - label),
    scores: Float32Array.from({ length: labels.length }, (_, i) => probabilities[2 * i + index]),
  };
}

/**
 * The metrics of the positive class; null without one.
 *
 * @param threshold of the decision where there is no operating point. Default: the more probable class
 */
export function screeningOf(
  evaluation: Pick<Evaluation, 'labels' | 'probabilities'>,
  positive: PositiveClass | null,
  operatingPoint: OperatingPoint | null,
  threshold = evenThreshold,
): ScreeningMetrics | null {
  if (positive === null) return null;
  const scores = binaryScores(evaluation, positive);
  // Beside an operating point the metrics are those of the more probable class.
  return screeningMetrics(operatingPoint === null ? { ...scores, threshold } : { ...scores, operatingPoint });
}

/** The images of a part, in words. */
export const partNames: Readonly<Record<ChosenPart, string>> = {
  train: 'training images',
  validation: 'validation images',
  'out-of-fold': 'out-of-fold predictions',
};

/** `sensitivity of at least 95 % on the validation images`; undefined without an operating point. */
export function describePoint(point: ChosenPoint | null): string | undefined {
  return point === null ? undefined : `${describeOperatingRule(point.rule)} on the ${partNames[point.part]}`;
}

/** How a network decides between two classes, in a sentence; null where there are more. */
export function decisionNote({
  decision,
  lacking,
}: {
  readonly decision: DecisionRule | null;
  /** Why there is no operating point, if the run wanted one. */
  readonly lacking: string | null;
}): string | null {
  if (decision === null) return null;
  const { positive, threshold, operatingPoint } = decision;
  const at = `A picture is taken for ${positive.name} where its probability reaches ${formatThreshold(threshold)}`;
  if (operatingPoint !== null) return `${at}: the operating point of the run, ${describePoint(operatingPoint)}.`;
  return lacking === null ? `${at}.` : `${at}: there is no operating point, because ${lacking}.`;
}
