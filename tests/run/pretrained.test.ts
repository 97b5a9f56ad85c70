import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { setEngine, setThreads } from '../../src/engine/select.js';
import { FileError, InputError } from '../../src/errors.js';
import type { DataLoader } from '../../src/io/data/dataloader.js';
import { snapshot } from '../../src/io/snapshot.js';
import { writePdparams } from '../../src/io/weights/pdparams.js';
import { loadSafetensors, saveSafetensors } from '../../src/io/weights/safetensors.js';
import type { Layer } from '../../src/nn/index.js';
import { openRun } from '../../src/run/evaluate.js';
import { readWeightsRecord } from '../../src/run/pretrained.js';
import { Run } from '../../src/run/run.js';
import type { RunOptions } from '../../src/run/runOptions.js';
import { bestFile } from '../../src/train/callbacks/bestWeights.js';
import { weightsFile } from '../../src/train/checkpoint/folder.js';
import { evaluate } from '../../src/train/evaluate.js';
import { version } from '../../src/version.js';
import * as models from '../../src/vision/models/index.js';
import { runFovea } from '../cli/run.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';
import { jpeg } from '../vision/pictures.js';

const root = temporaryFolder();
let dataDir = '';
/** ToTensor says that inputs are as they were: files that are saved from code do not say it themselves. */
const options = (name: string, pretrained: true | string, model = 'zoo-lenet') => {
  const changes = { epochs: 1, batchSize: 50, techniques: { transforms: [{ ToTensor: {} }] } };
  return { model, data: 'mnist', out: join(root, name), dataDir, changes, pretrained };
};
const values = async (net: Layer, name: string) => (await net.stateDict().get(name)?.data())?.slice();

async function fileOf(name: string, net: Layer): Promise<string> {
  const path = join(root, `${name}.safetensors`);
  await saveSafetensors(await snapshot(net.stateDict()), path);
  return path;
}

let photos = '';
let other = '';
beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  dataDir = await smallMnist(root, { train: 100, test: 20 });
  photos = await photographs('photos', ['cat', 'dog']);
  other = await photographs('other', ['bee', 'fly', 'owl']);
});

async function photographs(name: string, classes: readonly string[]): Promise<string> {
  for (const className of classes) {
    mkdirSync(join(root, name, className), { recursive: true });
    for (let i = 0; i < 4; i++) {
      writeFileSync(join(root, name, className, `${i}.jpg`), await jpeg(`${className} ${i}`, 40, 40));
    }
  }
  return join(root, name);
}

