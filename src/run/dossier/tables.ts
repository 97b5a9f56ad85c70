import { type Block, table } from '../../report/document.js';
import { formatProportion } from '../../report/operatingPoint.js';
import {
  type BinaryScores,
  bootstrapAll,
  type PredictiveValue,
  type Proportion,
  predictiveValuesAt,
  prepareMetric,
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

function aucOf(scores: BinaryScores, groups?: readonly string[]): string {
  const auc = rocAuc(scores, { groups });
  if (auc.value === null) return `none, because ${auc.reason}`;
  return `${auc.value.toFixed(3)} (${auc.interval.map((x) => x.toFixed(3)).join(' to ')})`;
}

/** A row of {@link accuracyTable}. */
export interface AccuracyRow {
  readonly name: string;
  readonly scores: BinaryScores;
  /** The group of each image, if the intervals are to allow for groups. */
  readonly groups?: readonly string[] | undefined;
}

/** AUC, sensitivity, specificity and predictive values of some sets of images. */
export function accuracyTable(rows: readonly AccuracyRow[], threshold: number): Block {
  return table(
    ['images', 'AUC', 'sensitivity', 'specificity', 'PPV', 'NPV'],
    rows.map(({ name, scores, groups }) => {
      const at = thresholdMetrics(scores, threshold);
      const values = shareNames.map((share) => at[share]);
      const cells = groups === undefined ? values.map(share) : sharesByGroup(scores, groups, threshold, values);
      return [name, aucOf(scores, groups), ...cells];
    }),
  );
}

const shareNames = ['sensitivity', 'specificity', 'ppv', 'npv'] as const;

/** The shares with intervals by resampling groups. */
function sharesByGroup(
  { labels, scores }: BinaryScores,
  groups: readonly string[],
  threshold: number,
  values: readonly Proportion[],
): string[] {
  const predictions = {
    labels,
    probabilities: Float64Array.from({ length: 2 * labels.length }, (_, i) =>
      i % 2 === 1 ? scores[i >> 1] : 1 - scores[i >> 1],
    ),
    classes: 2,
    predicted: Uint8Array.from(scores, (score) => Number(score >= threshold)),
  };
  const found = bootstrapAll(
    shareNames.map((name) => prepareMetric(name, predictions)),
    { samples: labels.length, groups },
  );
  return found.map(({ interval, ...own }, i) => {
    if (values[i].value === null) return share(values[i]);
    const text = interval === null ? `no interval: ${'reason' in own ? own.reason : ''}` : formatInterval(interval);
    return `${formatProportion(values[i])} (${text})`;
  });
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
