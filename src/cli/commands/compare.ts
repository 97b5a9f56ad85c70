import { writeFileAtomic } from '../../io/files/atomic.js';
import { metricTitles } from '../../report/metricTitles.js';
import { type Comparison, comparePredictions } from '../../run/comparison/compare.js';
import { readSource } from '../../run/comparison/source.js';
import { higherIsBetter, type ModelComparison } from '../../statistics/index.js';
import { csvText } from '../../text/csv.js';
import { inWords } from '../../text/list.js';
import { formatCount, formatPercent } from '../../text/numbers.js';
import { formatP, pairCells, valueCells } from '../comparisonCells.js';
import { newFile } from '../newOutput.js';
import { print, printJson, printSentences, printTable, type Terminal } from '../terminal.js';

interface CompareCommandOptions {
  readonly best?: boolean;
  readonly split?: string;
  readonly metrics?: string;
  readonly positive?: string;
  readonly byImage?: boolean;
  readonly each?: boolean;
  readonly seed?: number;
  readonly differences?: string;
  readonly json?: boolean;
}

/** Pictures on which models differ that are shown without a file for all of them. */
const mostShown = 10;

/** Compares models on the same pictures by their saved predictions. */
export async function compare(
  paths: readonly string[],
  options: CompareCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const { differences: file, json = false, metrics, ...how } = options;
  if (file !== undefined) await newFile(file, 'compare', '--differences');
  const sources = [];
  for (const path of paths) sources.push(await readSource(path, options.best));
  const found = comparePredictions(sources, { ...how, metrics: metrics?.split(',') });
  if (file !== undefined) await writeFileAtomic(file, tableOf(found));
  if (json) printJson(terminal, 'compare.result', found);
  else show(found, file, terminal);
  return 0;
}

const letter = (i: number) => (i < 26 ? String.fromCharCode(65 + i) : `M${i + 1}`);

function show(found: Comparison, file: string | undefined, terminal: Terminal): void {
  const { part, images, groups, positive, models, metrics, differences } = found;
  const units = groups === null ? 'images' : `${formatCount(groups)} groups`;
  const about = positive === null ? '' : `; the positive class is ${positive}`;
  print(terminal, `${models.length} models on ${formatCount(images)} ${part} images${about}\n`);
  models.forEach(({ runs }, i) => {
    const seeds = runs.length === 1 ? '' : `  (${runs.length} seeds of one recipe; the mean of their metric counts)`;
    print(terminal, `  ${letter(i)}  ${runs.join(', ')}${seeds}`);
  });
  for (const metric of metrics) showMetric(metric, units, terminal);
  for (const { a, b, onlyA, onlyB, exact } of found.mcnemar) {
    const [x, y] = [letter(a), letter(b)];
    printSentences(
      terminal,
      `McNemar: ${formatCount(onlyA)} images that ${x} alone gets right, ${formatCount(onlyB)} that ${y} alone does; exact p ${formatP(exact)}`,
    );
  }
  if (groups !== null) {
    printSentences(terminal, "McNemar's test takes images as independent, which those of one group are not.");
  }
  print(
    terminal,
    `\nImages that are not predicted alike: ${formatCount(differences.length)} of ${formatCount(images)}`,
  );
  const shown = differences.slice(0, mostShown);
  if (shown.length > 0) {
    print(terminal, '');
    printTable(
      terminal,
      [{ header: 'image' }, { header: 'true class' }, ...models.map((_, i) => ({ header: letter(i) }))],
      shown.map(({ file: name, label, predicted, probabilities }) => [
        name,
        label,
        ...predicted.map((own, i) => `${own} ${formatPercent(probabilities[i], 1)}`),
      ]),
      { indent: 2 },
    );
  }
  if (file !== undefined) print(terminal, `\nAll of them are in ${file}.`);
  else if (differences.length > shown.length) print(terminal, '\n--differences FILE writes all of them.');
}

function showMetric(found: ModelComparison, units: string, terminal: Terminal): void {
  const { metric, models, pairs, undistinguished } = found;
  const better = higherIsBetter(metric) ? 'higher is better' : 'lower is better';
  print(terminal, `\n${metricTitles[metric]} (${better}; intervals of 95 % by resampling ${units})\n`);
  const right = (header: string) => ({ header, align: 'right' as const });
  const columns = [{ header: '' }, right('value'), { header: '95 % interval' }];
  printTable(
    terminal,
    columns,
    models.map((own, i) => [letter(i), ...valueCells(own)]),
    { indent: 2 },
  );
  print(terminal, '');
  printTable(
    terminal,
    [
      { header: '' },
      right('difference'),
      { header: '95 % interval' },
      { header: 'test' },
      right('p'),
      right('p, Holm'),
    ],
    pairs.map((pair) => [`${letter(pair.a)} − ${letter(pair.b)}`, ...pairCells(pair)]),
    { indent: 2 },
  );
  const alike = undistinguished.filter(({ length }) => length > 1).map((group) => inWords(group.map(letter)));
  print(
    terminal,
    alike.length === 0
      ? '\n  All models are distinguished (p after Holm at most 0.05).'
      : `\n  Not distinguished: ${alike.join('; ')}`,
  );
}

function tableOf({ models, differences }: Comparison): string {
  return csvText([
    [
      'file',
      'group',
      'label',
      ...models.map(({ name }) => `predicted:${name}`),
      ...models.map(({ name }) => `probability:${name}`),
    ],
    ...differences.map(({ file, group, label, predicted, probabilities }) => [
      file,
      group,
      label,
      ...predicted,
      ...probabilities,
    ]),
  ]);
}