describe('input settings travel with weights', () => {
  const base = (name: string, data: string, more: Partial<RunOptions> = {}): RunOptions => ({
    model: 'zoo-shufflenet_v2_x0_25',
    data: `folder:${data}`,
    out: join(root, name),
    imageLoading: { cache: false },
    ...more,
    changes: { epochs: 1, batchSize: 4, learningRate: 0, ...more.changes },
  });
  const images = { size: 32, order: 'BGR', antialias: true } as const;
  let first = '';
  let loss = 0;
  beforeAll(async () => {
    const run = await Run.create(base('first', photos, { images, changes: { techniques: { saveBest: 'loss' } } }));
    loss = (await run.train()).evaluation?.loss ?? Number.NaN;
    first = run.folder.path;
    mkdirSync(join(root, 'away'));
    for (const file of [weightsFile, bestFile]) cpSync(join(first, file), join(root, 'away', file));
  });

  test('the record says what they were trained on', async () => {
    const record = await readWeightsRecord(join(root, 'away', weightsFile));
    expect(record).toEqual({
      format: 1,
      fovea: version,
      model: 'zoo-shufflenet_v2_x0_25',
      data: 'folder',
      inputShape: [3, 32, 32],
      images: expect.objectContaining({ height: 32, width: 32, order: 'BGR', antialias: true }),
      range: 'signed',
      transforms: [],
      classNames: ['cat', 'dog'],
      positive: expect.any(String),
      loss: 'binaryCrossEntropy',
    });
    expect(await readWeightsRecord(join(root, 'away', bestFile))).toEqual(record);
  });

  test.each([
    ['a file', () => join(root, 'away', weightsFile), {}],
    ['a run folder', () => first, {}],
    ['the best weights of a run folder', () => first, { best: true }],
  ])('%s begins where the first training ended', async (name, path, more) => {
    const run = await Run.create(base(`from ${name}`, photos, { pretrained: path(), ...more }));
    expect(run.folder.config.data.images).toMatchObject({ height: 32, order: 'BGR', antialias: true });
    expect(run.notes()).toEqual([]);
    const { network, evalLoader, loss: judge } = run.loop();
    const evaluated = await evaluate({ network, loader: evalLoader as DataLoader, loss: judge });
    expect(evaluated.loss).toBeCloseTo(loss, 5);
  });

  test('converted to a file of Paddle and back, and by an older version in its folder', async () => {
    const record = await readWeightsRecord(join(first, weightsFile));
    const away = (name: string) => join(root, 'away', name);
    for (const [from, to] of [
      [first, away('run.pdparams')],
      [away(weightsFile), away('file.pdparams')],
      [away('run.pdparams'), away('back.safetensors')],
    ]) {
      expect((await runFovea('convert', from, to)).code).toBe(0);
      expect(await readWeightsRecord(to)).toEqual(record);
    }
    const run = await Run.create(base('from Paddle', photos, { pretrained: away('run.pdparams') }));
    expect(run.folder.config.data.images).toMatchObject({ order: 'BGR' });
    const old = join(root, 'old');
    cpSync(first, old, { recursive: true });
    const { tensors } = await loadSafetensors(join(first, weightsFile));
    await saveSafetensors(tensors, join(old, weightsFile));
    expect(await readWeightsRecord(join(old, weightsFile))).toEqual(record);
  });

  test('what is given goes before it, and a line says so', async () => {
    const more = { pretrained: first, images: { order: 'RGB' } } as const;
    const run = await Run.create(base('RGB', photos, more));
    expect(run.folder.config.data.images).toMatchObject({ height: 32, order: 'RGB', antialias: true });
    expect(run.notes()).toEqual([
      'the inputs are 3×32×32, RGB, antialiased, values from −1 to 1; those of the weights were 3×32×32, BGR, ' +
        'antialiased, values from −1 to 1',
    ]);
  });

  test('other classes are reported', async () => {
    const three = await Run.create(base('three', other, { pretrained: first, changes: { batchSize: 3 } }));
    expect(three.notes()).toEqual([
      'the weights know other classes (2: cat, dog): the last layer is new (_fc.weight, _fc.bias)',
    ]);
    const renamed = await photographs('renamed', ['ant', 'bug']);
    const two = await Run.create(base('two', renamed, { pretrained: first }));
    expect(two.notes()[0]).toContain('was trained for other classes (2: cat, dog); it continues as that of ant, bug');
  });

  test('a file that does not say it is asked about', async () => {
    const { tensors } = await loadSafetensors(join(first, weightsFile));
    const foreign = join(root, 'foreign.safetensors');
    await saveSafetensors(tensors, foreign);
    const paddle = join(root, 'foreign.pdparams');
    await writePdparams(tensors, paddle);
    for (const pretrained of [foreign, paddle]) {
      const refused = Run.create(base('refused', photos, { pretrained }));
      await expect(refused).rejects.toThrow(InputError);
      await expect(refused).rejects.toThrow(
        `[run] ${pretrained}: expected a file that says how its inputs were made, got one that does not; give the order`,
      );
      expect(existsSync(join(root, 'refused'))).toBe(false);
    }
    const answers: readonly [order: 'BGR' | 'RGB', answer: Partial<RunOptions>][] = [
      ['BGR', { images: { order: 'BGR', size: 32 } }],
      ['RGB', { images: { size: 32 }, changes: { techniques: { transforms: [{ ToTensor: {} }] } } }],
    ];
    for (const [i, [order, answer]] of answers.entries()) {
      const run = await Run.create(base(`answer ${i}`, photos, { pretrained: foreign, ...answer }));
      expect(run.folder.config.data.images).toMatchObject({ order });
    }
  });

  test('records that are damaged or of a later version, and best weights of another run, are refused', async () => {
    const { tensors, metadata } = await loadSafetensors(join(first, weightsFile));
    const path = join(root, 'damaged.safetensors');
    const record = JSON.parse(metadata.training);
    for (const training of [
      '{',
      '{}',
      JSON.stringify({ ...record, format: 2 }),
      JSON.stringify({ ...record, transforms: [{ No: {} }] }),
    ]) {
      await saveSafetensors(tensors, path, { training });
      await expect(readWeightsRecord(path)).rejects.toThrow(FileError);
      await expect(readWeightsRecord(path)).rejects.toThrow(`[weights] ${path}: training: expected `);
    }
    const swapped = join(root, 'swapped');
    cpSync(first, swapped, { recursive: true });
    const training = JSON.stringify({ ...record, classNames: ['dog', 'cat'] });
    await saveSafetensors(tensors, join(swapped, bestFile), { training });
    await expect(openRun(swapped, { best: true })).rejects.toThrow(
      'expected weights of this run, got those of another',
    );
    await expect(Run.create(base('no folder', photos, { best: true }))).rejects.toThrow('[run] best weights: expected');
  });
});

