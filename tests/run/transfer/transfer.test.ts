import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { setEngine, setThreads } from '../../../src/engine/select.js';
import { InputError } from '../../../src/errors.js';
import { snapshot } from '../../../src/io/snapshot.js';
import { loadSafetensors } from '../../../src/io/weights/safetensors.js';
import { freeze } from '../../../src/nn/freeze.js';
import { RandomGenerator } from '../../../src/random.js';
import { Run } from '../../../src/run/run.js';
import type { RunOptions } from '../../../src/run/runOptions.js';
import type { Techniques } from '../../../src/run/trainingOptions.js';
import { setLayerRates } from '../../../src/run/transfer/layerRates.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { weightsFile } from '../../../src/train/checkpoint/folder.js';
import { FrozenPart } from '../../../src/train/frozen/frozenPart.js';
import * as models from '../../../src/vision/models/index.js';
import { smallMnist } from '../../smallMnist.js';
import { temporaryFolder } from '../../temporary.js';

const root = temporaryFolder();
let dataDir = '';

beforeAll(async () => {
  setEngine('onednn');
  setThreads(1);
  dataDir = await smallMnist(root, { train: 20, test: 10 });
});

const options = (name: string, techniques: Techniques, more: Partial<RunOptions> = {}): RunOptions => ({
  model: 'lenet',
  data: 'mnist',
  dataDir,
  out: join(root, name),
  changes: { epochs: 2, batchSize: 5, learningRate: 0.01, techniques },
  ...more,
});

const weightsIn = async (path: string) => (await loadSafetensors(join(path, weightsFile))).tensors;
const bytesIn = (path: string) => readFileSync(join(path, weightsFile)).subarray(2000);

/** Names of arrays that differ between two folders. */
async function changed(before: string, after: string): Promise<string[]> {
  const [a, b] = [await weightsIn(before), await weightsIn(after)];
  return [...a.keys()].filter((name) => Buffer.compare(bytes(a.get(name)), bytes(b.get(name))) !== 0);
}

const bytes = (entry: { readonly data: ArrayBufferView } | undefined) => {
  const { buffer, byteOffset, byteLength } = entry?.data ?? new Uint8Array();
  return Buffer.from(buffer, byteOffset, byteLength);
};

/** Trains in two calls: the first is stopped after some batches. */
async function inTwoCalls(name: string, techniques: Techniques, batches: number): Promise<string> {
  const run = await Run.create(options(name, techniques));
  let count = 0;
  const aborter = new AbortController();
  await run.train({
    callbacks: [{ onBatchEnd: () => void (++count === batches && aborter.abort()) }],
    signal: aborter.signal,
    onNote: () => {},
  });
  await (await Run.resume(run.folder.path)).train();
  return run.folder.path;
}

describe('a network with frozen layers', () => {
  const network = models.resnet18({ numClasses: 3 });

  test('freezes up to a layer, keeps batch norm in evaluation, and can be unfrozen', async () => {
    const names = freeze(network, 'layer2');
    expect(names).toContain('conv1');
    expect(names).toContain('layer2.1.bn2');
    expect(names).not.toContain('layer3.0.conv1');
    network.train();
    const training = (name: string) => network.namedSublayers().get(name)?.training;
    expect([training('bn1'), training('layer2.1.bn2'), training('layer3.0.bn1')]).toEqual([false, false, true]);
    expect(network.namedParameters().get('conv1.weight')?.trainable).toBe(false);
    expect(network.namedParameters().get('layer3.0.conv1.weight')?.trainable).toBe(true);
    expect(freeze(network, 'layer*.0.conv1')).not.toContain('layer4.0.bn1');
    expect(freeze(network, null)).toEqual([]);
    expect(network.parameters().every(({ trainable }) => trainable)).toBe(true);
    expect(training('bn1')).toBe(true);
  });

  test('keeps the running statistics of frozen batch norm, and updates those of others', async () => {
    freeze(network, 'layer4.0');
    network.train();
    const read = async (name: string) => Array.from((await network.stateDict().get(name)?.data()) ?? []);
    const names = ['bn1._mean', 'layer4.0.bn2._variance', 'layer4.1.bn1._mean'];
    const before = await Promise.all(names.map(read));
    await network.forward(Tensor.ones([2, 3, 32, 32])).data();
    const after = await Promise.all(names.map(read));
    expect([after[0], after[1]]).toEqual([before[0], before[1]]);
    expect(after[2]).not.toEqual(before[2]);
    freeze(network, null);
  });

  test('refuses layers that do not exist, with the nearest, and the last layer', () => {
    expect(() => freeze(network, 'layr3')).toThrow(/'layr3': expected a layer of ResNet .*did you mean layer3\?/);
    expect(() => freeze(network, 'fc')).toThrow('expected a layer with others to train after it');
    expect(() => freeze(network, 'fc')).toThrow(InputError);
  });

  test('computes the same from features as from images, with one value or several at the cut', async () => {
    const generator = new RandomGenerator(1);
    const images = Tensor.fromData(generator.fillNormal(new Float32Array(4 * 3 * 32 * 32), 0, 1), [4, 3, 32, 32]);
    const labels = Int32Array.of(0, 1, 2, 0);
    const dataset = {
      length: 4,
      labels,
      get: (i: number) => ({
        image: (images.value.current().read() as Float32Array).slice(i * 3072, (i + 1) * 3072),
        shape: [3, 32, 32],
        label: labels[i],
      }),
    };
    const { DataLoader } = await import('../../../src/io/data/dataloader.js');
    for (const until of ['layer3', 'layer3.0.conv1', 'avgpool']) {
      freeze(network, until);
      const part = new FrozenPart(network, [3, 32, 32]);
      part.eval();
      const whole = await network.forward(images).data();
      const features = await part.compute(new DataLoader(dataset, { batchSize: 2 }), false);
      expect(features.readBatch(Uint32Array.of(0, 1, 2, 3)).labels).toEqual(labels);
      const { images: values, shape } = features.readBatch(Uint32Array.of(0, 1, 2, 3));
      part.takesFeatures = true;
      const rest = await part.forward(Tensor.fromData(values, shape)).data();
      rest.forEach((value, i) => {
        expect(value).toBeCloseTo(Number(whole[i]), 4);
      });
    }
    freeze(network, null);
  });
});

