import { beforeEach, describe, expect, test } from 'vitest';
import { engineNames, setEngine } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import { DataLoader } from '../../src/io/data/dataloader.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { Accuracy, Auc, Precision } from '../../src/metric/index.js';
import { Dropout, type Layer, Linear, Sequential, Sigmoid } from '../../src/nn/index.js';
import { lr, Momentum } from '../../src/optimizer/index.js';
import { defaultGenerator, RandomGenerator, seed } from '../../src/random.js';
import { compilationCount } from '../../src/runtime/realize.js';
import * as F from '../../src/tensor/functional.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { Json } from '../../src/text/json.js';
import { Callback, CallbackError, type Training } from '../../src/train/callback.js';
import { EarlyStopping } from '../../src/train/callbacks/index.js';
import { DivergenceError } from '../../src/train/divergence.js';
import type { TrainingState } from '../../src/train/history.js';
import type { TrainOptions } from '../../src/train/options.js';
import { train } from '../../src/train/train.js';

/** Two classes of points that a line parts. */
function points(length: number, from = 1): Dataset {
  const generator = new RandomGenerator(from);
  const samples = Array.from({ length }, () => {
    const image = Float32Array.of(generator.normal(), generator.normal());
    return { image, shape: [2], label: image[0] + image[1] > 0 ? 1 : 0 };
  });
  return { length, get: (index) => samples[index] };
}

const trainData = points(37);
const evalData = points(50, 2);

/** A training that has all kinds of state: momentum, dropout, shuffling, a last batch that is not full. */
function setUp(changes: Partial<TrainOptions> = {}, dropout = 0.1) {
  seed(5);
  const network = new Sequential(new Linear(2, 8), new Sigmoid(), new Dropout(dropout), new Linear(8, 2));
  const optimizer = new Momentum({ learningRate: 0.1, parameters: network.parameters() });
  const options: TrainOptions = {
    network,
    optimizer,
    loss: (outputs, labels) => F.crossEntropy(outputs, labels),
    trainLoader: new DataLoader(trainData, { batchSize: 10, shuffle: true }),
    evalLoader: new DataLoader(evalData, { batchSize: 20 }),
    epochs: 4,
    ...changes,
  };
  return { network, optimizer, options };
}

async function weightsOf(network: Layer): Promise<Record<string, readonly number[]>> {
  const entries = [...network.stateDict()].map(async ([name, state]) => [name, [...(await state.data())]] as const);
  return Object.fromEntries(await Promise.all(entries));
}

beforeEach(() => setEngine('reference'));

