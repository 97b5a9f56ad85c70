import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { Model } from '../../src/model/model.js';
import type { FitOptions } from '../../src/model/options.js';
import { BCEWithLogitsLoss, CrossEntropyLoss, Linear } from '../../src/nn/index.js';
import type { Layer } from '../../src/nn/layer.js';
import { ClipGradByGlobalNorm, lr, Momentum, type Optimizer } from '../../src/optimizer/index.js';
import { RandomGenerator, seed } from '../../src/random.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { Callback, CallbackError, type Training } from '../../src/train/callback.js';
import { EarlyStopping, LRScheduler, ModelCheckpoint, ReduceLROnPlateau } from '../../src/train/callbacks/index.js';
import type { LossFunction } from '../../src/train/objective.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
let count = 0;
let saveDir = '';

beforeEach(() => {
  setEngine('reference');
  saveDir = join(root, `${++count}`);
});

function points(length: number, from: number, changes: Partial<Dataset> = {}): Dataset {
  const generator = new RandomGenerator(from);
  const samples = Array.from({ length }, (_, i) => {
    return { image: Float32Array.of(generator.normal(), generator.normal()), shape: [2], label: i % 2 };
  });
  return { length, labels: samples.map(({ label }) => label), get: (index) => samples[index], ...changes };
}

const trainData = points(12, 1);
const usual = { trainData, batchSize: 4, verbose: 0 } satisfies FitOptions;

type Rates = { learningRate?: number | lr.Schedule; momentum?: number; weightDecay?: number; clipNorm?: number };

function makeModel({ learningRate = 0.1, clipNorm, ...rest }: Rates = {}, outputs = 2): Model {
  seed(1);
  const model = new Model(new Linear(2, outputs));
  const gradClip = clipNorm === undefined ? undefined : new ClipGradByGlobalNorm({ clipNorm });
  const optimizer = new Momentum({ learningRate, gradClip, ...rest, parameters: model.parameters() });
  model.prepare({ optimizer, loss: outputs === 1 ? new BCEWithLogitsLoss() : new CrossEntropyLoss() });
  return model;
}

function setRate(optimizer: Optimizer, rate: number): void {
  optimizer.learningRate = rate;
}

const weights = async (model: Model) => [...(await model.parameters()[0].data())];

/** The text that a call writes to stderr. */
async function saying<T>(body: () => Promise<T>): Promise<string> {
  const { write } = process.stderr;
  let text = '';
  process.stderr.write = ((part: string) => {
    text += part;
    return true;
  }) as typeof write;
  try {
    await body();
  } finally {
    process.stderr.write = write;
  }
  return text;
}

describe('a callback that serves several trainings', () => {
  test('begins again with each', async () => {
    const rise = { onEpochEnd: ({ optimizer }: Training) => setRate(optimizer, 60 * optimizer.learningRate) };
    const stopping = new EarlyStopping({ verbose: 0, restoreBest: true });
    const once = async () => {
      const model = makeModel();
      const history = await model.fit({ ...usual, epochs: 20, callbacks: [stopping, rise] });
      return { epochs: history.length, best: stopping.bestEpoch, weights: await weights(model) };
    };
    const first = await once();
    expect(first.epochs).toBeGreaterThan(1);
    expect(await once()).toEqual(first);
    expect(await once()).toEqual(first);
  });

  test('writes to the folder of each', async () => {
    const callbacks = [new EarlyStopping({ verbose: 0 }), new ModelCheckpoint({ saveBest: true, verbose: 0 })];
    const [first, second] = ['a', 'b'].map((name) => join(root, name));
    for (const folder of [first, second]) await makeModel().fit({ ...usual, saveDir: folder, callbacks });
    expect(readdirSync(first)).toEqual(expect.arrayContaining(['best.safetensors', 'best_model.safetensors']));
    expect(readdirSync(second)).toEqual(readdirSync(first));
    await expect(makeModel().fit({ ...usual, callbacks })).rejects.toThrow(
      '[ModelCheckpoint] saveDir: expected a folder',
    );
    expect(readdirSync(second)).toEqual(readdirSync(first));
  });

  test('is closed however a training ends, and serves one at a time', async () => {
    const told: string[] = [];
    class Watch extends Callback {
      override onTrainClose() {
        told.push('close');
      }
      override onEpochEnd() {
        throw new Error('broken');
      }
      override stateDict() {
        return {};
      }
    }
    await expect(makeModel().fit({ ...usual, callbacks: new Watch() })).rejects.toThrow(CallbackError);
    expect(told).toEqual(['close']);
    const stopping = new EarlyStopping({ verbose: 0 });
    const both = [makeModel(), makeModel()].map((model) => model.fit({ ...usual, callbacks: stopping }));
    await expect(both[1]).rejects.toThrow('[train] EarlyStopping: expected it to be in one training at a time');
    expect(await both[0]).toHaveLength(1);
    const model = makeModel();
    const twice = [model.fit(usual), model.fit(usual)];
    await expect(twice[1]).rejects.toThrow('[train] network: expected it to be in one training at a time');
    await twice[0];
  });
});

