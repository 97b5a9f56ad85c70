import {
  type BinaryScores,
  type OperatingPoint,
  type OperatingRule,
  type ScreeningFigures,
  screeningFigures,
  type ThresholdFigures,
} from '../metric/index.js';
import type { Evaluation } from './evaluate.js';
import { formatPercent, formatThreshold } from './format.js';
import type { PositiveClass } from './positive.js';

/** The threshold of a decision that nobody chose: the more probable class. */
const evenThreshold = 0.5;

/** How a network decides between two classes. */
export interface DecisionRule {
  readonly positive: PositiveClass;
  /** Probability of the positive class from which on a picture is taken for it. */
  readonly threshold: number;
  /** How the threshold was chosen, on the training images; null for 0.5, which nobody chose. */
  readonly operatingPoint: OperatingPoint | null;
}

/** What a network takes one picture for. */
export interface Decision {
  /** The class that the picture is taken for. */
  readonly class: string;
  readonly positiveClass: string;
  /** Of the positive class. */
  readonly probability: number;
  readonly threshold: number;
  /** Null for a threshold of 0.5 that nobody chose. */
  readonly rule: OperatingRule | null;
}

export function decisionRule(positive: PositiveClass, operatingPoint: OperatingPoint | null): DecisionRule {
  return { positive, threshold: operatingPoint?.threshold ?? evenThreshold, operatingPoint };
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

/** The figures of the positive class; null without one. */
export function screeningOf(
  evaluation: Pick<Evaluation, 'labels' | 'probabilities'>,
  positive: PositiveClass | null,
  operatingPoint: OperatingPoint | null,
): ScreeningFigures | null {
  if (positive === null) return null;
  return screeningFigures({ ...binaryScores(evaluation, positive), ...(operatingPoint && { operatingPoint }) });
}

/** What an operating point was to reach, and what it reached on other images. */
export interface Target {
  readonly name: 'sensitivity' | 'specificity';
  readonly wanted: number;
  /** Null where there were no images to count. */
  readonly reached: number | null;
  readonly met: boolean;
}

/** Compares the aim of an operating point with what it gives; null without an aim. */
export function targetOf(rule: OperatingRule, at: ThresholdFigures): Target | null {
  if (rule === 'youden') return null;
  const [name, wanted] =
    'sensitivity' in rule ? (['sensitivity', rule.sensitivity] as const) : (['specificity', rule.specificity] as const);
  const reached = at[name].value;
  return { name, wanted, reached, met: reached !== null && reached >= wanted };
}

/** A sentence where the aim is missed on the judged images; else null. */
export function describeTarget({ operatingPoint, atOperatingPoint }: ScreeningFigures): string | null {
  if (operatingPoint === null || atOperatingPoint === null) return null;
  const target = targetOf(operatingPoint.rule, atOperatingPoint);
  if (target === null || target.met || target.reached === null) return null;
  return (
    `A ${target.name} of at least ${Number((100 * target.wanted).toFixed(2))} % was wanted, and reached on the training ` +
    `images that the threshold was chosen on; on these images it is ${formatPercent(target.reached, 1)}.`
  );
}
