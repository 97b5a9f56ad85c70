import { type Block, table } from '../../report/document.js';
import { formatProportion } from '../../report/operatingPoint.js';
import {
  type BinaryScores,
  type PredictiveValue,
  type Proportion,
  predictiveValuesAt,
  rocAuc,
  type ThresholdMetrics,
  thresholdMetrics,
} from '../../statistics/index.js';
import { formatCount, formatInterval, formatPercent } from '../../text/numbers.js';
import type { PositiveClass } from '../positive.js';
import type { Division } from './subgroups.js';

/** Subgroups with fewer images are faint: their intervals are very wide. */
export const leastOfSubgroup = 30;
const usualPrevalences = [0.01, 0.05, 0.1, 0.2];

/** A share with its interval, and the counts behind it. */
export function share(value: Proportion): string {
  const interval = value.interval === null ? '' : ` (${formatInterval(value.interval)})`;
  return `${formatProportion(value)}${interval}, ${formatCount(value.hits)} of ${formatCount(value.total)}`;
}

function aucOf(scores: BinaryScores): string {
  const auc = rocAuc(scores);
  if (auc.value === null) return `none, because ${auc.reason}`;
  return `${auc.value.toFixed(3)} (${auc.interval.map((x) => x.toFixed(3)).join(' to ')})`;
}

/** AUC, sensitivity, specificity and predictive values of some sets of images. */
export function accuracyTable(
  sets: readonly { readonly name: string; readonly scores: BinaryScores }[],
  threshold: number,
): Block {
  return table(
    ['images', 'AUC', 'sensitivity', 'specificity', 'PPV', 'NPV'],
    sets.map(({ name, scores }) => {
      const { sensitivity, specificity, ppv, npv } = thresholdMetrics(scores, threshold);
      return [name, aucOf(scores), ...[sensitivity, specificity, ppv, npv].map(share)];
    }),
  );
}

/** Counts of truth and decision. */
export function crossTable(at: ThresholdMetrics, { name, other }: PositiveClass): Block {
  return table(
    ['truth', `called ${name}`, `called ${other}`],
    [
      [name, String(at.truePositives), String(at.falseNegatives)],
      [other, String(at.falsePositives), String(at.trueNegatives)],
    ],
  );
}

/** Predictive values at usual prevalences, and at the stated one. */
export function predictiveTable(at: ThresholdMetrics, prevalence: number | undefined): Block {
  const shares = [...new Set([...(prevalence === undefined ? [] : [prevalence]), ...usualPrevalences])].sort(
    (a, b) => a - b,
  );
  const cell = (value: PredictiveValue) => {
    if (value.value === null) return `none, because ${value.reason}`;
    const interval = value.interval === null ? '' : ` (${formatInterval(value.interval)})`;
    return `${formatPercent(value.value, 1)}${interval}`;
  };
  return table(
    ['prevalence', 'PPV', 'NPV'],
    shares.map((p) => {
      const { ppv, npv } = predictiveValuesAt(at, p);
      return [`${Number((100 * p).toPrecision(3))} %`, cell(ppv), cell(npv)];
    }),
  );
}

/** AUC, sensitivity and specificity of each subgroup. */
export function subgroupTable(
  divisions: readonly Division[],
  { labels, scores }: BinaryScores,
  threshold: number,
): Block {
  const rows: string[][] = [];
  const faint: boolean[] = [];
  for (const { name, values } of divisions) {
    for (const value of [...new Set(values)].sort()) {
      const own = values.flatMap((other, i) => (other === value ? [i] : []));
      const data = {
        labels: Uint8Array.from(own, (i) => labels[i]),
        scores: Float64Array.from(own, (i) => scores[i]),
      };
      const { sensitivity, specificity } = thresholdMetrics(data, threshold);
      rows.push([`${name}: ${value}`, formatCount(own.length), aucOf(data), share(sensitivity), share(specificity)]);
      faint.push(own.length < leastOfSubgroup);
    }
  }
  return table(['subgroup', 'images', 'AUC', 'sensitivity', 'specificity'], rows, faint);
}