test('rates of layers fall from the last block on, and patterns set them', () => {
  const network = models.resnet18({ numClasses: 3 });
  const rateOf = (name: string) => network.namedParameters().get(name)?.learningRate;
  setLayerRates(network, { techniques: { layerDecay: 0.5 } });
  // Blocks: conv1 with bn1, two each in layer1 to layer4, fc.
  expect(['fc.weight', 'layer4.1.conv1.weight', 'layer4.0.bn1.weight', 'conv1.weight', 'bn1.bias'].map(rateOf)).toEqual(
    [1, 0.5, 0.25, 0.5 ** 9, 0.5 ** 9],
  );
  setLayerRates(network, { techniques: { layerRates: { 'layer*': 0.1, layer2: 0 } } });
  expect(['fc.weight', 'layer1.0.conv1.weight', 'layer2.0.conv1.weight', 'conv1.weight'].map(rateOf)).toEqual([
    1, 0.1, 0, 1,
  ]);
});

describe('a training with frozen layers', () => {
  const transforms = [{ RandomRotation: { degrees: 20 } }];

  test('keeps the frozen parameters and statistics, says what is kept, and resumes with the same bits', async () => {
    const techniques = { freeze: 'conv3', transforms };
    const start = await Run.create(
      options('start', techniques, { changes: { epochs: 1, batchSize: 5, learningRate: 0, techniques } }),
    );
    expect(start.notes().join('\n')).toMatch(
      /the frozen layers compute 120 features .* once.*random transforms change nothing/,
    );
    await start.train();
    const run = await Run.create(options('frozen', techniques));
    const { history } = await run.train();
    expect(history).toHaveLength(2);
    expect(await changed(start.folder.path, run.folder.path)).toEqual([
      'fc1.weight',
      'fc1.bias',
      'fc2.weight',
      'fc2.bias',
    ]);
    const resumed = await inTwoCalls('frozen-resumed', techniques, 6);
    expect(await changed(run.folder.path, resumed)).toEqual([]);
    expect(bytesIn(resumed).equals(bytesIn(run.folder.path))).toBe(true);
  });

  test('probes the last layer first, then trains all others, and resumes between and in both', async () => {
    const techniques = {
      probeEpochs: 1,
      probeLr: 0.1,
      layerDecay: 0.5,
      averageWeights: 0.9,
      mixup: 0.2,
      cutmix: 1,
      labelSmoothing: 0.1,
    };
    const run = await Run.create(options('probe', techniques));
    expect(run.notes().join('\n')).toMatch(/once in the first epoch/);
    await run.train();
    for (const batches of [2, 4, 6]) {
      const resumed = await inTwoCalls(`probe-${batches}`, techniques, batches);
      expect(await changed(run.folder.path, resumed), `${batches} batches`).toEqual([]);
    }
  });

  test('computes features again with random transforms if asked to', async () => {
    const run = await Run.create(options('again', { freeze: 'conv3', transforms, recomputeFeatures: true }));
    expect(run.notes().join('\n')).not.toContain('once');
    expect((await run.train()).completed).toBe(true);
  });

  test.each<[string, Techniques, RegExp]>([
    ['a layer that does not exist', { freeze: 'conv9' }, /did you mean conv\d\?/],
    ['rates of a layer that does not exist', { layerRates: { 'stem*': 0.1 } }, /expected a layer of LeNet/],
    ['a rate of no probe', { probeLr: 0.1 }, /probeLr: expected none, since it is the rate of probeEpochs/],
    ['features of no frozen layer', { recomputeFeatures: true }, /since no layer is frozen/],
    ['more probe epochs than epochs', { probeEpochs: 3 }, /there are only 2 epochs/],
    ['mixed features', { probeEpochs: 2, mixup: 0.2 }, /features of whole images/],
  ])('refuses %s', async (_, techniques, message) => {
    await expect(Run.create(options('refused', techniques))).rejects.toThrow(message);
    await expect(Run.create(options('refused', techniques))).rejects.toThrow(InputError);
  });
});

test('the average of weights is what is evaluated and saved', async () => {
  const plain = await Run.create(options('plain', {}));
  await plain.train();
  const averaged = await Run.create(options('averaged', { averageWeights: 0.99 }));
  const { evaluation } = await averaged.train();
  // The latest weights are among the states of the optimizer, and equal those of a training without averages.
  const states = (await loadSafetensors(join(averaged.folder.path, 'optimizer.safetensors'))).tensors;
  const latest = states.get('fc1.weight.latest');
  const own = (await weightsIn(plain.folder.path)).get('fc1.weight');
  expect(bytes(latest).equals(bytes(own))).toBe(true);
  const saved = (await weightsIn(averaged.folder.path)).get('fc1.weight');
  expect(bytes(saved).equals(bytes(own))).toBe(false);
  const { openRun } = await import('../../../src/run/evaluate.js');
  const { network } = await openRun(averaged.folder.path);
  expect(bytes((await snapshot(network.stateDict())).get('fc1.weight')).equals(bytes(saved))).toBe(true);
  expect(evaluation?.samples).toBeGreaterThan(0);
});