test('a training begins with the weights of a file, and says so', async () => {
  const net = models.lenet();
  const path = await fileOf('ten', net);
  const run = await Run.create(options('begins', path));
  expect(await values(run.network, 'fc.2.weight')).toEqual(await values(net, 'fc.2.weight'));
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  expect(run.folder.config.model.pretrained).toEqual({ path, sha256 });
  await run.train();
  expect(readFileSync(join(run.folder.path, 'report.html'), 'utf8')).toContain(path);
  expect(await values(run.network, 'fc.2.weight')).not.toEqual(await values(net, 'fc.2.weight'));
});

test('the classifier gets new weights if the file has another number of classes', async () => {
  const net = models.lenet({ numClasses: 1000 });
  const run = await Run.create(options('others', await fileOf('thousand', net)));
  expect(await values(run.network, 'fc.1.weight')).toEqual(await values(net, 'fc.1.weight'));
  expect(await values(run.network, 'fc.2.bias')).toEqual(new Float32Array(10));
});

test('networks of the tutorial take files of their own, and there is nothing to download for them', async () => {
  const path = await fileOf('other', models.lenet());
  const message = `[lenet] ${path}: [loadStateDict] LeNet: expected the 10 entries of this network, but 10 missing: conv1`;
  await expect(Run.create(options('wrong', path, 'lenet'))).rejects.toThrow(message);
  const { network } = await Run.create({ ...options('own', path), model: 'lenet', pretrained: undefined });
  const own = await fileOf('own', network);
  const again = await Run.create({ ...options('again', own, 'lenet'), seed: 7 });
  expect(await values(again.network, 'conv1.weight')).toEqual(await values(network, 'conv1.weight'));
  const offline = Run.create(options('none', true, 'lenet'));
  await expect(offline).rejects.toThrow(InputError);
  await expect(offline).rejects.toThrow('[run] pretrained: expected the path of a file with lenet, got none');
  for (const name of ['wrong', 'none']) expect(existsSync(join(root, name))).toBe(false);
});

test('weights that fit by shape but not by name are refused, with the names of both sides', async () => {
  const states = [...(await snapshot(models.lenet().stateDict()))];
  const save = async (name: string, rename: (entry: string) => string) => {
    const path = join(root, `${name}.safetensors`);
    await saveSafetensors(new Map(states.map(([entry, value]) => [rename(entry), value])), path);
    return path;
  };
  const all = await save('all renamed', (entry) => `backbone.${entry}`);
  const refused = Run.create(options('by shape', all));
  await expect(refused).rejects.toThrow(InputError);
  await expect(refused).rejects.toThrow(/missing: features\.0\.weight.*unknown: backbone\.features\.0\.weight/s);
  const one = await save('one renamed', (entry) => entry.replace('fc.2.bias', 'fc.3.bias'));
  await expect(Run.create(options('by shape', one))).rejects.toThrow(/1 missing: fc\.2\.bias.*1 unknown: fc\.3\.bias/s);
  expect(existsSync(join(root, 'by shape'))).toBe(false);
});
