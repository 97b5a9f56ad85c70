import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { placeOf } from '../../src/run/dossier/place.js';
import { evaluateRun, openRun } from '../../src/run/evaluate.js';
import { RunFolder } from '../../src/run/folder.js';
import { readPredictions } from '../../src/run/predictions/file.js';
import { choicesOf } from '../../src/run/results/selection.js';
import type { Techniques } from '../../src/run/trainingOptions.js';
import { calibrate } from '../../src/statistics/index.js';
import { writeRedAndBlue } from '../run/redAndBlue.js';
import { temporaryFolder } from '../temporary.js';
import { linesOf, runFovea } from './run.js';

const root = temporaryFolder();
const [data, other, strange, run] = ['data', 'other', 'strange', 'run'].map((name) => join(root, name));

const train = (...args: string[]) =>
  runFovea(
    ...['train', 'zoo-squeezenet1_1', '--size', '40', '--no-cache', '--batch-size', '8', '--lr', '0.01', '--seed', '1'],
    ...args,
  );

// A report is too long for the message of a failed test.
const hasText = (path: string, text: string) => readFileSync(path, 'utf8').includes(text);

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  for (const [part, count] of Object.entries({ train: 8, val: 3, test: 4 }))
    await writeRedAndBlue(join(data, part), count);
  await writeRedAndBlue(join(other, 'pictures'), 5);
  await writeRedAndBlue(strange, 2);
  renameSync(join(strange, 'blue'), join(strange, 'green'));
});

