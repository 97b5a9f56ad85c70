import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { trainingOptions } from '../../src/run/trainingOptions.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { runFovea as fovea, linesOf } from './run.js';

const root = temporaryFolder();
let files = 0;

/** Prints a configuration, and the one that a training with it has; returns both. */
async function thereAndBack(...args: string[]) {
  const printed = await fovea('train', ...args, '--print-config');
  expect(printed).toMatchObject({ code: 0, err: '' });
  const path = join(root, `printed${++files}.yaml`);
  writeFileSync(path, printed.out);
  return [printed.out, (await fovea('train', '--config', path, '--print-config')).out];
}

describe('fovea train --print-config', () => {
  it.each([
    ['a network alone', ['lenet']],
    ['photographs', ['resnet50', '--data', 'folder:photos', '--size', '64,32', '--optimizer', 'adamw']],
    ['initial weights', ['zoo-resnet18', '--data', 'csv:table.csv', '--pretrained', '--probe-epochs', '2']],
    ['a table', ['zoo-resnet18', '--data', 'csv:t.csv', '--group', '^(\\d+)#: "x', '--operating-point', 'youden']],
    ['folds', ['lenet', '--data', 'folder:p', '--folds', '3', '--operating-point', 'specificity=0.9', '--no-cache']],
    ['transforms', ['zoo-resnet18', '--transforms', 'RandomCrop(32, padding=4),RandomHorizontalFlip,ToTensor']],
    ['a seed with many digits', ['lenet', '--seed', '9007199254740991', '--lr', '1e-9', '--out', 'no such folder']],
  ])('gives the same configuration back: %s', async (_, args) => {
    const [printed, again] = await thereAndBack(...args);
    expect(again).toBe(printed);
  });

  it('names every option once, with a value or as a comment', async () => {
    const { out } = await fovea('train', 'resnet50', '--data', 'folder:photos', '--print-config');
    const names = [...out.matchAll(/^(?:# )?(\w+):\s/gm)].map(([, name]) => name);
    expect(names.sort()).toEqual(Object.keys(trainingOptions).sort());
    expect(parse(out)).toMatchObject({
      model: 'resnet50',
      size: [224, 224],
      order: 'RGB',
      weightDecay: 0.001,
      seed: 0,
    });
    expect((await fovea('train', 'resnet50', '--data', 'palm:d', '--print-config')).out).toContain('order: BGR');
  });

  it('writes schedules and other options of files as files have them', async () => {
    const path = join(root, 'schedule.yaml');
    const own =
      'schedule: { LinearWarmup: { warmupSteps: 5, after: { StepDecay: { stepSize: 2 } } } }\nclassWeight: auto';
    writeFileSync(path, `model: lenet\nlr: 0.5\n${own}\nlayerRates: { conv1: 0, 'conv*': 0.1 }`);
    const [printed, again] = await thereAndBack('--config', path, '--lr', '0.25');
    expect(again).toBe(printed);
    expect(parse(printed)).toMatchObject({
      lr: 0.25,
      classWeight: 'auto',
      layerRates: { conv1: 0, 'conv*': 0.1 },
      schedule: { LinearWarmup: { by: 'step', warmupSteps: 5, after: { StepDecay: { stepSize: 2 } } } },
    });
    for (const name of ['PiecewiseDecay: { boundaries: [1], values: [1, 2] }', 'ReduceOnPlateau: { patience: 1 }']) {
      writeFileSync(path, `model: lenet\nschedule: { ${name} }`);
      const [once, twice] = await thereAndBack('--config', path);
      expect(twice).toBe(once);
    }
  });

  it('trains the same network from the printed file', async () => {
    const dataDir = await smallMnist(root, { train: 40, test: 20 });
    const args = ['lenet', '--data-dir', dataDir, '--epochs', '1', '--batch-size', '8', '--seed', '4'];
    const [printed] = await thereAndBack(...args);
    const path = join(root, 'mnist.yaml');
    writeFileSync(path, printed);
    const outs = ['one', 'other'].map((name) => join(root, name));
    expect(await fovea('train', ...args, '--out', outs[0])).toMatchObject({ code: 0 });
    expect(await fovea('train', '--config', path, '--out', outs[1])).toMatchObject({ code: 0 });
    const [one, other] = outs.map((out) => readFileSync(join(out, 'weights.safetensors')));
    expect(one.equals(other)).toBe(true);
  });

  it('prints an object with --json', async () => {
    const { out } = await fovea('train', 'lenet', '--epochs', '7', '--print-config', '--json');
    expect(linesOf(out)).toMatchObject([{ configuration: { model: 'lenet', data: 'mnist', epochs: 7, lr: 0.001 } }]);
  });

  it.each([
    [['lenett'], 'did you mean lenet?'],
    [[], 'expected a network'],
    [['lenet', '--data', 'mnst'], 'did you mean mnist?'],
    [['lenet', '--size', '32'], 'expected no size'],
    [['lenet', '--optimizer', 'adam', '--momentum', '0.5'], 'momentum: expected none'],
    [['--resume', 'run'], '--print-config'],
    [['--config', join(root, 'none.yaml')], 'none.yaml'],
  ])('refuses %s', async (args, message) => {
    const result = await fovea('train', ...args, '--print-config');
    expect(result).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) });
  });

  it('writes nothing', async () => {
    const before = readdirSync(root);
    const out = join(root, 'new');
    expect(await fovea('train', 'lenet', '--out', out, '--print-config')).toMatchObject({ code: 0 });
    expect(readdirSync(root)).toEqual(before);
  });
});