test('gradients that a failed training has left do not count', async () => {
  const options = { ...usual, shuffle: false, accumulateGradBatches: 3 };
  const broken: Callback = {
    onBatchEnd: () => {
      throw new Error('broken');
    },
  };
  const model = makeModel();
  await expect(model.fit({ ...options, callbacks: broken })).rejects.toThrow(CallbackError);
  await model.fit(options);
  const fresh = makeModel();
  await fresh.fit(options);
  expect(await weights(model)).toEqual(await weights(fresh));
});

test('an optimizer continues its schedule in the next training, with a note', async () => {
  const learningRate = new lr.StepDecay({ learningRate: 0.1, stepSize: 2 });
  const model = makeModel({ learningRate });
  const loud = { ...usual, verbose: 3, logFreq: 100 } as const;
  expect(await saying(() => model.fit(loud))).toBe('');
  expect(await saying(() => model.fit(loud))).toMatch(
    /^\[fit\] optimizer: its schedule continues after 3 steps, at .* again\n$/,
  );
  expect(learningRate.lastEpoch).toBe(6);
  const ending = makeModel({ learningRate: new lr.OneCycleLR({ maxLearningRate: 0.1, totalSteps: 5 }) });
  await expect(ending.fit({ ...usual, epochs: 2 })).rejects.toThrow('expected at most totalSteps = 5 steps, got 6');
  expect(ending.parameters()[0].shape).toEqual([2, 2]);
});

test.each<[string, () => lr.Schedule]>([
  ['StepDecay', () => new lr.StepDecay({ learningRate: 0.1, stepSize: 2 })],
  ['ReduceOnPlateau', () => new lr.ReduceOnPlateau({ learningRate: 0.1, patience: 0, threshold: 0.99 })],
  ['OneCycleLR', () => new lr.OneCycleLR({ maxLearningRate: 0.1, totalSteps: 9 })],
  [
    'LinearWarmup',
    () =>
      new lr.LinearWarmup({
        learningRate: new lr.StepDecay({ learningRate: 0.1, stepSize: 2 }),
        warmupSteps: 3,
        startLr: 0,
        endLr: 0.1,
      }),
  ],
])('a schedule %s begins again with another optimizer', async (_, make) => {
  const learningRate = make();
  const options = { ...usual, epochs: 3 };
  const once = async () => {
    const model = makeModel({ learningRate });
    const history = await model.fit(options);
    return { rates: history.map((record) => record.learningRate), weights: await weights(model) };
  };
  const first = await once();
  expect(new Set(first.rates).size).toBeGreaterThan(1);
  expect(await once()).toEqual(first);
  const said = await saying(() => makeModel({ learningRate }).fit({ ...options, verbose: 3, logFreq: 100 }));
  expect(said).toContain('optimizer: its schedule begins again, since another optimizer has used it');
  const both = [makeModel({ learningRate }), makeModel({ learningRate })].map((model) => model.fit(options));
  await expect(both[1]).rejects.toThrow('[train] schedule: expected it to be in one training at a time');
  await both[0];
});

test('an optimizer of another network is refused', async () => {
  const model = makeModel();
  const optimizer: Optimizer = new Momentum({ parameters: makeModel().parameters() });
  model.prepare({ optimizer, loss: new CrossEntropyLoss() });
  await expect(model.fit(usual)).rejects.toThrow('[train] optimizer: expected parameters of the network, got those of');
});

