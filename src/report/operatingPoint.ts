import type { OperatingRule, Proportion, ScreeningMetrics, ThresholdMetrics } from '../statistics/index.js';
import { formatPercent } from '../text/numbers.js';

/** `sensitivity of at least 95 %`. */
export function describeOperatingRule(rule: OperatingRule): string {
  if (rule === 'youden') return 'highest sum of sensitivity and specificity';
  const [[name, share]] = Object.entries(rule);
  return `${name} of at least ${Number((100 * share).toFixed(2))} %`;
}

/** `96.2 %`, or a dash if there were no images to count. */
export function formatProportion({ value }: Proportion): string {
  return formatPercent(value ?? Number.NaN, 1);
}

/** The aim of an operating point, and the value that it reaches on other images. */
export interface TargetCheck {
  readonly name: 'sensitivity' | 'specificity';
  readonly wanted: number;
  /** Null if there were no images to count. */
  readonly reached: number | null;
  readonly met: boolean;
}

/** Compares the aim of an operating point with its value; null without an aim. */
export function targetOf(rule: OperatingRule, at: ThresholdMetrics): TargetCheck | null {
  if (rule === 'youden') return null;
  const [name, wanted] =
    'sensitivity' in rule ? (['sensitivity', rule.sensitivity] as const) : (['specificity', rule.specificity] as const);
  const reached = at[name].value;
  return { name, wanted, reached, met: reached !== null && reached >= wanted };
}

/** A sentence for the reader if the aim is missed on the evaluated images; else null. */
export function describeTarget({ operatingPoint, atOperatingPoint }: ScreeningMetrics): string | null {
  if (operatingPoint === null || atOperatingPoint === null) return null;
  const target = targetOf(operatingPoint.rule, atOperatingPoint);
  if (target === null || target.met || target.reached === null) return null;
  return (
    `A ${target.name} of at least ${Number((100 * target.wanted).toFixed(2))} % was wanted, and reached on the images ` +
    `that the threshold was chosen on; on these images it is ${formatPercent(target.reached, 1)}.`
  );
}
