import type { Proportion, ScreeningMetrics, ThresholdMetrics } from '../statistics/index.js';
import { formatCount, formatInterval, formatMetric, formatPercent, formatThreshold } from '../text/numbers.js';
import { describeOperatingRule, describeTarget, formatProportion } from './operatingPoint.js';

export interface ScreeningTableOptions {
  readonly positive: { readonly name: string; readonly other: string };
  /** Whether to use the words for a screening test. */
  readonly screening: boolean;
  /** Number of pictures that could not be read and are in no metric. Default 0. */
  readonly unreadable?: number | undefined;
  /** The rule and the images that chose the operating point. Default: the rule alone. */
  readonly operatingRule?: string | undefined;
}

/** Screening metrics as names and values for a terminal, without the accuracy. */
export function screeningFacts(
  metrics: ScreeningMetrics,
  options: ScreeningTableOptions,
): [name: string, value: string][] {
  const { positive, unreadable = 0 } = options;
  const prevalence = options.screening ? 'prevalence' : 'share';
  const { auc, averagePrecision, calibration, operatingPoint, atOperatingPoint } = metrics;
  const facts: [string, string][] = [
    ['positive class', `${positive.name}, not ${positive.other}`],
    [prevalence, `${formatProportion(metrics.prevalence)}  (${counted(metrics.prevalence)} images: ${positive.name})`],
    ['unreadable', unreadable === 0 ? 'none' : `${formatCount(unreadable)}, in none of these metrics`],
  ];
  if (auc.value === null) facts.push(['AUC', `–  (${auc.reason})`]);
  else {
    const [low, high] = auc.interval;
    facts.push(['AUC', `${auc.value.toFixed(4)}  (95 % interval ${low.toFixed(4)} to ${high.toFixed(4)})`]);
  }
  facts.push(
    ['average precision', averagePrecision === null ? '–' : averagePrecision.toFixed(4)],
    ['Brier score', formatMetric(metrics.brierScore)],
    ['calibration error', `${formatPercent(calibration.expectedCalibrationError, 1)}  (ECE of ten bins)`],
    ...pointFacts(metrics.atThreshold),
  );
  if (operatingPoint !== null && atOperatingPoint !== null) {
    const rule = options.operatingRule ?? describeOperatingRule(operatingPoint.rule);
    facts.push(['operating point', `${formatThreshold(operatingPoint.threshold)}  (${rule})`]);
    facts.push(...pointFacts(atOperatingPoint));
    const missed = describeTarget(metrics);
    if (missed !== null) facts.push(['aim missed', missed]);
  }
  return facts;
}

function pointFacts(at: ThresholdMetrics): [string, string][] {
  const threshold = formatThreshold(at.threshold);
  const full = (share: Proportion) => {
    const interval = share.interval === null ? '' : `; 95 % interval ${formatInterval(share.interval)}`;
    return `${formatProportion(share)}  (${counted(share)}${interval})`;
  };
  return [
    [`sensitivity at ${threshold}`, full(at.sensitivity)],
    [`specificity at ${threshold}`, full(at.specificity)],
    [`PPV at ${threshold}`, full(at.ppv)],
    [`NPV at ${threshold}`, full(at.npv)],
  ];
}

function counted({ hits, total }: Proportion): string {
  return `${formatCount(hits)} of ${formatCount(total)}`;
}