describe('train', () => {
  test('learns, and reports the mean loss over samples', async () => {
    const batches: { loss: number; samples: number }[] = [];
    const watch: Callback = {
      onBatchEnd: ({ loss, samples, epoch }) => {
        if (epoch === 2) batches.push({ loss, samples });
      },
    };
    const { history, evaluation, completed } = await train(setUp({ callbacks: [watch], epochs: 30 }, 0).options);
    expect(completed).toBe(true);
    expect(history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(batches.map(({ samples }) => samples)).toEqual([10, 20, 30, 37]);
    const sum = batches.reduce((total, { loss }, i) => total + loss * (i === 3 ? 7 : 10), 0);
    expect(history[1].trainLoss).toBeCloseTo(sum / 37, 12);
    expect(history[29].evalAccuracy).toBeGreaterThan(0.9);
    expect(history[29]).toMatchObject({ evalLoss: evaluation?.loss, evalAccuracy: evaluation?.accuracy });
    expect(history[29].imagesPerSecond).toBeCloseTo(37 / history[29].seconds, 6);
  });

  test('calls back in order, and waits', async () => {
    const calls: string[] = [];
    const late = async (name: string) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      calls.push(name);
    };
    const callback: Callback = {
      onTrainBegin: () => late('train begin'),
      onEpochBegin: ({ epoch }) => late(`epoch ${epoch}`),
      onBatchEnd: ({ batch, batches }) => late(`batch ${batch}/${batches}`),
      onEvaluateBatch: ({ samples, total }) => void calls.push(`evaluated ${samples}/${total}`),
      onEpochEnd: ({ network }, { epoch }) => late(`end ${epoch} ${network.training}`),
      onTrainEnd: (_, { completed }) => late(`train end ${completed}`),
    };
    const { options } = setUp({ epochs: 1, callbacks: [callback] });
    await train(options);
    expect(calls).toEqual([
      'train begin',
      'epoch 1',
      'batch 1/4',
      'batch 2/4',
      'batch 3/4',
      'batch 4/4',
      'evaluated 20/50',
      'evaluated 40/50',
      'evaluated 50/50',
      'end 1 true',
      'train end true',
    ]);
  });

  test('compiles once for each shape of a batch, in training and in evaluation', async () => {
    const before = compilationCount();
    const trainLoader = new DataLoader(trainData, { batchSize: 9, shuffle: true });
    await train(setUp({ trainLoader, evalLoader: new DataLoader(evalData, { batchSize: 17 }) }).options);
    expect(compilationCount() - before).toBe(4);
  });

  test('does without an evaluation', async () => {
    const { history, evaluation } = await train(setUp({ evalLoader: undefined, epochs: 1 }).options);
    expect(history[0]).toMatchObject({ evalLoss: null, evalAccuracy: null });
    expect(evaluation).toBeNull();
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses %s epochs', async (epochs) => {
    await expect(train(setUp({ epochs }).options)).rejects.toThrow(InputError);
  });

  test.each(engineNames)('gives the same bits for the same seed on %s', async (engine) => {
    setEngine(engine);
    const run = async () => {
      const { network, options } = setUp();
      const { history } = await train(options);
      return {
        weights: await weightsOf(network),
        losses: history.map(({ trainLoss, evalLoss }) => [trainLoss, evalLoss]),
      };
    };
    expect(await run()).toEqual(await run());
  });
});

/** Remembers how often it was called. */
class Counter extends Callback {
  count = 0;

  override onBatchEnd({ optimizer }: Training): void {
    this.count++;
    (optimizer.schedule as lr.LRScheduler).step();
  }

  override stateDict(): number {
    return this.count;
  }

  override setStateDict(state: Json): void {
    this.count = state as number;
  }
}

/** All that {@link setUp} has, and a schedule, metrics and a callback that remembers. */
function withState(callbacks: Callback[] = [], changes: Partial<TrainOptions> = {}) {
  const counter = new Counter();
  const metrics = [new Accuracy(), new Auc()];
  const made = setUp({ ...changes, metrics, callbacks: [counter, ...callbacks] });
  const learningRate = new lr.ExponentialDecay({ learningRate: 0.1, gamma: 0.95 });
  const optimizer = new Momentum({ learningRate, parameters: made.network.parameters() });
  return { ...made, optimizer, counter, options: { ...made.options, optimizer } };
}

