import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { DataLoader } from '../../src/io/data/dataloader.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { Model } from '../../src/model/model.js';
import {
  AvgPool2D,
  BatchNorm2D,
  Conv2D,
  CrossEntropyLoss,
  Dropout,
  Flatten,
  LeakyReLU,
  Linear,
  MaxPool2D,
  ReLU,
  Sequential,
  Softmax,
} from '../../src/nn/index.js';
import { Layer } from '../../src/nn/layer.js';
import { SGD } from '../../src/optimizer/index.js';
import { RandomGenerator, seed } from '../../src/random.js';
import * as F from '../../src/tensor/functional.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { Training } from '../../src/train/callback.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
let count = 0;
let saveDir = '';

beforeEach(() => {
  setEngine('reference');
  saveDir = join(root, `${++count}`);
});

function images(length: number): Dataset {
  const generator = new RandomGenerator(1);
  const samples = Array.from({ length }, (_, i) => {
    return { image: generator.fillNormal(new Float32Array(16), 0, 1), shape: [1, 4, 4], label: i % 2 };
  });
  return { length, labels: samples.map(({ label }) => label), get: (index) => samples[index] };
}

const trainData = images(12);
const usual = { trainData, batchSize: 4, verbose: 0 } as const;

function modelOf(...layers: Layer[]): Model {
  return modelThen(layers, []);
}

function modelThen(layers: readonly Layer[], after: readonly Layer[]): Model {
  return prepared(
    new Sequential(new Conv2D(1, 2, 3, { padding: 1 }), ...layers, new Flatten(), new Linear(8, 2), ...after),
  );
}

function prepared(network: Layer): Model {
  const model = new Model(network);
  model.prepare({
    optimizer: new SGD({ learningRate: 0.1, parameters: model.parameters() }),
    loss: new CrossEntropyLoss(),
  });
  return model;
}

/** A network whose layers do not show what it computes. */
class Functional extends Layer {
  readonly fc = new Linear(16, 2);

  constructor(readonly body: (x: Tensor) => Tensor) {
    super();
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.body(x.flatten({ startAxis: 1 })));
  }
}

describe('a training that is resumed with another network is refused', () => {
  const pool = () => new MaxPool2D(2);
  const norm = (options = {}) => new BatchNorm2D(2, options);
  const cases: Readonly<Record<string, [() => Layer[], () => Layer[], string, string]>> = {
    'p of dropout': [
      () => [pool(), new Dropout(0.5)],
      () => [pool(), new Dropout(0.4)],
      'Dropout(p=0.5',
      'Dropout(p=0.4',
    ],
    'mode of dropout': [
      () => [pool(), new Dropout(0.5)],
      () => [pool(), new Dropout(0.5, { mode: 'downscaleInInfer' })],
      'mode=upscaleInTrain',
      'mode=downscaleInInfer',
    ],
    'momentum of batch norm': [() => [norm(), pool()], () => [norm({ momentum: 0.5 }), pool()], '0.9', 'momentum=0.5'],
    'epsilon of batch norm': [() => [norm(), pool()], () => [norm({ epsilon: 0.1 }), pool()], '0.00001', 'epsilon=0.1'],
    'statistics of batch norm': [
      () => [norm(), pool()],
      () => [norm({ useGlobalStats: true }), pool()],
      'BatchNorm2D',
      'useGlobalStats=true',
    ],
    'kind of pooling': [() => [pool()], () => [new AvgPool2D(2)], '1 MaxPool2D(', '1 AvgPool2D('],
    'padding of pooling': [
      () => [new AvgPool2D(3, { stride: 2, padding: 1 })],
      () => [new AvgPool2D(3, { stride: 2, padding: 1, exclusive: false })],
      'padding=1)',
      'exclusive=false',
    ],
    'slope of leaky relu': [
      () => [new LeakyReLU(0.1), pool()],
      () => [new LeakyReLU(0.2), pool()],
      'negativeSlope=0.1',
      'negativeSlope=0.2',
    ],
    activation: [() => [new ReLU(), pool()], () => [new Softmax(1), pool()], '1 ReLU()', '1 Softmax(axis=1)'],
  };

  test.each(Object.entries(cases))('%s', async (_, [then, after, saved, now]) => {
    await modelOf(...then()).fit({ ...usual, saveDir });
    const resumed = modelOf(...after()).fit({ ...usual, saveDir, epochs: 2, resume: true });
    const error = await resumed.catch(({ message }: Error) => message);
    expect(error).toContain('[train] resume: expected the settings that the training began with (layers ');
    expect(error).toMatch(/got layers /);
    const [expected, got] = String(error).split('), got layers ');
    expect(expected).toContain(saved);
    expect(got).toContain(now);
    // The right network continues.
    expect(await modelOf(...then()).fit({ ...usual, saveDir, epochs: 2, resume: true })).toHaveLength(2);
  });

  test('a layer more', async () => {
    await modelOf(pool()).fit({ ...usual, saveDir });
    const resumed = modelThen([pool()], [new Dropout(0.1)]).fit({ ...usual, saveDir, epochs: 2, resume: true });
    await expect(resumed).rejects.toThrow(/\(layers 4 none\), got layers 4 Dropout\(p=0\.1, mode=upscaleInTrain\);/);
  });

  test('functions that its forward calls', async () => {
    const make = (p: number) => prepared(new Functional((x) => F.dropout(x, { p })));
    await make(0.5).fit({ ...usual, saveDir });
    await expect(make(0.25).fit({ ...usual, saveDir, epochs: 2, resume: true })).rejects.toThrow(
      /operations of the network dropoutMask p=0\.5 upscale=true 1 .*got .*dropoutMask p=0\.25 upscale=true 1/,
    );
    expect(await make(0.5).fit({ ...usual, saveDir, epochs: 2, resume: true })).toHaveLength(2);
  });
});

