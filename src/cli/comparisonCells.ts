import type { ModelComparison, PairComparison } from '../statistics/index.js';
import { formatMetric } from '../text/numbers.js';

/** Value and interval of a metric, or the reasons why there are none. */
export function valueCells(own: ModelComparison['models'][0]): [value: string, interval: string] {
  const { value, interval } = own;
  const reason = 'reason' in own ? own.reason : undefined;
  return [
    value === null ? 'none' : formatMetric(value),
    interval === null ? `none: ${reason}` : `${formatMetric(interval[0])} to ${formatMetric(interval[1])}`,
  ];
}

/** Difference, interval, test, p-value, and that after Holm. */
export function pairCells({ difference, test, pValue, adjusted }: PairComparison): string[] {
  return [
    ...valueCells(difference),
    { delong: 'DeLong, paired', mcnemar: 'McNemar, exact', bootstrap: 'bootstrap, paired' }[test],
    pValue.value === null ? `none: ${pValue.reason}` : formatP(pValue.value),
    adjusted === null ? '–' : formatP(adjusted),
  ];
}

export function formatP(p: number): string {
  return p < 0.0001 ? '< 0.0001' : p.toFixed(4);
}