describe('a training that is resumed', () => {
  const begin = (rates?: Rates, options: Partial<FitOptions> = {}) =>
    makeModel(rates).fit({ ...usual, saveDir, resume: true, ...options });
  const goOn = (rates?: Rates, options: Partial<FitOptions> = {}, outputs = 2) =>
    makeModel(rates, outputs).fit({ ...usual, saveDir, resume: true, epochs: 2, ...options });

  test.each<[string, Rates, RegExp]>([
    ['learning rate', { learningRate: 0.5 }, /learningRate 0.5 in place of 0.1/],
    ['momentum', { momentum: 0.5 }, /momentum 0.5 .* in place of momentum 0.9/],
    ['weight decay', { weightDecay: 0.25 }, /weightDecay 0.25 .* in place of .*weightDecay 0/],
    ['clipping', { clipNorm: 0.01 }, /gradClip ClipGradByGlobalNorm 0.01 in place of/],
  ])('counts a new %s from there on, and says so', async (_, rates, message) => {
    await begin();
    let history: Awaited<ReturnType<typeof goOn>> = [];
    const said = await saying(async () => {
      history = await goOn(rates, { verbose: 3, logFreq: 100 });
    });
    expect(said).toMatch(message);
    expect(history[1].learningRate).toBe(rates.learningRate ?? 0.1);
  });

  test('counts what a new setting gives', async () => {
    await begin();
    const changed = makeModel({ learningRate: 0.5, momentum: 0.5 });
    const resumed = { ...usual, saveDir, resume: true, epochs: 2 };
    await changed.fit(resumed);
    // The same by hand: the first epoch with the old setting, the second with the new one.
    const copy = join(root, `${count}b`);
    await begin({}, { saveDir: copy });
    const set = { onTrainBegin: ({ optimizer }: Training) => setRate(optimizer, 0.5) };
    const byHand = makeModel({ momentum: 0.5 });
    await byHand.fit({ ...resumed, saveDir: copy, callbacks: set });
    expect(await weights(changed)).toEqual(await weights(byHand));
  });

  test('keeps the rate that it had come to, if it is given the one that it began with', async () => {
    const halve = { onEpochEnd: ({ optimizer }: Training) => setRate(optimizer, optimizer.learningRate / 2) };
    await begin({}, { callbacks: halve });
    expect((await goOn())[1].learningRate).toBe(0.05);
    expect((await goOn({ learningRate: 0.3 }, { epochs: 3 }))[2].learningRate).toBe(0.3);
    expect((await goOn({ learningRate: 0.3 }, { epochs: 4 }))[3].learningRate).toBe(0.3);
  });

  const cosine = (tMax: number) => ({ learningRate: new lr.CosineAnnealingDecay({ learningRate: 0.1, tMax }) });
  const plateau = (learningRate: number) => ({ learningRate: new lr.ReduceOnPlateau({ learningRate }) });

  test('refuses a schedule by which the rate would jump', async () => {
    await begin(cosine(6));
    await expect(goOn(cosine(12))).rejects.toThrow(
      /^\[train\] schedule: expected the rate 0.05\d* at step 3 of CosineAnnealingDecay, where the training stopped, got 0.085/,
    );
    await expect(goOn(cosine(6), { callbacks: new LRScheduler({ byEpoch: true }) })).rejects.toThrow(
      /expected it to go by steps, as the training has, got epochs/,
    );
    expect((await goOn(cosine(6)))[1].learningRate).toBeCloseTo(0, 6);
  });

  test('refuses another rate of a schedule of plateaus', async () => {
    await begin(plateau(0.1));
    await expect(goOn(plateau(0.2))).rejects.toThrow('(learningRate 0.1), got learningRate 0.2;');
    expect(await goOn(plateau(0.1))).toHaveLength(2);
  });

  test('refuses other data, another loss, and evaluation data that were not there', async () => {
    await begin({}, { evalData: points(4, 9) });
    const evalData = points(4, 9);
    const refused: [Partial<FitOptions>, RegExp][] = [
      [{ trainData: points(12, 2), evalData }, /trainData/],
      [{ trainData: points(12, 1, { labels: new Array(12).fill(1) }), evalData }, /trainData/],
      [{ trainData: points(12, 1, { classNames: ['a', 'b'] }), evalData }, /trainData/],
      [{ evalData: points(4, 8) }, /evalData/],
      [{}, /\(evalData labels .*\), got evalData none/],
    ];
    for (const [options, message] of refused) await expect(goOn({}, options)).rejects.toThrow(message);
    await expect(goOn({}, { evalData }, 1)).rejects.toThrow(InputError);
    expect(await goOn({}, { evalData })).toHaveLength(2);
  });

  const losses: [string, LossFunction | Layer, (LossFunction | Layer)[]][] = [
    [
      'a loss layer',
      new CrossEntropyLoss(),
      [
        new CrossEntropyLoss({ weight: Tensor.fromData(Float32Array.of(1, 3), [2]) }),
        new CrossEntropyLoss({ reduction: 'sum' }),
        new CrossEntropyLoss({ ignoreIndex: 1 }),
      ],
    ],
    [
      'a function',
      (outputs, labels) => F.crossEntropy(outputs, labels),
      [
        (outputs, labels) => F.crossEntropy(outputs, labels).mul(2),
        (outputs, labels) =>
          F.mseLoss(outputs.slice([0, 0], [outputs.shape[0], 1]).reshape([-1]), labels.cast('float32')),
      ],
    ],
  ];

  test.each(losses)('refuses other options of %s', async (_, loss, others) => {
    const fitWith = (one: LossFunction | Layer, epochs: number) => {
      const model = makeModel();
      model.prepare({ optimizer: new Momentum({ learningRate: 0.1, parameters: model.parameters() }), loss: one });
      return model.fit({ ...usual, saveDir, resume: true, epochs });
    };
    await fitWith(loss, 1);
    for (const other of others) {
      await expect(fitWith(other, 2)).rejects.toThrow(
        /resume: expected the settings that the training began with \(options of the loss, .*\d\), got/,
      );
    }
    expect(await fitWith(loss, 2)).toHaveLength(2);
  });

  test('takes a loss that depends on parameters, or changes by itself', async () => {
    const fitWith = (epochs: number) => {
      const model = makeModel();
      let calls = 0;
      const loss: LossFunction = (outputs, labels) =>
        F.crossEntropy(outputs, labels).add(model.parameters()[0].square().sum()).mul(++calls);
      model.prepare({ optimizer: new Momentum({ learningRate: 0.01, parameters: model.parameters() }), loss });
      return model.fit({ ...usual, saveDir, resume: true, epochs });
    };
    await fitWith(1);
    expect(await fitWith(2)).toHaveLength(2);
  });

  test('takes data that change by themselves', async () => {
    let calls = 0;
    const restless = points(12, 1, { get: (i) => ({ image: Float32Array.of(++calls, i), shape: [2], label: i % 2 }) });
    await begin({}, { trainData: restless });
    expect(await goOn({}, { trainData: restless })).toHaveLength(2);
  });

  test('lets a callback that follows another metric begin again', async () => {
    const stopping = (monitor: string, mode: 'min' | 'max') =>
      new EarlyStopping({ monitor, mode, patience: 1, verbose: 0 });
    const evalData = points(4, 9);
    await begin({}, { evalData, callbacks: stopping('train_loss', 'max') });
    const accuracy = stopping('acc', 'max');
    await goOn({}, { evalData, epochs: 2, callbacks: accuracy });
    expect(accuracy.bestEpoch).toBe(2);
    const reduce = new ReduceLROnPlateau({ patience: 1, verbose: 0 });
    await goOn({}, { evalData, epochs: 3, callbacks: reduce });
    expect(reduce.stateDict()).toMatchObject({ wait: 0 });
  });

  test('refuses to give back weights that were never kept, before it continues', async () => {
    const callbacks = () => new EarlyStopping({ saveBestModel: false, patience: 5, verbose: 0 });
    await begin({}, { callbacks: callbacks() });
    const late = new EarlyStopping({ restoreBest: true, patience: 5, verbose: 0 });
    await expect(goOn({}, { callbacks: late })).rejects.toThrow(
      /restoreBest: expected the best weights, of epoch 1, in/,
    );
    expect(await goOn({}, { callbacks: callbacks() })).toHaveLength(2);
  });
});