describe('test images', () => {
  it('are evaluated once after the training, with the last and the best weights, and are in all results', async () => {
    const best = ['--epochs', '2', '--save-best', 'loss', '--calibration', 'platt'];
    const { code, out } = await train('--data', `folder:${data}`, '--out', run, ...best);
    expect(code).toBe(0);
    expect(out).toContain('16 training, 6 validation and 8 test images');
    expect(out).toContain('8 test images, which chose nothing:');
    expect(out).toMatch(/last weights +accuracy [\d.]+ %/);
    expect(out).toMatch(/best weights +accuracy [\d.]+ %/);
    expect(out).not.toContain('optimistic');
    expect(hasText(join(run, 'report.html'), '<h2>Test images</h2>')).toBe(true);
    const folder = await RunFolder.open(run);
    const results = (await folder.readResults())?.evaluations ?? [];
    expect(results.map(({ weights, split, images }) => [weights, split, images])).toEqual([
      ['last', 'validation', 6],
      ['last', 'test', 8],
      ['best', 'validation', 6],
      ['best', 'test', 8],
    ]);
    const { weightsSha256 } = await openRun(run, { best: true });
    for (const file of ['predictions.csv', 'predictions-best.csv']) {
      const { splits, files } = await readPredictions(join(run, file));
      expect(splits).toEqual([...new Array(6).fill('validation'), ...new Array(8).fill('test')]);
      expect(files[13]).toBe('test/red/red3.png');
    }
    await expect(readPredictions(join(run, 'predictions-best.csv'), { weightsSha256 })).resolves.toBeDefined();
    const [evaluated] = linesOf((await runFovea('eval', run, '--split', 'test', '--no-cache', '--json')).out);
    expect(evaluated).toMatchObject({ split: 'test', images: 8, sameData: true, optimism: null });
    expect(evaluated.accuracy).toBe(results[1].accuracy);
    expect(out).toMatch(/Calibration, Platt scaling \(slope .*\), fitted on 6 validation images:/);
    expect(out).toContain('Calibration, on 8 test images, which chose nothing:');
    expect(hasText(join(run, 'report.html'), '<h2>Calibration</h2>')).toBe(true);
    expect(results[1].calibration?.after?.samples).toBe(8);
  });

  it('and prediction apply the threshold and the calibration that the validation images chose', async () => {
    for (const best of [false, true]) {
      const { weightsSha256, calibrator, decision, folder } = await openRun(run, { best });
      const choice = await folder.readDecision(weightsSha256);
      expect(choice).toMatchObject({ weightsSha256, part: 'validation', images: 6 });
      expect(choice?.calibration).toMatchObject({ calibrator: { method: 'platt' }, before: { samples: 6 } });
      if (calibrator === null || decision === null) throw new Error('expected a calibration and a threshold');
      const { probabilities, logits, record } = await readPredictions(
        join(run, best ? 'predictions-best.csv' : 'predictions.csv'),
      );
      expect(record).toMatchObject({ calibration: 'platt', threshold: decision.threshold });
      expect(probabilities).toEqual(Float32Array.from(calibrate(calibrator, logits, 2)));
    }
    const csv = await runFovea('predict', run, join(data, 'test', 'red', 'red0.png'), '--csv');
    const stored = await readPredictions(join(run, 'predictions.csv'));
    const own = stored.files.indexOf('test/red/red0.png');
    const [, row] = csv.out.trim().split('\n');
    const shown = Number(row.split(',')[4]);
    expect(shown).toBeCloseTo(stored.probabilities[2 * own + 1], 5);
    const evaluated = await runFovea('eval', run, '--split', 'test', '--no-cache', '--best');
    expect(evaluated.out).toMatch(/Calibration by Platt scaling \(.*\), on 8 test images:/);
    expect(evaluated.out).toMatch(/slope \(1 is best\) +\S+/);
    const [moved] = linesOf(
      (await runFovea('eval', run, '--split', 'test', '--no-cache', '--json', '--threshold', '0.25')).out,
    );
    expect(moved).toMatchObject({
      decision: { threshold: 0.25, rule: null },
      screening: { atThreshold: { threshold: 0.25 }, operatingPoint: null },
      lacking: null,
    });
    const again = await runFovea('eval', run, '--split', 'test', '--no-cache', '--json', '--positive', 'blue');
    const [result] = linesOf(again.out);
    expect(result).toMatchObject({ positiveClass: 'blue', lacking: 'the run has one for red only' });
  });

  it('of one class alone have no AUC, for a reason, and the class that lacks is named', async () => {
    const place = join(root, 'absent');
    for (const part of ['train', 'val']) await writeRedAndBlue(join(place, part), 3);
    await writeRedAndBlue(join(place, 'test'), 2);
    renameSync(join(place, 'test', 'red'), join(root, 'left-out'));
    const { code, out, err } = await train(
      '--data',
      `folder:${place}`,
      '--out',
      join(root, 'absent-run'),
      '--epochs',
      '1',
    );
    expect(code).toBe(0);
    expect(out + err).toContain('no test images of red: metrics say nothing about it');
    expect(out).toMatch(/AUC none, because all 2 samples are of class 0; {2}sensitivity – {2}specificity/);
  });

  it('are evaluated with flips, which gives mirrored pictures the same outputs', async () => {
    const mirrored = join(root, 'mirrored');
    for (const name of ['blue', 'red']) {
      mkdirSync(join(mirrored, name), { recursive: true });
      for (let i = 0; i < 4; i++) {
        const [from, to] = [join(data, 'test'), mirrored].map((folder) => join(folder, name, `${name}${i}.png`));
        await sharp(from).flop().toFile(to);
      }
    }
    const opened = await openRun(run);
    const loading = { cache: false };
    const one = await evaluateRun(opened, { split: 'test', tta: 'horizontal', imageLoading: loading });
    const other = await evaluateRun(opened, { data: `folder:${mirrored}`, tta: 'horizontal', imageLoading: loading });
    expect(one.outputs).toHaveLength(8);
    one.outputs.forEach((value, i) => {
      expect(other.outputs[i]).toBeCloseTo(value, 3);
    });
    expect(one.plain?.outputs).not.toEqual(one.outputs);
    const shown = await runFovea('eval', run, '--split', 'test', '--tta', 'flips', '--no-cache');
    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining('compared with the images alone') });
    expect(shown.out).toMatch(/accuracy +\S+ +\S+ +\S+ .*McNemar, exact/);
  });

  it('of another place choose nothing either: the weights are equal without them', async () => {
    const [with_, without] = ['with', 'without'].map((name) => join(root, name));
    const args = ['--data', `folder:${join(other, 'pictures')}`, '--epochs', '1', '--hold-out', '0.4'];
    const { out, code } = await train(...args, '--test-data', `folder:${join(data, 'test')}`, '--out', with_);
    expect(code).toBe(0);
    expect(out).toContain('6 training, 4 validation and 8 test images');
    // The names of the pictures are in both places.
    const { config } = await RunFolder.open(with_);
    expect(placeOf(config.data, 'test').folder).toBe(join(data, 'test'));
    expect(placeOf(config.data, 'validation').folder).toBe(join(other, 'pictures'));
    const alone = await train(...args, '--out', without);
    expect(alone.out).toContain(
      'Metrics at the operating point are optimistic: the same validation images chose the operating',
    );
    expect(hasText(join(without, 'report.html'), 'No separate test images')).toBe(true);
    expect((await RunFolder.open(with_)).weightsSha256).toBe((await RunFolder.open(without)).weightsSha256);
    const moved = join(root, 'moved');
    renameSync(join(data, 'test'), moved);
    const lost = await runFovea('train', '--resume', with_, '--no-cache');
    expect(lost.code).toBe(2);
    const resumed = await runFovea('train', '--resume', with_, '--test-data', `folder:${moved}`, '--no-cache');
    expect(resumed).toMatchObject({ code: 0, out: expect.stringContaining('8 test images, which chose nothing') });
    const changed = await runFovea(
      'train',
      '--resume',
      with_,
      '--test-data',
      `folder:${join(data, 'val')}`,
      '--no-cache',
    );
    expect(changed).toMatchObject({
      code: 2,
      err: expect.stringContaining('expected the images and labels of the run'),
    });
    renameSync(moved, join(data, 'test'));
  });

  it.each([
    [
      'a second test part',
      ['--data', `folder:${data}`, '--test-data', `folder:${other}/pictures`],
      'got data with a test part',
    ],
    [
      'data that are no photographs',
      ['--data', `folder:${other}/pictures`, '--test-data', 'mnist'],
      'expected folder:DIR or',
    ],
    ['other classes', ['--data', `folder:${other}/pictures`, '--test-data', `folder:${strange}`], 'expected blue, red'],
  ])('are refused: %s', async (_, args, message) => {
    const result = await train(...args, '--epochs', '1', '--out', join(root, 'refused'));
    expect(result.err).toContain(message);
    expect(result.code).toBe(2);
  });
});

describe('choices by the validation images', () => {
  const choices = (techniques: Techniques) =>
    choicesOf({ recipe: { techniques } as Parameters<typeof choicesOf>[0]['recipe'] });

  it('are named', () => {
    expect(choices({})).toEqual([]);
    expect(choices({ saveBest: 'acc' })).toEqual(['the best epoch (by acc)']);
    expect(choices({ earlyStopping: 3 })).toEqual(['the end of the training']);
    expect(choices({ saveBest: 'train_loss', earlyStopping: 3 })).toEqual([]);
    expect(choices({ schedule: { name: 'ReduceOnPlateau', by: 'epoch', options: {} } })).toEqual(['the learning rate']);
  });
});