describe('a training that is stopped', () => {
  test.each([
    ['in the middle of an epoch', 6, 1],
    ['after the last batch of an epoch, before its evaluation', 8, 1],
    ['by a callback', 5, 1],
  ])('%s continues from its state as if nothing had happened', async (how, steps, epochs) => {
    const whole = withState();
    const expected = await train(whole.options);

    const controller = new AbortController();
    const stopper: Callback = {
      onBatchEnd: (training) => {
        if (training.optimizer.steps !== steps) return;
        if (how === 'by a callback') training.stop();
        else controller.abort();
      },
    };
    const states: string[] = [];
    const keeper: Callback = { onTrainEnd: (training) => void states.push(JSON.stringify(training.state())) };
    const first = withState([stopper, keeper], { signal: controller.signal });
    const stopped = await train(first.options);
    expect(stopped.completed).toBe(false);
    expect(stopped.history).toHaveLength(epochs);
    const state = JSON.parse(states[0]);
    expect(state).toMatchObject({ epoch: 2, batch: steps - 4, steps });
    const saved = {
      weights: await snapshot(first.network.stateDict()),
      optimizer: await snapshot(first.optimizer.stateDict(first.network.namedParameters())),
    };

    const second = withState();
    for (let i = 0; i < 100; i++) defaultGenerator().normal();
    second.network.loadStateDict(saved.weights);
    second.optimizer.loadStateDict(second.network.namedParameters(), saved.optimizer, state);
    const resumed = await train({ ...second.options, from: { state, history: stopped.history } });
    expect(await weightsOf(second.network)).toEqual(await weightsOf(whole.network));
    const untimed = ({ history }: typeof resumed) =>
      history.map((record) => ({ ...record, seconds: 0, imagesPerSecond: 0, dataShare: 0 }));
    expect(untimed(resumed)).toEqual(untimed(expected));
    expect(second.counter.count).toBe(whole.counter.count);
    expect(second.optimizer.learningRate).toBe(whole.optimizer.learningRate);
  });

  test('refuses data that are fewer than it has done', async () => {
    const states: TrainingState[] = [];
    const stopper: Callback = {
      onBatchEnd: (training) => void (training.batch === 3 && training.stop()),
      onTrainEnd: (training) => void states.push(training.state()),
    };
    await train(setUp({ callbacks: [stopper] }).options);
    const from = { state: { ...states[0], setting: undefined }, history: [] };
    const trainLoader = new DataLoader(points(15), { batchSize: 10, shuffle: true });
    await expect(train(setUp({ from, trainLoader }).options)).rejects.toThrow(
      /^\[train\] data: expected at least 3 batches and 30 samples, .* got 2 and 15; take the data of before$/,
    );
  });

  test('ends a whole epoch in good order', async () => {
    const stopper: Callback = { onEpochEnd: (training) => training.stop() };
    const { options } = setUp({ callbacks: [stopper] });
    const { history, completed } = await train(options);
    expect(history).toHaveLength(1);
    // It is over: no caller wants to resume it.
    expect(completed).toBe(true);
  });
});

async function snapshot(states: ReturnType<Layer['stateDict']>) {
  const entries = [...states].map(async ([name, state]) => {
    const { shape, dtype } = state;
    return [name, { shape, dtype, data: await state.data() }] as const;
  });
  return new Map(await Promise.all(entries));
}

test('the accuracy of the training is that of the metric', async () => {
  const { options } = setUp({ epochs: 3 });
  const { history } = await train({ ...options, metrics: [new Accuracy()], trainAccuracy: true });
  for (const { trainAccuracy, trainMetrics } of history) expect(trainAccuracy).toBe(trainMetrics?.acc);
  expect(history[0].trainAccuracy).toBeLessThan(1);
});

describe('metrics', () => {
  test('of metrics go over the samples of each epoch and of each evaluation', async () => {
    const seen: Record<string, number>[] = [];
    const watch: Callback = { onBatchEnd: (training) => void seen.push({ ...training.metrics() }) };
    const { options, network } = setUp({ metrics: [new Accuracy(), new Precision()], callbacks: [watch], evalFreq: 3 });
    const { history, evaluation } = await train(options);
    expect(history.map(({ evalMetrics }) => evalMetrics !== null)).toEqual([false, false, true, true]);
    for (const { trainLoss, trainMetrics } of history) {
      const last = seen[4 * history.findIndex((record) => record.trainLoss === trainLoss) + 3];
      expect(last).toEqual({ loss: trainLoss, ...trainMetrics });
      expect(Math.round((trainMetrics?.acc as number) * 37) / 37).toBe(trainMetrics?.acc);
    }
    expect(history[3].evalMetrics).toEqual(evaluation?.metrics);
    expect(history[3].evalMetrics?.acc).toBe(history[3].evalAccuracy);
    expect(network.training).toBe(true);
  });

  test('need names of their own', async () => {
    const { options } = setUp({ metrics: [new Accuracy(), new Accuracy()] });
    await expect(train(options)).rejects.toThrow("[metrics] names: expected each once, got 'acc' twice");
  });
});