test('a layer that is frozen when a training is resumed is reported', async () => {
  await modelOf(new MaxPool2D(2)).fit({ ...usual, saveDir });
  const model = modelOf(new MaxPool2D(2));
  (model.network as Sequential)
    .namedChildren()
    .get('0')
    ?.parameters()
    .forEach((parameter) => {
      parameter.trainable = false;
    });
  const { write } = process.stderr;
  let text = '';
  process.stderr.write = ((part: string) => {
    text += part;
    return true;
  }) as typeof write;
  try {
    await model.fit({ ...usual, verbose: 2, callbacks: [], logFreq: 1000, saveDir, epochs: 2, resume: true });
  } finally {
    process.stderr.write = write;
  }
  expect(text).toContain('resume: frozen parameters 0.weight,0.bias in place of none, from here on');
});

describe('generators besides that of the training are a part of its state', () => {
  /** New objects as a new process makes them. */
  const parts = () => {
    seed(3);
    const model = modelOf(new MaxPool2D(2), new Dropout(0.5, { generator: new RandomGenerator(7) }));
    const loader = new DataLoader(trainData, { batchSize: 4, shuffle: true, generator: new RandomGenerator(8) });
    return { model, loader };
  };
  const weights = async ({ network }: Model) => Promise.all([...network.stateDict().values()].map((s) => s.data()));

  test.each([
    ['reference', 2],
    ['reference', 3],
    ['reference', 5],
    ['onednn', 5],
    ['portable', 2],
    ['portable', 5],
  ] as const)('a training on %s that was stopped after %i steps ends with the same bits', async (engine, steps) => {
    setEngine(engine);
    const whole = parts();
    await whole.model.fit({ trainData: whole.loader, epochs: 3, verbose: 0 });
    const first = parts();
    const stop = { onBatchEnd: (training: Training) => void (training.optimizer.steps === steps && training.stop()) };
    await first.model.fit({ trainData: first.loader, epochs: 3, verbose: 0, saveDir, callbacks: [stop] });
    const second = parts();
    await second.model.fit({ trainData: second.loader, epochs: 3, verbose: 0, saveDir, resume: true });
    expect(await weights(second.model)).toEqual(await weights(whole.model));
  });
});
