import { wilsonInterval } from '../metric/index.js';
import { formatCount, formatPercent } from '../model/format.js';
import { formatTable } from '../model/table.js';

/** What eval and the end of a training tell of a network's answers. */

type Confusion = readonly (readonly number[])[];

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

export function accuracyFact(confusion: Confusion): [name: string, value: string] {
  const samples = sum(confusion.map(sum));
  const correct = sum(confusion.map((row, i) => row[i]));
  const [low, high] = wilsonInterval(correct, samples).map((share) => formatPercent(share));
  const wrong = formatCount(samples - correct);
  return ['accuracy', `${formatPercent(correct / samples)}  (95 % interval ${low} to ${high}; ${wrong} wrong)`];
}

export function hashFacts(data: string, weights: string): [name: string, value: string][] {
  return [
    ['data sha256', data],
    ['weights sha256', weights],
  ];
}

/** What was taken for what. */
export function confusionTable(classNames: readonly string[], confusion: Confusion): string {
  const right = (header: string) => ({ header, align: 'right' as const });
  const rows = confusion.map((row, i) => [
    classNames[i],
    ...row.map((n) => (n === 0 ? '·' : formatCount(n))),
    formatPercent(row[i] / sum(row), 1),
  ]);
  const columns = [{ header: '' }, ...classNames.map(right), right('right')];
  return `Rows are the true classes, columns what they were taken for:\n\n${formatTable(columns, rows, { indent: 2 })}`;
}