describe('accumulated gradients', () => {
  test.each(['reference', 'onednn'] as const)('of small batches step as a large batch does, on %s', async (engine) => {
    setEngine(engine);
    const run = async (batchSize: number, accumulateGradBatches: number) => {
      const trainLoader = new DataLoader(trainData, { batchSize, shuffle: true });
      const updated: boolean[] = [];
      const watch: Callback = { onBatchEnd: (training) => void updated.push(training.updated) };
      const options = { trainLoader, accumulateGradBatches, callbacks: [watch], epochs: 2, evalLoader: undefined };
      const { network, optimizer, options: all } = setUp(options, 0);
      const { history } = await train(all);
      return { weights: await weightsOf(network), steps: optimizer.steps, loss: history[0].trainLoss, updated };
    };
    const large = await run(15, 1);
    const small = await run(5, 3);
    expect([small.steps, large.steps]).toEqual([6, 6]);
    // 37 samples are eight batches of five: three, three, and at the end two.
    expect(small.updated.slice(0, 8)).toEqual([false, false, true, false, false, true, false, true]);
    expect(large.updated).not.toContain(false);
    expect(small.loss).toBeCloseTo(large.loss, 5);
    for (const [name, values] of Object.entries(large.weights)) {
      values.forEach((value, i) => {
        expect(small.weights[name][i], `${name}[${i}]`).toBeCloseTo(value, 5);
      });
    }
  });

  test('are never left half-way', async () => {
    const controller = new AbortController();
    const states: TrainingState[] = [];
    const trainLoader = new DataLoader(trainData, { batchSize: 5 });
    const stopper: Callback = {
      onBatchEnd: (training) => {
        if (training.batch === 4) controller.abort();
        if (!training.updated) expect(() => training.state()).toThrow(InputError);
      },
      onTrainEnd: (training) => void states.push(training.state()),
    };
    const options = { trainLoader, accumulateGradBatches: 3, callbacks: [stopper], signal: controller.signal };
    await train(setUp(options).options);
    expect(states[0]).toMatchObject({ epoch: 1, batch: 6, steps: 2 });
  });
});

test('a training that is stopped between two saved states saves once more', async () => {
  const saved: number[] = [];
  const save = async ({ optimizer }: Training) => void saved.push(optimizer.steps);
  const stopper: Callback = { onBatchEnd: (training) => void (training.optimizer.steps === 3 && training.stop()) };
  await train(setUp({ saveSteps: 2, save, callbacks: [stopper] }).options);
  expect(saved).toEqual([2, 3]);
});

test.each([
  [7, 2, [37, 30]],
  [3, 1, [30]],
])('%i iterations end the training, for any number of epochs', async (numIters, epochs, samples) => {
  const seen: number[] = [];
  const watch: Callback = { onEpochEnd: (_, record) => void seen.push(record.imagesPerSecond * record.seconds) };
  const { options, optimizer } = setUp({ numIters, callbacks: [watch] });
  const { history, completed } = await train(options);
  expect([completed, optimizer.steps, history.length]).toEqual([true, numIters, epochs]);
  expect(seen.map(Math.round)).toEqual(samples);
});

test('a training may begin with a later epoch', async () => {
  const { history } = await train(setUp({ initialEpoch: 2 }).options);
  expect(history.map(({ epoch }) => epoch)).toEqual([3, 4]);
});

