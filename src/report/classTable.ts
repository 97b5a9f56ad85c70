import { type ClassMeans, confusionMetrics, type MetricValue, type Proportion } from '../statistics/index.js';
import type { Confusion } from './data.js';

const columns = ['ppv', 'sensitivity', 'specificity', 'f1'] as const;

/** The metrics of each class against the rest, in the order of {@link classColumns}. */
export interface ClassTable {
  readonly rows: readonly ClassRow[];
  readonly macro: ClassRow;
  readonly weighted: ClassRow;
  /** Names of the classes without some value, which its means leave out. */
  readonly leftOut: readonly string[];
}

export interface ClassRow {
  readonly images: number;
  readonly values: readonly (Proportion | MetricValue)[];
}

/** Headings of the values. */
export const classColumns = ['precision', 'recall', 'specificity', 'F1'] as const;

export function classTable({ classNames, confusion }: Confusion): ClassTable {
  const { perClass, macro, weighted, samples } = confusionMetrics(confusion);
  const mean = (means: ClassMeans) => ({ images: samples, values: columns.map((name) => means[name]) });
  return {
    rows: perClass.map((own) => ({
      images: own.truePositives + own.falseNegatives,
      values: columns.map((name) => own[name]),
    })),
    macro: mean(macro),
    weighted: mean(weighted),
    leftOut: [...new Set(columns.flatMap((name) => macro[name].leftOut))].map((c) => classNames[c]),
  };
}
