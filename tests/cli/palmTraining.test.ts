import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, runFovea } from './run.js';

const root = temporaryFolder();
const archives = join(root, 'archives');
const palm = join(root, 'palm');
const folder = join(root, 'run');
const validation = join(palm, 'PALM-Validation400');

let imported: Record<string, unknown>;

async function succeeds(...args: string[]): Promise<string> {
  const { code, out, err } = await runFovea(...args);
  expect(err).not.toContain('fovea:');
  expect(code).toBe(0);
  return out;
}

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  await succeeds('data', 'palm', 'synth', '--out', archives, '--train', '20', '--validation', '14', '--size', '96');
  [imported] = linesOf(await succeeds('data', 'palm', 'import', archives, '--out', palm, '--no-cache', '--json'));
});

describe('a training on iChallenge-PM', () => {
  it('follows its recipe, and reports the metrics of a screening test', async () => {
    const args = ['--data', `palm:${palm}`, '--size', '40', '--epochs', '1', '--log-every', '1', '--no-cache'];
    const { code, out, err } = await runFovea('train', 'googlenet', ...args, '--out', folder);
    expect(code).toBe(0);
    expect(out).toContain('20 training and 14 validation images');
    expect(out).toContain(
      'Momentum 0.9, learning rate 0.001, weight decay 0.001, batch size 10, shuffled, 1 epoch, binary',
    );
    // A slow evaluation shows its progress too.
    expect(err.split('\n').filter((line) => line.includes('loss'))).toHaveLength(2);
    const { data } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    expect(data.images).toMatchObject({ order: 'BGR' });
    expect(out).toMatch(/accuracy +\d.* % {2}\(95 % interval .*; \d+ wrong\)/);
    expect(out).toMatch(/data sha256 +[0-9a-f]{64}\n +weights sha256 +[0-9a-f]{64}\n/);
    expect(out).toMatch(/Rows are the true classes.*\n\n.*non-PM +PM +right/);
    for (const metric of ['AUC', 'sensitivity at 0.5', 'specificity at 0.5', 'operating point', 'Brier score']) {
      expect(out).toContain(metric);
    }
    expect(out).toContain('Fovea is no medical device.');
    expect(out).toContain('positive class  PM, not non-PM, by their names');
    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(page).toContain('The pictures are synthetic.');
    expect(page).toContain('no medical device');
  });

  it('is evaluated on either set, to the metrics of the training', async () => {
    const [record] = linesOf(readFileSync(join(folder, 'metrics.jsonl'), 'utf8'));
    const args = ['--data', `palm:${palm}`, '--json', '--no-cache'];
    const [evaluated] = linesOf(await succeeds('eval', folder, ...args));
    expect(evaluated).toMatchObject({ split: 'validation', images: 14, sameData: true, synthetic: true });
    expect(imported.sha256).toMatchObject({ validation: evaluated.sha256 });
    expect(evaluated.accuracy).toBe(record.evalAccuracy);
    expect(evaluated.loss).toBeCloseTo(record.evalLoss as number, 5);
    const [training] = linesOf(await succeeds('eval', folder, ...args, '--split', 'train'));
    expect(training).toMatchObject({ split: 'train', images: 20, sameData: true });
    const report = join(root, 'evaluated.html');
    const text = await succeeds('eval', folder, '--no-cache', '--report', report);
    expect(text).toContain('drawn pictures, not photographs');
    expect(text).toMatch(
      new RegExp(`data sha256 +${evaluated.sha256}\\n +weights sha256 +${evaluated.weightsSha256}\\n`),
    );
    const page = readFileSync(report, 'utf8');
    for (const part of [
      'Evaluation report',
      'Evaluated on 14 validation images',
      'ROC curve',
      evaluated.sha256,
      evaluated.weightsSha256,
    ]) {
      expect(page).toContain(part);
    }
    expect(page).not.toMatch(/Learning curves|No epoch was completed/);
    const again = await runFovea('eval', folder, '--report', report);
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('expected a new file') });
  });

  it('hands in predictions in the form of the challenge', async () => {
    const table = await runFovea('predict', folder, validation, '--csv');
    expect(table.err).toMatch(/trained on drawn pictures.* no medical device/);
    expect((await succeeds('predict', folder, join(validation, 'V0003.jpg'))).trimEnd()).toMatch(
      /no medical device\..*$/,
    );
    const rows = table.out.trimEnd().split('\n');
    expect(rows[0]).toBe('FileName,PM Risk');
    expect(rows.slice(1).map((row) => row.split(',')[0])).toEqual(
      Array.from({ length: 14 }, (_, i) => `V${String(i + 1).padStart(4, '0')}.jpg`),
    );
    for (const row of rows.slice(1)) expect(row).toMatch(/^V\d{4}\.jpg,[01]\.\d{6}$/);
    const [file] = linesOf(await succeeds('predict', folder, join(validation, 'V0003.jpg'), '--json'));
    const classes = file.classes as { name: string; probability: number }[];
    const risk = classes.find(({ name }) => name === 'PM')?.probability as number;
    // Alone it runs through other kernels than in a batch.
    expect(Number(rows[3].split(',')[1])).toBeCloseTo(risk, 4);
  });

  it('is divided into folds of both sets, with every picture held out once', async () => {
    const out = join(root, 'folds');
    const args = ['--data', `palm:${palm}`, '--folds', '2', '--epochs', '1', '--batch-size', '9', '--no-cache'];
    await succeeds('train', 'lenet', ...args, '--out', out);
    const rows = readFileSync(join(out, 'folds.csv'), 'utf8').trimEnd().split('\n').slice(1);
    expect(rows).toHaveLength(34);
    const heldOut = new Map(rows.map((row) => row.split(',').slice(0, 2) as [string, string]));
    for (const number of ['1', '2']) {
      const split = readFileSync(join(out, `fold-${number}`, 'split.csv'), 'utf8')
        .trimEnd()
        .split('\n')
        .slice(1);
      expect(split).toHaveLength(34);
      for (const [file, part] of split.map((row) => row.split(','))) {
        expect(part).toBe(heldOut.get(file) === number ? 'validation' : 'train');
      }
      const { data } = JSON.parse(readFileSync(join(out, `fold-${number}`, 'config.json'), 'utf8'));
      expect(data.images).toMatchObject({ order: 'BGR' });
      const [evaluated] = linesOf(await succeeds('eval', join(out, `fold-${number}`), '--json', '--no-cache'));
      expect(evaluated).toMatchObject({
        sameData: true,
        images: [...heldOut.values()].filter((f) => f === number).length,
      });
    }
  });

  it('has no third part', async () => {
    const { code, err } = await runFovea('eval', folder, '--split', 'all');
    expect(err).toContain('[palm] split: expected train or validation, got all');
    expect(code).toBe(2);
  });
});
