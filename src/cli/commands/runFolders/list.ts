import { existsSync } from 'node:fs';
import { InputError } from '../../../errors.js';
import { writeFileAtomic } from '../../../io/files/atomic.js';
import { namedDatasets } from '../../../run/catalog/datasets.js';
import { namedModels } from '../../../run/catalog/models.js';
import { listRuns, metricsOf, type RunEntry, stateOfRun } from '../../../run/overview/runEntry.js';
import { csvText } from '../../../text/csv.js';
import { formatCount, formatMetric, formatPercent } from '../../../text/numbers.js';
import { suggestion } from '../../../text/suggest.js';
import { newFile } from '../../newOutput.js';
import { complain, print, printJson, printTable, type Terminal } from '../../terminal.js';

interface RunListOptions {
  readonly model?: string;
  readonly data?: string;
  readonly sort?: string;
  readonly json?: boolean;
}

/** The facts of a run in lists, tables and JSON. */
function rowOf(run: RunEntry) {
  const { config, history, path } = run;
  const [validation, test] = (['validation', 'test'] as const).map((split) => metricsOf(run, split));
  return {
    run: path,
    model: config.model.name,
    data: config.data.title,
    started: config.started,
    state: stateOfRun(run),
    epochs: history.length,
    seed: config.seed,
    loss: validation.loss,
    accuracy: validation.accuracy,
    testLoss: test.loss,
    testAccuracy: test.accuracy,
  };
}

type Row = ReturnType<typeof rowOf>;

/** Lists the runs of a folder. */
export async function listOfRuns(folder: string, options: RunListOptions, terminal: Terminal): Promise<number> {
  const { rows, broken } = await found(folder, options);
  if (options.json) {
    for (const row of rows) printJson(terminal, 'runs.run', row);
    for (const { path, problem } of broken) printJson(terminal, 'runs.broken', { run: path, error: problem });
  } else if (rows.length > 0) {
    const share = (value: number | null) => (value === null ? '–' : formatPercent(value));
    const right = (header: string) => ({ header, align: 'right' as const });
    printTable(
      terminal,
      [
        { header: 'run' },
        { header: 'network' },
        { header: 'state' },
        right('accuracy'),
        right('loss'),
        right('test accuracy'),
      ],
      rows.map((row) => [
        row.run,
        row.model,
        row.state,
        share(row.accuracy),
        row.loss === null ? '–' : formatMetric(row.loss),
        share(row.testAccuracy),
      ]),
    );
  } else print(terminal, `No runs in ${folder} fit.`);
  for (const { problem } of broken) complain(terminal, problem);
  return 0;
}

/** Writes the same as a table. */
export async function exportRuns(
  folder: string,
  options: RunListOptions & { readonly out?: string },
  terminal: Terminal,
): Promise<number> {
  const { out } = options;
  if (out !== undefined) await newFile(out, 'runs', '--out');
  const { rows, broken } = await found(folder, options);
  const text = csvText([columns, ...rows.map((row) => columns.map((column) => row[column]))]);
  if (out === undefined) terminal.stdout.write(text);
  else {
    await writeFileAtomic(out, text);
    print(terminal, `${formatCount(rows.length)} runs in ${out}`);
  }
  for (const { problem } of broken) complain(terminal, problem);
  return 0;
}

const columns = [
  ...(['run', 'model', 'data', 'started', 'state', 'epochs', 'seed'] as const),
  ...(['loss', 'accuracy', 'testLoss', 'testAccuracy'] as const),
] satisfies (keyof Row)[];

/** The name of a command is in the place of the folder. */
function requireFolder(folder: string): void {
  const near = suggestion(folder, ['list', 'show', 'compare', 'export']);
  if (near !== '') throw new InputError(`[runs] ${folder}: expected a folder with runs, got nothing there${near}`);
}

/** A filter that no run can pass is a mistake. */
function requireKnown(option: string, name: string | undefined, names: readonly string[]): void {
  if (name === undefined || names.includes(name)) return;
  throw new InputError(
    `[runs] ${option}: expected one of ${names.join(', ')}, got '${name}'${suggestion(name, names)}`,
  );
}

/** The columns by which a list may be sorted; better values come first. */
async function found(folder: string, { model, data, sort = 'started' }: RunListOptions) {
  if (!(columns as readonly string[]).includes(sort)) {
    throw new InputError(`[runs] --sort: expected ${columns.join(', ')}, got '${sort}'${suggestion(sort, columns)}`);
  }
  if (!existsSync(folder)) requireFolder(folder);
  const { runs, broken } = await listRuns(folder);
  const fits = ({ config }: RunEntry) =>
    (model === undefined || config.model.name === model) && (data === undefined || config.data.name === data);
  const rows = runs.filter(fits).map(rowOf);
  if (rows.length === 0) {
    requireKnown('--model', model, Object.keys(namedModels));
    requireKnown('--data', data, Object.keys(namedDatasets));
  }
  rows.sort((a, b) => order(a, b, sort as keyof Row));
  return { rows, broken };
}

/** Small losses and large accuracies come first; runs without the value come last. */
function order(a: Row, b: Row, key: keyof Row): number {
  const [x, y] = [a[key], b[key]];
  if (x === null || y === null) return Number(x === null) - Number(y === null);
  const sign = key === 'accuracy' || key === 'testAccuracy' ? -1 : 1;
  return x === y ? 0 : sign * (x < y ? -1 : 1);
}