describe('a callback that throws', () => {
  const calls: string[] = [];
  const calm: Callback = {
    onBatchEnd: ({ epoch, batch }) => void calls.push(`batch ${epoch}/${batch}`),
    onEpochEnd: (_, { epoch }) => void calls.push(`epoch ${epoch}`),
    onTrainEnd: () => void calls.push('end'),
  };
  class Faulty extends Callback {
    override async onBatchEnd({ epoch, batch }: Training): Promise<void> {
      if (epoch === 2 && batch === 3) throw new Error('no luck');
    }
  }

  test('ends the training with its name, once the others were called and the state was saved', async () => {
    calls.length = 0;
    const saved: TrainingState[] = [];
    const save = async (training: Training) => void saved.push(training.state());
    const error = await train(setUp({ callbacks: [new Faulty(), calm], save }).options).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CallbackError);
    expect((error as Error).message).toBe('[callback] Faulty.onBatchEnd failed: no luck; the state is saved');
    expect(calls.slice(-3)).toEqual(['batch 2/1', 'batch 2/2', 'batch 2/3']);
    expect(saved.map(({ epoch, batch }) => [epoch, batch])).toEqual([
      [2, 0],
      [2, 3],
    ]);
  });

  test('keeps its own error if the state cannot be saved either', async () => {
    const save = async (training: Training) => {
      if (training.batch > 0) throw new Error('disk full');
    };
    await expect(train(setUp({ callbacks: [new Faulty()], save }).options)).rejects.toThrow(
      /Faulty\.onBatchEnd failed: no luck; the state could not be saved: disk full$/,
    );
  });

  test('or returns what is no promise is not waited for', async () => {
    const odd = { onBatchEnd: () => 5, onEpochEnd: () => null } as unknown as Callback;
    expect((await train(setUp({ callbacks: [odd] }).options)).completed).toBe(true);
  });

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  test.each([1n, new Map(), circular, () => 1, Number.NaN, undefined])('is named if it remembers %s', async (state) => {
    const odd = { stateDict: () => state } as unknown as Callback;
    const save = async (training: Training) => void training.state();
    await expect(train(setUp({ callbacks: [odd], save }).options)).rejects.toThrow(
      /^\[callback\] Callback\.stateDict failed: its state has something that JSON cannot hold; use/,
    );
  });

  test('when its state is restored is named', async () => {
    const states: TrainingState[] = [];
    const stop: Callback = {
      onBatchEnd: (training) => training.stop(),
      onTrainEnd: (training) => void states.push(training.state()),
      stateDict: () => 1,
      setStateDict: () => {
        throw new Error('not this one');
      },
    };
    await train(setUp({ callbacks: [stop] }).options);
    const from = { state: states[0], history: [] };
    await expect(train(setUp({ callbacks: [stop], from }).options)).rejects.toThrow(
      /^\[callback\] Callback\.setStateDict failed: not this one$/,
    );
  });

  test.each([
    [null, 'null'],
    [EarlyStopping, 'the class EarlyStopping; make an object of it with new'],
  ])('or is %s is refused', async (callback, got) => {
    const callbacks = [callback] as unknown as Callback[];
    await expect(train(setUp({ callbacks }).options)).rejects.toThrow(
      `[callback] callbacks: expected objects with methods of Callback, got ${got}`,
    );
  });

  test('at once says so too, without a state that could be saved', async () => {
    const first: Callback = {
      onTrainBegin: () => {
        throw new Error('not ready');
      },
    };
    const promise = train(setUp({ callbacks: [first], save: async () => {} }).options);
    await expect(promise).rejects.toThrow(/^\[callback\] Callback.onTrainBegin failed: not ready$/);
  });
});

describe('a loss that is no number', () => {
  test.each([
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '−∞'],
  ])('stops the training: %s', async (factor, shown) => {
    const { options, optimizer } = setUp();
    const loss = (outputs: Tensor, labels: Tensor) =>
      F.crossEntropy(outputs, labels).mul(optimizer.steps === 6 ? factor : 1);
    const error = await train({ ...options, loss }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DivergenceError);
    expect(error).toMatchObject({ epoch: 2, batch: 3 });
    expect((error as Error).message).toBe(
      `[train] loss: expected a finite number, got ${shown} in epoch 2, batch 3; ` +
        `first non-finite value: result of binary, ${shown} (1 of 1 values); ` +
        'lower the learning rate (now 0.1) or look for bad images',
    );
  });

  test('is noticed if only the evaluation shows it', async () => {
    const { options, network } = setUp();
    const loss = (outputs: Tensor, labels: Tensor) =>
      F.crossEntropy(outputs, labels).mul(network.training ? 1 : Number.POSITIVE_INFINITY);
    const error = await train({ ...options, loss }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ epoch: 1, batch: null });
    expect((error as Error).message).toContain('got ∞ in the evaluation after epoch 1');
  });
});
