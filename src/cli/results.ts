import { calibrationRows, reliabilityRows } from '../report/calibration.js';
import { classColumns, classTable } from '../report/classTable.js';
import { confusedPairs } from '../report/confusedPairs.js';
import { intervalCells, intervalReasons } from '../report/intervalsSection.js';
import type { PredictionIntervals } from '../run/predictions/intervals.js';
import { type CalibrationSummary, type MetricValue, type Proportion, wilsonInterval } from '../statistics/index.js';
import { inWords } from '../text/list.js';
import { formatCount, formatInterval, formatPercent } from '../text/numbers.js';
import { displayWidth, formatTable } from '../text/table.js';
import { print, printSentences, printTable, type Terminal, widthOf } from './terminal.js';

/** The results of a network that eval and the end of a training print. */

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

/** The widest line of a confusion matrix, in cells, if the output is no terminal. */
const usualWidth = 100;
/** Longest list of pairs of classes. */
const maxPairs = 15;

/**
 * Prints the confusion matrix. Where it would be wider than a line, it prints the recall of each class and
 * the pairs of classes that are confused most often instead.
 */
export function printConfusion(terminal: Terminal, classNames: readonly string[], confusion: Confusion): void {
  const matrix = confusionTable(classNames, confusion);
  const widest = Math.max(...matrix.split('\n').map(displayWidth));
  if (widest <= (widthOf(terminal) ?? usualWidth)) {
    print(terminal, matrix);
    return;
  }
  const right = (header: string) => ({ header, align: 'right' as const });
  const share = (part: number, whole: number) => formatPercent(part / whole, 1);
  printTable(
    terminal,
    [{ header: 'class' }, right('images'), right('right'), right('share')],
    confusion.map((row, i) => [classNames[i], formatCount(sum(row)), formatCount(row[i]), share(row[i], sum(row))]),
    { indent: 2 },
  );
  const pairs = confusedPairs({ classNames, confusion });
  if (pairs.length === 0) return;
  const shown = pairs.slice(0, maxPairs);
  print(terminal, `\nConfused most often (${shown.length} of ${formatCount(pairs.length)} pairs; --json has all):\n`);
  printTable(
    terminal,
    [{ header: 'true class' }, { header: 'taken for' }, right('images'), right('share')],
    shown.map(({ truth, predicted, count, share: part }) => [
      classNames[truth],
      classNames[predicted],
      formatCount(count),
      formatPercent(part, 1),
    ]),
    { indent: 2 },
  );
}

function confusionTable(classNames: readonly string[], confusion: Confusion): string {
  const right = (header: string) => ({ header, align: 'right' as const });
  const rows = confusion.map((row, i) => [
    classNames[i],
    ...row.map((n) => (n === 0 ? '·' : formatCount(n))),
    formatPercent(row[i] / sum(row), 1),
  ]);
  const columns = [{ header: '' }, ...classNames.map(right), right('right')];
  return `Rows are the true classes, columns what they were taken for:\n\n${formatTable(columns, rows, { indent: 2 })}`;
}

/** Prints the calibration of probabilities before and after, with the reliability curve. */
export function printCalibration(
  terminal: Terminal,
  title: string,
  { before, after }: { readonly before: CalibrationSummary; readonly after: CalibrationSummary },
): void {
  const right = (header: string) => ({ header, align: 'right' as const });
  print(terminal, `${title}:`);
  const columns = [{ header: '' }, { header: 'before' }, { header: 'after' }];
  printTable(terminal, columns, calibrationRows(before, after), { indent: 2 });
  print(terminal, '');
  const half = [right('images'), right('mean'), right('share')];
  printTable(terminal, [{ header: 'probability' }, ...half, ...half], reliabilityRows(before, after), { indent: 2 });
  print(terminal, '');
}

/** Metrics with intervals by image and, where images have groups, by group. */
export function printIntervals(terminal: Terminal, { groups, metrics }: PredictionIntervals): void {
  print(terminal, '');
  printTable(
    terminal,
    [
      { header: 'metric' },
      { header: 'value', align: 'right' },
      { header: '95 % interval by image' },
      ...(groups === null ? [] : [{ header: `by group, of ${formatCount(groups)}` }]),
    ],
    metrics.map(intervalCells),
    { indent: 2 },
  );
  print(terminal, '');
  for (const reason of intervalReasons(metrics)) printSentences(terminal, `  ${reason}`);
}

/** Tables of more classes are left to the report and to JSON. */
const mostClasses = 30;

/** Each class against the rest: precision, recall and specificity with intervals after Wilson, and means. */
export function printClasses(terminal: Terminal, classNames: readonly string[], confusion: Confusion): void {
  if (classNames.length > mostClasses) return;
  const { rows, macro, weighted, leftOut } = classTable({ classNames, confusion });
  const cell = (found: Proportion | MetricValue) => {
    if (found.value === null) return '–';
    const interval = 'interval' in found ? found.interval : null;
    return `${formatPercent(found.value, 1)}${interval === null ? '' : ` (${formatInterval(interval)})`}`;
  };
  const right = (header: string) => ({ header, align: 'right' as const });
  print(terminal, '');
  printTable(
    terminal,
    [{ header: 'class against the rest' }, right('images'), ...classColumns.map(right)],
    [
      ...rows.map(({ images, values }, c) => [classNames[c], formatCount(images), ...values.map(cell)]),
      ['mean', '', ...macro.values.map(cell)],
      ['mean, weighted by images', '', ...weighted.values.map(cell)],
    ],
    { indent: 2 },
  );
  if (leftOut.length > 0) printSentences(terminal, `  Without a value and left out of means: ${inWords(leftOut)}.`);
}
