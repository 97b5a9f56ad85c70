import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { readPredictions } from '../../src/run/predictions/file.js';
import { writeRedAndBlue } from '../run/redAndBlue.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, runFovea } from './run.js';

const root = temporaryFolder();
const [data, run] = ['data', 'run'].map((name) => join(root, name));
const table = join(data, 'table.csv');
let rows: string[] = [];

const train = (...args: string[]) =>
  runFovea(
    ...['train', 'zoo-squeezenet1_1', '--size', '40', '--no-cache', '--batch-size', '8', '--epochs', '1'],
    ...args,
  );

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  const names = await writeRedAndBlue(data, 8);
  rows = names.map((name, i) => `${name},${name.split('/')[0]},P${i >> 1}`);
  writeFileSync(table, ['file,label,patient', ...rows].join('\n'));
});

it('a run keeps its split as a table, and resume and eval restore it', async () => {
  const args = ['--data', `csv:${table}`, '--group', 'patient', '--hold-out', '0.25,0.25', '--seed', '2'];
  const { code, out } = await train(...args, '--out', run);
  expect(code).toBe(0);
  expect(out).toContain('25 % of each class held out, 25 % for the test, pictures of one group (patient) together');
  const [header, ...lines] = readFileSync(join(run, 'split.csv'), 'utf8').trimEnd().split('\n');
  expect(header).toBe('file,split,group,label');
  expect(lines).toHaveLength(16);
  const partsOf = new Map<string, Set<string>>();
  for (const line of lines) {
    const [file, part, group, label] = line.split(',');
    expect(rows).toContain(`${file},${label},${group}`);
    partsOf.set(group, (partsOf.get(group) ?? new Set()).add(part));
  }
  expect([...partsOf.values()].every(({ size }) => size === 1)).toBe(true);
  const { groups, splits, files } = await readPredictions(join(run, 'predictions.csv'));
  expect(new Set(splits)).toEqual(new Set(['validation', 'test']));
  files.forEach((file, i) => {
    expect(lines.some((line) => line.startsWith(`${file},${splits[i]},${groups[i]},`))).toBe(true);
  });
  // The new picture, another order of rows and another column must change nothing.
  await writeRedAndBlue(join(root, 'more'), 1, 99);
  writeFileSync(join(data, 'red', 'new.png'), readFileSync(join(root, 'more', 'red', 'red0.png')));
  writeFileSync(table, ['file,label', ...rows.map((row) => row.replace(/,P\d+$/, '')), 'red/new.png,red'].join('\n'));
  const resumed = await runFovea('train', '--resume', run, '--epochs', '2', '--no-cache');
  expect(resumed.err).not.toContain('expected');
  expect(resumed).toMatchObject({ code: 0, out: expect.stringContaining('does not have are left out: red/new.png') });
  const [evaluated] = linesOf((await runFovea('eval', run, '--split', 'test', '--no-cache', '--json')).out);
  expect(evaluated).toMatchObject({
    split: 'test',
    sameData: true,
    images: splits.filter((part) => part === 'test').length,
    // Two pictures a patient.
    intervals: {
      groups: splits.filter((part) => part === 'test').length / 2,
      metrics: expect.arrayContaining([expect.objectContaining({ metric: 'brierScore', byGroup: expect.anything() })]),
    },
  });
  writeFileSync(join(run, 'split.csv'), readFileSync(join(run, 'split.csv'), 'utf8').replace(',test,', ',train,'));
  const edited = await runFovea('eval', run, '--no-cache');
  expect(edited).toMatchObject({ code: 2, err: expect.stringContaining('it was edited or cut') });
});

it.each([
  [['--hold-out', '0.6,0.6'], 'expected a sum below 1'],
  [['--hold-out', '0.2,0.2,0.2'], 'or two of them: validation,test'],
  [['--group', 'nothing'], "expected one column 'nothing'"],
])('a training with %s is refused, and leaves no folder', async (args, message) => {
  const result = await train('--data', `csv:${table}`, ...args, '--out', join(root, 'refused'));
  expect(result).toMatchObject({ code: 2, err: expect.stringContaining(message) });
});
