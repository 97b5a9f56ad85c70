import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { RunFolder } from '../../src/run/folder.js';
import { readPredictions } from '../../src/run/predictions/file.js';
import { writeRedAndBlue } from '../run/redAndBlue.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, type Result, runFovea } from './run.js';

const root = temporaryFolder();
const [data, out] = ['data', 'out'].map((name) => join(root, name));
const table = join(data, 'table.csv');
const folds = 3;
let trained: Result;

const train = (...args: string[]) =>
  runFovea(...['train', 'lenet', '--no-cache', '--batch-size', '8', '--epochs', '1'], ...args);

const rowsOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  const names = await writeRedAndBlue(data, 9);
  const rows = names.map((name, i) => `${name},${name.split('/')[0]},P${i >> 1}`);
  writeFileSync(table, ['file,label,patient', ...rows].join('\n'));
  const grouped = ['--folds', String(folds), '--group', 'patient', '--calibration', 'platt'];
  trained = await train('--data', `csv:${table}`, ...grouped, '--seed', '3', '--out', out);
});

it('a training on folds gives one prediction of each picture, by the network without it', async () => {
  expect(trained).toMatchObject({ code: 0 });
  const rows = rowsOf(join(out, 'folds.csv'));
  expect(rows).toHaveLength(18);
  const foldOf = new Map(rows.map(([file, fold]) => [file, `fold-${fold}`]));
  const ofGroup = new Map<string, Set<string>>();
  for (const [, fold, group] of rows) ofGroup.set(group, (ofGroup.get(group) ?? new Set()).add(fold));
  expect([...ofGroup.values()].every(({ size }) => size === 1)).toBe(true);
  const { files, splits, groups, record } = await readPredictions(join(out, 'predictions.csv'));
  expect(new Set(files).size).toBe(18);
  files.forEach((file, i) => {
    expect(splits[i]).toBe(foldOf.get(file));
    expect(groups[i]).toMatch(/^P\d$/);
    const split = rowsOf(join(out, splits[i], 'split.csv')).find(([name]) => name === file);
    expect(split?.[1]).toBe('validation');
  });
  expect(record).toMatchObject({ calibration: 'platt', positive: 'red', weights: { length: folds } });
  expect(trained.out).toContain('each of 18 images was predicted by the network that was not trained on it');
  expect(trained.out).toMatch(/AUC +[\d.]+ +/);
  expect(trained.out).toContain('95 % interval by group (patient)');
});

it('threshold and calibration come from the out-of-fold predictions, and all networks apply them', async () => {
  const { record } = await readPredictions(join(out, 'predictions.csv'));
  for (let fold = 1; fold <= folds; fold++) {
    const folder = await RunFolder.open(join(out, `fold-${fold}`));
    const choice = await folder.readDecision(folder.weightsSha256);
    expect(choice).toMatchObject({
      part: 'out-of-fold',
      images: 18,
      operatingPoint: { threshold: record.threshold },
      calibration: { calibrator: { method: 'platt' } },
    });
    expect(await folder.isFinished()).toBe(true);
  }
  const [evaluated] = linesOf((await runFovea('eval', join(out, 'fold-1'), '--no-cache', '--json')).out);
  expect(evaluated).toMatchObject({
    sameData: true,
    decision: { threshold: record.threshold, chosenOn: 'out-of-fold' },
  });
  const results = JSON.parse(readFileSync(join(out, 'out-of-fold.json'), 'utf8'));
  const accuracy = results.metrics.find(({ metric }: { metric: string }) => metric === 'accuracy');
  expect(accuracy).toMatchObject({ folds: { length: folds }, byGroup: { groups: 9 }, byImage: { groups: 18 } });
});

it('a data check takes the out-of-fold predictions of all pictures', async () => {
  const { code, out: checked } = await runFovea('data', 'check', `csv:${table}`, '--predictions', out, '--json');
  const [{ leftOut, pictures }] = linesOf(checked);
  // Without predictions, 18 pictures are too few to look for wrong labels.
  expect([code, leftOut, pictures]).toEqual([0, [], 18]);
});

it('is no run, and other commands name its folds', async () => {
  const evaluated = await runFovea('eval', out);
  expect(evaluated).toMatchObject({ code: 2, err: expect.stringContaining(`such as ${join(out, 'fold-1')}`) });
});

it('a training that was stopped between folds is resumed, and ends with the same weights', async () => {
  const before = (await RunFolder.open(join(out, 'fold-3'))).weightsSha256;
  const predictions = readFileSync(join(out, 'predictions.csv'), 'utf8');
  for (const name of ['fold-3', 'predictions.csv', 'out-of-fold.json']) rmSync(join(out, name), { recursive: true });
  const resumed = await runFovea('train', '--resume', out, '--no-cache');
  expect(resumed).toMatchObject({ code: 0, out: expect.stringContaining('Fold 2 of 3: trained before') });
  expect((await RunFolder.open(join(out, 'fold-3'))).weightsSha256).toBe(before);
  expect(readFileSync(join(out, 'predictions.csv'), 'utf8')).toBe(predictions);
  const epochs = await runFovea('train', '--resume', out, '--epochs', '2');
  expect(epochs).toMatchObject({ code: 2, err: expect.stringContaining('--epochs: expected none') });
});

it('the run of a fold is repeated with its fold', async () => {
  const again = await runFovea('train', '--repeat', join(out, 'fold-2'), '--no-cache', '--out', join(root, 'again'));
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining('all weights are equal') });
});

it('an edited division is refused', async () => {
  const path = join(out, 'folds.csv');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(/,1,(P\d),/, ',2,$1,'));
  const refused = await runFovea('train', '--resume', out, '--no-cache');
  writeFileSync(path, text);
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('the table was edited or cut') });
});

it.each([
  [['--data', `csv:${table}`, '--hold-out', '0.3'], 'since each fold is held out once'],
  [
    ['--data', `csv:${table}`, '--group', 'patient', '--folds', '10'],
    'groups: expected at least 10 for 10 folds, got 9',
  ],
  [['--data', `csv:${table}`, '--folds', '1'], 'expected an integer of at least 2'],
  [['--data', `palm:${data}`], ''],
])('a training on folds with %s is refused, and leaves no folder', async (args, message) => {
  const refused = join(root, 'refused');
  const result = await train('--folds', '2', ...args, '--out', refused);
  expect(result).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  await expect(RunFolder.begun(join(refused, 'fold-1'))).rejects.toThrow();
});
