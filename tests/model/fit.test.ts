import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { currentEngine, engineInfo, setEngine } from '../../src/engine/select.js';
import { FileError, InputError } from '../../src/errors.js';
import { DataLoader } from '../../src/io/data/dataloader.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { loadSafetensors } from '../../src/io/weights/safetensors.js';
import { Accuracy, Auc } from '../../src/metric/index.js';
import { Model } from '../../src/model/model.js';
import type { FitOptions } from '../../src/model/options.js';
import { CrossEntropyLoss, Dropout, Linear, ReLU, Sequential } from '../../src/nn/index.js';
import { Adam, AdamW, lr, Momentum } from '../../src/optimizer/index.js';
import { RandomGenerator, seed } from '../../src/random.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { Callback, CallbackError, type Training } from '../../src/train/callback.js';
import { EarlyStopping, ModelCheckpoint, ProgBarLogger, ReduceLROnPlateau } from '../../src/train/callbacks/index.js';
import { DivergenceError } from '../../src/train/divergence.js';
import type { LossFunction } from '../../src/train/objective.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
const path = (name: string) => join(root, name);

/** Points, of which few are of class 1. */
function points(length: number, from: number, bound = 1.2): Dataset & { labels: number[] } {
  const generator = new RandomGenerator(from);
  const samples = Array.from({ length }, () => {
    const image = Float32Array.of(generator.normal(), generator.normal());
    return { image, shape: [2], label: image[0] + image[1] > bound ? 1 : 0 };
  });
  return { length, labels: samples.map(({ label }) => label), get: (index) => samples[index] };
}

const trainData = points(60, 1);
const evalData = points(40, 2);

function makeModel({ learningRate = 0.02 as number | lr.Schedule } = {}): Model {
  seed(3);
  const model = new Model(new Sequential(new Linear(2, 8), new ReLU(), new Dropout(0.1), new Linear(8, 2)));
  const optimizer = new Adam({ learningRate, parameters: model.parameters() });
  model.prepare({ optimizer, loss: new CrossEntropyLoss(), metrics: [new Accuracy(), new Auc()] });
  return model;
}

const usual = { trainData, evalData, batchSize: 8, epochs: 5, verbose: 0 } satisfies FitOptions;

async function weightsOf({ network }: Model): Promise<Record<string, readonly number[]>> {
  const entries = [...network.stateDict()].map(async ([name, state]) => [name, [...(await state.data())]] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Everything in a file of weights, as numbers. */
async function weightsIn(file: string): Promise<Record<string, readonly number[]>> {
  const { tensors } = await loadSafetensors(file);
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, [...data]]));
}

beforeEach(() => setEngine('reference'));

describe('Model.fit', () => {
  test('returns the history, and evaluates as evaluate does', async () => {
    const model = makeModel();
    const history = await model.fit({ ...usual, epochs: 30 });
    expect(history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(history[29].evalMetrics?.acc).toBeGreaterThan(0.9);
    const metrics = await model.evaluate(evalData, { batchSize: 7, verbose: 0 });
    expect(metrics.loss).toBeCloseTo(history[29].evalLoss as number, 6);
    expect(metrics).toMatchObject({ acc: history[29].evalMetrics?.acc, auc: history[29].evalMetrics?.auc });
    const all = await model.predict(evalData, { batchSize: 16, verbose: 0, stackOutputs: true });
    const parts = await model.predict(evalData, { batchSize: 16, verbose: 0 });
    expect(all.shape).toEqual([40, 2]);
    expect(parts.map(({ shape }) => shape[0])).toEqual([16, 16, 8]);
    const right = (await all.argmax({ axis: 1 }).data()).filter(
      (label: number, i: number) => label === evalData.labels[i],
    );
    expect(right.length / 40).toBe(metrics.acc);
    expect(await model.evaluate(evalData, { numIters: 2, batchSize: 4, verbose: 0 })).not.toEqual(metrics);
  });

  test('writes nothing without a folder', async () => {
    const before = readdirSync(root);
    await makeModel().fit({ ...usual, epochs: 1, restoreBest: true });
    expect(readdirSync(root)).toEqual(before);
  });

  test('saves the last, the best and the state, and keeps the asked number of states', async () => {
    const saveDir = path('saved');
    const model = makeModel();
    const seen: Record<string, readonly number[]>[] = [];
    const watch: Callback = { onEpochEnd: async () => void seen.push(await weightsOf(model)) };
    const options = { saveDir, keepLastN: 2, saveBest: true, monitor: 'auc', epochs: 6 } as const;
    const history = await model.fit({ ...usual, ...options, callbacks: watch });
    expect(readdirSync(saveDir).sort()).toEqual([
      'best.safetensors',
      'epoch-5.optimizer.safetensors',
      'epoch-5.safetensors',
      'epoch-6.optimizer.safetensors',
      'epoch-6.safetensors',
      'final.optimizer.safetensors',
      'final.safetensors',
      'metrics.jsonl',
      'optimizer.safetensors',
      'state.json',
      'weights.safetensors',
    ]);
    const aucs = history.map(({ evalMetrics }) => evalMetrics?.auc as number);
    expect(await weightsIn(join(saveDir, 'best.safetensors'))).toEqual(seen[aucs.indexOf(Math.max(...aucs))]);
    expect(await weightsIn(join(saveDir, 'epoch-5.safetensors'))).toEqual(seen[4]);
    expect(await weightsIn(join(saveDir, 'final.safetensors'))).toEqual(seen[5]);
    await expect(makeModel().fit({ ...usual, saveDir })).rejects.toThrow(/expected a folder without a training/);
  });

  test('overwrites nothing that is not its own', async () => {
    const saveDir = path('foreign');
    mkdirSync(saveDir);
    for (const name of ['epoch-1.safetensors', 'weights.safetensors', 'config.json']) {
      const file = join(saveDir, name);
      writeFileSync(file, 'mine');
      const promise = makeModel().fit({ ...usual, saveDir, resume: true });
      await expect(promise).rejects.toThrow(`got one with ${name} of something else (nothing is ever overwritten)`);
      expect(readFileSync(file, 'utf8')).toBe('mine');
      rmSync(file);
    }
    // A training that was killed before its first state.
    writeFileSync(join(saveDir, 'epoch-1.safetensors'), 'half');
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(saveDir, '.lock'), JSON.stringify({ host: hostname(), pid: dead, began: null }));
    expect(await makeModel().fit({ ...usual, saveDir, resume: true, epochs: 1 })).toHaveLength(1);
    writeFileSync(path('file'), '');
    const inFile = makeModel().fit({ ...usual, saveDir: path('file') });
    await expect(inFile).rejects.toThrow(FileError);
    await expect(inFile).rejects.toThrow(/file: expected a folder, or to make one, got EEXIST: .*; choose another/);
  });

  test('locks the folder that a checkpoint has of its own', async () => {
    const own = path('own');
    const checkpoint = () => new ModelCheckpoint({ saveDir: own, verbose: 0 });
    const errors: unknown[] = [];
    const second: Callback = {
      onTrainBegin: async () => {
        errors.push(
          await makeModel()
            .fit({ ...usual, callbacks: checkpoint() })
            .catch((error: unknown) => error),
        );
      },
    };
    await makeModel().fit({ ...usual, epochs: 1, callbacks: [checkpoint(), second] });
    expect(errors).toEqual([expect.any(InputError)]);
    expect((errors[0] as Error).message).toMatch(
      /^\[ModelCheckpoint\] .*own: expected no other process to write there/,
    );
    expect(readdirSync(own)).not.toContain('.lock');
  });

  test.each([
    [ModelCheckpoint.kind, () => new ModelCheckpoint({ saveDir: path('first'), saveBest: true, verbose: 0 })],
    [
      EarlyStopping.kind,
      () => Object.assign(new EarlyStopping({ patience: 9, verbose: 0 }), { saveDir: path('second') }),
    ],
  ])('%s overwrites no results of a training that came to its end', async (_, make) => {
    const callback = make();
    const folder = callback.saveDir as string;
    mkdirSync(folder, { recursive: true });
    await makeModel().fit({ ...usual, epochs: 2, callbacks: callback });
    const files = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]);
    const before = files();
    for (const other of [callback, make()]) {
      const again = makeModel().fit({ ...usual, epochs: 2, callbacks: other });
      await expect(again).rejects.toThrow(/saveDir: expected a folder for this training alone, got .*; choose another/);
    }
    expect(files()).toEqual(before);
  });

  test.each([path('restored'), undefined])(
    'gives the best weights back, however it ends, folder %s',
    async (saveDir) => {
      const model = makeModel();
      const seen: Record<string, readonly number[]>[] = [];
      const spoil: Callback = {
        onEpochEnd: async ({ optimizer, network }, { epoch }) => {
          seen.push(await weightsOf(model));
          if (epoch === 3) optimizer.learningRate = 30;
          if (epoch === 5) network.parameters()[0].load(new Float32Array(16).fill(Number.NaN));
        },
      };
      const options = { ...usual, saveDir, restoreBest: true, callbacks: [spoil], epochs: 9 };
      await expect(model.fit(options)).rejects.toThrow(DivergenceError);
      expect(await weightsOf(model)).toEqual(seen[2]);
    },
  );

  test('continues to the same bits after a stop at any place', async () => {
    const make = () => makeModel({ learningRate: new lr.StepDecay({ learningRate: 0.05, stepSize: 9 }) });
    const stopping = () => new EarlyStopping({ patience: 3, verbose: 0 });
    const whole = make();
    const expected = await whole.fit({ ...usual, callbacks: [stopping()], accumulateGradBatches: 2 });
    const saveDir = path('resumed');
    let history: typeof expected = [];
    for (const stop of [3, 11, 16, null]) {
      const controller = new AbortController();
      const stopper: Callback = {
        onBatchEnd: ({ optimizer }: Training) => {
          if (optimizer.steps === stop) controller.abort();
        },
      };
      const model = make();
      for (let i = 0; i < 10; i++) await model.network.parameters()[0].data();
      history = await model.fit({
        ...usual,
        saveDir,
        resume: true,
        signal: controller.signal,
        callbacks: [stopping(), stopper],
        accumulateGradBatches: 2,
      });
      if (stop === null) expect(await weightsOf(model)).toEqual(await weightsOf(whole));
    }
    const untimed = (records: typeof expected) =>
      records.map((record) => ({ ...record, seconds: 0, imagesPerSecond: 0, dataShare: 0 }));
    expect(untimed(history)).toEqual(untimed(expected));
    expect(history[4].learningRate).toBe(0.05 * 0.1 ** Math.floor(20 / 9));
  });

  test('continues only as it began', async () => {
    const saveDir = path('setting');
    const begun = { ...usual, saveDir, resume: true, epochs: 1 };
    await makeModel().fit(begun);
    const goOn = (options: Partial<FitOptions>, model = makeModel()) => model.fit({ ...begun, epochs: 2, ...options });
    const more = { trainData: points(70, 1), batchSize: 16, dropLast: true, accumulateGradBatches: 2 };
    await expect(goOn(more)).rejects.toThrow(
      '[train] resume: expected the settings that the training began with (batchSize 8, samples 60, dropLast false, ' +
        'accumulateGradBatches 1), got batchSize 16, samples 70, dropLast true, accumulateGradBatches 2; resume with',
    );
    await expect(goOn({ shuffle: false })).rejects.toThrow('(order shuffled), got order as stored;');
    await expect(goOn({ sampler: 'balanced' })).rejects.toThrow('(order shuffled), got order BalancedSampler;');
    const scheduled = makeModel({ learningRate: new lr.StepDecay({ learningRate: 0.02, stepSize: 9 }) });
    await expect(goOn({}, scheduled)).rejects.toThrow('(schedule none), got schedule StepDecay;');
    const plain = makeModel();
    const loss = new CrossEntropyLoss();
    plain.prepare({ optimizer: new AdamW({ parameters: plain.parameters() }), loss, metrics: new Accuracy() });
    await expect(goOn({}, plain)).rejects.toThrow(
      '(optimizer Adam, metrics acc,auc), got optimizer AdamW, metrics acc;',
    );
    // A state of an earlier version does not say.
    const file = join(saveDir, 'state.json');
    const { sha256: _, ...state } = JSON.parse(readFileSync(file, 'utf8'));
    delete state.training.setting;
    const sha256 = createHash('sha256').update(JSON.stringify(state)).digest('hex');
    writeFileSync(file, JSON.stringify({ ...state, sha256 }));
    expect(await goOn({ batchSize: 16 })).toHaveLength(2);
  });

  test('weights classes, and shows them equally often', async () => {
    const plain = await makeModel().evaluate(evalData, { verbose: 0 });
    expect(plain.loss).toBeGreaterThan(0);
    const counts = [0, 0];
    const losses: number[] = [];
    const model = makeModel();
    const watch: Callback = { onBatchEnd: ({ loss }) => void losses.push(loss) };
    const all = { ...usual, evalData: undefined, epochs: 1, batchSize: 60, shuffle: false, callbacks: [watch] };
    model.network.eval = () => model.network;
    await model.fit({ ...all, classWeight: 'auto' });
    const same = makeModel();
    const share = trainData.labels.filter((label) => label === 1).length / 60;
    await same.fit({ ...all, classWeight: [0.5 / (1 - share), 0.5 / share] });
    expect(losses[0]).toBeCloseTo(losses[1], 6);
    expect(share).toBeLessThan(0.3);
    const count: Dataset = {
      ...trainData,
      get: (index) => {
        counts[trainData.labels[index]]++;
        return trainData.get(index);
      },
    };
    await makeModel().fit({ ...usual, trainData: count, sampler: 'balanced', epochs: 1 });
    expect(counts).toEqual([30, 30]);
    const none = makeModel();
    none.prepare({
      optimizer: new Adam({ parameters: none.parameters() }),
      loss: (outputs, labels) => F.crossEntropy(outputs, labels),
    });
    await expect(none.fit({ ...usual, classWeight: 'auto' })).rejects.toThrow(/expected a loss that takes the weights/);
  });

  test('takes the number of threads that it is given, where the data set can', async () => {
    const asked: number[] = [];
    const threaded: Dataset = {
      length: 60,
      get: () => {
        throw new Error('expected the other one');
      },
      withWorkers: (numWorkers) => {
        asked.push(numWorkers);
        return trainData;
      },
    };
    await makeModel().fit({ ...usual, trainData: threaded, numWorkers: 3, epochs: 1 });
    await makeModel().evaluate(threaded, { numWorkers: 2, verbose: 0 });
    expect(asked).toEqual([3, 2]);
  });

  test('does without some classes in the evaluation', async () => {
    const labels = evalData.labels.map((label, i) => (label === 0 ? i : -1)).filter((i) => i >= 0);
    const negatives = { length: labels.length, get: (index: number) => evalData.get(labels[index]) };
    const saveDir = path('classes');
    const history = await makeModel().fit({ ...usual, evalData: negatives, saveDir, epochs: 1 });
    expect(history[0].evalMetrics).toEqual({ acc: history[0].evalAccuracy, auc: null });
    const warn = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const labelled = { ...negatives, labels: labels.map(() => 0) };
    const callbacks = [new ProgBarLogger({ verbose: 0 }), new EarlyStopping({ monitor: 'auc' })];
    await makeModel().fit({ ...usual, evalData: labelled, verbose: 2, callbacks, epochs: 2 });
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      '[fit] evalData: no validation samples of class 1: metrics say nothing about it\n',
      '[EarlyStopping] monitor: expected auc to be a number, got none in epoch 1; such epochs do not count, look for ' +
        'classes without samples\n',
    ]);
    warn.mockRestore();
    // JSON knows no NaN.
    expect(await makeModel().fit({ ...usual, evalData: negatives, saveDir, epochs: 1, resume: true })).toEqual(history);
    const strange = { length: 4, get: (index: number) => ({ ...evalData.get(index), label: 2 }) } as Dataset;
    await expect(makeModel().fit({ ...usual, evalData: strange, epochs: 1 })).rejects.toThrow(InputError);
  });

  test.each([
    [{ savedir: 'x' }, /^\[fit\] 'savedir': expected one of .*; did you mean saveDir\?$/],
    [{ verbose: 5 }, '[fit] verbose: expected 0, 1, 2 or 3, got 5'],
    [{ sampler: 'random' }, "[fit] sampler: expected 'balanced' or 'stratified', got 'random'"],
    [{ classWeight: 'balanced' }, "[fit] classWeight: expected 'auto' or a number for each class, got 'balanced'"],
    [{ trainData: undefined }, '[fit] trainData: expected a data set or a loader, got nothing'],
    [{ evalData: [1] }, '[fit] evalData: expected a data set or a loader, got [1]'],
  ])('refuses %o', async (wrong, message) => {
    await expect(makeModel().fit({ ...usual, ...wrong } as unknown as FitOptions)).rejects.toThrow(message);
  });

  const loader = new DataLoader(trainData, { batchSize: 8 });
  const ownCheckpoint = new ModelCheckpoint({ restoreBest: true });
  test.each([
    [
      { trainData: loader, evalData: loader, batchSize: 8 },
      'batchSize: expected none, since a loader brings its own, got 8; leave it out',
    ],
    [{ trainData: loader, evalData: undefined, batchSize: 8 }, 'batchSize: expected none, since a loader'],
    [{ trainData: loader, batchSize: [8, 4] }, 'batchSize: expected none, since only one of the data sets'],
    [
      { evalData: undefined, batchSize: [8, 4] },
      'batchSize: expected none, since only one of the data sets needs a size; give one number, got [8,4]',
    ],
    [{ trainData: loader, shuffle: false }, 'shuffle: expected none, since a loader'],
    [{ trainData: loader, shuffle: true }, 'shuffle: expected none, since a loader'],
    [{ sampler: 'balanced', shuffle: true }, 'shuffle: expected none, since the sampler'],
    [{ trainData: loader, dropLast: true }, 'dropLast: expected none, since a loader'],
    [{ trainData: loader, sampler: 'balanced' }, 'sampler: expected none, since a loader'],
    [
      { trainData: loader, evalData: loader, batchSize: undefined, numWorkers: 2 },
      'numWorkers: expected none, since a loader',
    ],
    [{ evalData: undefined, evalFreq: 2 }, 'evalFreq: expected none, since there is no evalData, got 2'],
    [{ saveFreq: 2 }, 'saveFreq: expected none, since there is no saveDir'],
    [{ saveBest: true, restoreBest: true }, 'saveBest: expected none, since there is no saveDir'],
    [{ keepLastN: 2 }, 'keepLastN: expected none, since there is no saveDir'],
    [{ saveDir: path('none'), saveFreq: 0, keepLastN: 2 }, 'keepLastN: expected none, since saveFreq 0'],
    ...[{ saveFreq: 2 }, { keepLastN: 2 }, { saveBest: true }, { restoreBest: true }].map(
      (option): [object, string] => [
        { saveDir: path('none'), callbacks: ownCheckpoint, ...option },
        'expected none, since the ModelCheckpoint among the callbacks',
      ],
    ),
    [{ saveDir: path('none'), monitor: 'acc' }, 'monitor: expected none, since neither'],
    [{ mode: 'max' }, 'mode: expected none, since neither'],
    [{ callbacks: new ProgBarLogger({ verbose: 0 }), logFreq: 5 }, 'logFreq: expected none, since the ProgBarLogger'],
  ] as [object, string][])('refuses an option without effect: %o', async (wrong, message) => {
    const promise = makeModel().fit({ ...usual, ...wrong } as FitOptions);
    await expect(promise).rejects.toThrow(InputError);
    await expect(promise).rejects.toThrow(`[fit] ${message}`.replace('[fit] expected', 'expected'));
    expect(existsSync(path('none'))).toBe(false);
  });

  test('takes options that are turned off, or mean something for one of two data sets', async () => {
    const off = { saveBest: false, restoreBest: false, saveFreq: 0, numWorkers: 0 } as const;
    await expect(makeModel().fit({ ...usual, ...off, trainData: loader, epochs: 1 })).resolves.toHaveLength(1);
  });

  test.each([
    [{ batchSize: 4 }, 'batchSize: expected none, since a loader'],
    [{ numWorkers: 2 }, 'numWorkers: expected none, since a loader'],
    [{ callbacks: new ProgBarLogger({ verbose: 0 }), logFreq: 5 }, 'logFreq: expected none, since the ProgBarLogger'],
    [{ callbacks: [new ProgBarLogger({ verbose: 0 })], verbose: 2 }, 'verbose: expected none, since the ProgBarLogger'],
    [{ batchsize: 4 }, "'batchsize': expected one of batchSize, "],
  ] as [object, string][])('evaluate and predict refuse %o', async (wrong, message) => {
    await expect(makeModel().evaluate(loader, wrong)).rejects.toThrow(`[evaluate] ${message}`);
    await expect(makeModel().predict(loader, wrong)).rejects.toThrow(`[predict] ${message}`);
    await expect(makeModel().evaluate(loader, { stackOutputs: true } as object)).rejects.toThrow("'stackOutputs'");
  });

  test('refuses data in place of options, and invalid numbers of batches', async () => {
    const promise = makeModel().fit(trainData as unknown as FitOptions);
    await expect(promise).rejects.toThrow('expected one object, got data; call fit({ trainData, evalData, … })');
    for (const numIters of [0, -1, 1.5]) {
      const options = { numIters, verbose: 0 } as const;
      const message = `numIters: expected a positive integer, got ${numIters}`;
      await expect(makeModel().evaluate(evalData, options)).rejects.toThrow(`[evaluate] ${message}`);
      await expect(makeModel().predict(evalData, options)).rejects.toThrow(`[predict] ${message}`);
    }
  });

  test('names what is missing', async () => {
    const model = new Model(new Linear(2, 2));
    await expect(model.fit(usual)).rejects.toThrow('[Model] fit: expected a model with a loss, got none');
    model.prepare({ loss: new CrossEntropyLoss() });
    await expect(model.fit(usual)).rejects.toThrow('[Model] fit: expected a model with an optimizer, got none');
    await expect(makeModel().fit({ ...usual, resume: true })).rejects.toThrow(InputError);
  });

  test('keeps the last state whole if a callback cannot say what it remembers', async () => {
    const saveDir = path('forgetful');
    class Forgetful extends Callback {
      epochs = 0;
      override onEpochEnd(): void {
        this.epochs++;
      }
      override stateDict(): number {
        if (this.epochs === 2) throw new Error('no idea');
        return this.epochs;
      }
    }
    const options = { ...usual, saveDir, saveFreq: 0 };
    await expect(makeModel().fit({ ...options, callbacks: new Forgetful() })).rejects.toThrow(
      '[callback] Forgetful.stateDict failed: no idea; the state that was saved last is kept',
    );
    expect(readdirSync(saveDir).sort()).toEqual([
      'metrics.jsonl',
      'optimizer.safetensors',
      'state.json',
      'weights.safetensors',
    ]);
    expect(await makeModel().fit({ ...options, epochs: 2, resume: true })).toHaveLength(2);
  });

  test('ends with the name of a callback that throws, and continues from the state it has saved', async () => {
    class Faulty extends Callback {
      override onBatchEnd({ epoch, batch }: Training): void {
        if (epoch === 2 && batch === 3) throw new Error('no luck');
      }
    }
    const saveDir = path('faulty');
    const promise = makeModel().fit({ ...usual, saveDir, callbacks: new Faulty() });
    await expect(promise).rejects.toThrow(CallbackError);
    await expect(promise).rejects.toThrow(/Faulty\.onBatchEnd failed: no luck; the state is saved$/);
    const model = makeModel();
    await model.fit({ ...usual, saveDir, resume: true });
    const whole = makeModel();
    await whole.fit(usual);
    expect(await weightsOf(model)).toEqual(await weightsOf(whole));
  });
});

test('mixed precision is that of the training alone', async () => {
  setEngine('onednn');
  const precisions: string[] = [];
  // All other code that computes meanwhile does so in float32.
  const watch: Callback = { onBatchEnd: () => expect(engineInfo().precision).toBe('float32') };
  const usable = currentEngine().supports('bf16').possible ? 'bf16' : 'float32';
  const train = async (ampConfigs: 'O0' | { level: 'O1' }) => {
    const model = makeModel();
    const optimizer = new Adam({ learningRate: 0.02, parameters: model.parameters() });
    const loss: LossFunction = (outputs, labels) => {
      precisions.push(engineInfo().precision);
      return F.crossEntropy(outputs, labels);
    };
    model.prepare({ optimizer, loss, ampConfigs });
    const history = await model.fit({ ...usual, epochs: 30, callbacks: watch });
    expect(engineInfo().precision).toBe('float32');
    return history[29].evalAccuracy;
  };
  expect(await train({ level: 'O1' })).toBeGreaterThan(0.85);
  expect(new Set(precisions)).toEqual(new Set([usable]));
  precisions.length = 0;
  expect(await train('O0')).toBeGreaterThan(0.85);
  expect(new Set(precisions)).toEqual(new Set(['float32']));
  expect(() => makeModel().prepare({ ampConfigs: 'O2' as 'O1' })).toThrow(InputError);
});

describe('single batches', () => {
  const batch = (labels: number[]) =>
    [Tensor.ones([labels.length, 2]), Tensor.fromData(Int32Array.from(labels))] as const;

  test('train, with gradients of several added, and evaluate', async () => {
    const model = makeModel();
    const before = await weightsOf(model);
    const { loss } = await model.trainBatch(...batch([1, 1, 0]), { update: false });
    expect(await weightsOf(model)).toEqual(before);
    const { acc } = await model.trainBatch(...batch([1, 1]));
    expect(await weightsOf(model)).not.toEqual(before);
    expect([1 / 5, 2 / 5, 3 / 5, 4 / 5, 1, 0]).toContain(acc);
    model.resetMetrics();
    for (let i = 0; i < 40; i++) await model.trainBatch(...batch([1, 1]));
    model.resetMetrics();
    const evaluated = await model.evalBatch(...batch([1, 0]));
    expect(evaluated.acc).toBe(0.5);
    expect(loss).toBeGreaterThan(0);
    const outputs = await model.predictBatch(batch([1])[0]);
    expect(outputs.shape).toEqual([1, 2]);
    expect(await outputs.argmax({ axis: 1 }).item()).toBe(1);
    expect(model.network.training).toBe(true);
  });
});

describe('save and load', () => {
  test.each(['plain', 'paddle.pdparams', 'named.safetensors'])('%s brings weights and optimizer back', async (name) => {
    const model = makeModel({ learningRate: new lr.StepDecay({ learningRate: 0.05, stepSize: 9 }) });
    await model.fit({ ...usual, epochs: 2 });
    await model.save(path(name));
    const other = makeModel({ learningRate: new lr.StepDecay({ learningRate: 0.05, stepSize: 9 }) });
    expect(await other.load(path(name))).toEqual([]);
    expect(await weightsOf(other)).toEqual(await weightsOf(model));
    const go = async (one: Model) => {
      seed(9);
      await one.fit({ ...usual, epochs: 1 });
      return weightsOf(one);
    };
    expect(await go(other)).toEqual(await go(model));
  });

  test('without the optimizer, and of another network', async () => {
    const model = makeModel();
    await model.save(path('weights'), { training: false });
    expect(existsSync(path('weights.optimizer.safetensors'))).toBe(false);
    const wider = new Model(new Sequential(new Linear(2, 8), new ReLU(), new Dropout(0.1), new Linear(8, 3)));
    await expect(wider.load(path('weights'))).rejects.toThrow(/2 misshapen: 3\.weight/);
    const skipped = await wider.load(path('weights'), { skipMismatch: true });
    expect(skipped.map(({ name }) => name)).toEqual(['3.weight', '3.bias']);
    await expect(wider.load(path('nothing'))).rejects.toThrow(FileError);
    await expect(wider.load(path('nothing'))).rejects.toThrow(
      /nothing\.safetensors or .*nothing\.pdparams, got neither/,
    );
  });

  test.each(['head', 'head.pdparams'])(
    '%s of another head: what fits is loaded, of the optimizer too',
    async (name) => {
      const model = makeModel();
      await model.fit({ ...usual, epochs: 1 });
      await model.save(path(name));
      const wider = new Model(new Sequential(new Linear(2, 8), new ReLU(), new Dropout(0.1), new Linear(8, 3)));
      const optimizer = new Adam({ parameters: wider.parameters() });
      wider.prepare({ optimizer, loss: new CrossEntropyLoss() });
      const skipped = await wider.load(path(name), { skipMismatch: true });
      expect(skipped.map((entry) => `${entry.name} ${entry.kind}`)).toEqual(
        ['3.weight', '3.bias', '3.weight.moment1', '3.weight.moment2', '3.bias.moment1', '3.bias.moment2'].map(
          (entry) => `${entry} shape`,
        ),
      );
      expect((await weightsOf(wider))['0.weight']).toEqual((await weightsOf(model))['0.weight']);
      expect(optimizer.steps).toBe(8);
    },
  );

  test.each(['other', 'other.pdparams'])(
    '%s of another optimizer is refused, and nothing overwritten',
    async (name) => {
      const model = makeModel();
      const loss = new CrossEntropyLoss();
      model.prepare({ optimizer: new Momentum({ parameters: model.parameters() }), loss });
      await model.fit({ ...usual, epochs: 1 });
      await model.save(path(name));
      const other = makeModel();
      const before = await weightsOf(other);
      await expect(other.load(path(name))).rejects.toThrow(
        /state 0\.weight\.moment1: expected \[2,8\], got none; .*; give resetOptimizer: true/,
      );
      expect(await weightsOf(other)).toEqual(before);
      expect(await other.load(path(name), { resetOptimizer: true })).toEqual([]);
      expect(await weightsOf(other)).toEqual(await weightsOf(model));
    },
  );

  test('can leave the optimizer as it is', async () => {
    const model = makeModel();
    await model.fit({ ...usual, epochs: 1 });
    await model.save(path('kept'));
    const other = makeModel({ learningRate: 0.5 });
    await other.load(path('kept'), { resetOptimizer: true });
    const third = makeModel({ learningRate: 0.5 });
    await third.load(path('kept'));
    const rate = async (one: Model) => (await one.fit({ ...usual, epochs: 1 }))[0].learningRate;
    expect([await rate(other), await rate(third)]).toEqual([0.5, 0.02]);
  });
});

/** Collects the lines that a callback or logger writes. */
function listener() {
  const lines: string[] = [];
  return { lines, stream: { write: (text: string) => lines.push(...text.split('\n').filter((line) => line !== '')) } };
}

describe('ProgBarLogger', () => {
  test('writes lines as Paddle does, with means over the samples', async () => {
    const { lines, stream } = listener();
    const model = makeModel();
    const losses: number[] = [];
    const watch: Callback = { onBatchEnd: (training) => void losses.push(training.metrics().loss) };
    const callbacks = [new ProgBarLogger({ logFreq: 3, stream }), watch];
    await model.fit({ ...usual, epochs: 1, callbacks });
    const metrics = String.raw`loss: \d\.\d{4} - acc: \d\.\d{4} - auc: (\d\.\d{4}|NaN)`;
    const time = String.raw`\d+(s|ms|us)/step`;
    expect(lines).toEqual([
      'The loss and metrics printed in the log are the mean over the samples of the epoch so far.',
      'Epoch 1/1',
      ...['3', '6', '8'].map((step) => expect.stringMatching(new RegExp(`^step ${step}/8 - ${metrics} - ${time}$`))),
      'Eval begin...',
      ...['3', '5'].map((step) => expect.stringMatching(new RegExp(`^step ${step}/5 - ${metrics} - ${time}$`))),
      'Eval samples: 40',
    ]);
    expect(lines[3]).toContain(`loss: ${losses[5].toFixed(4)}`);
    lines.length = 0;
    await model.predict(evalData, { batchSize: 30, callbacks: new ProgBarLogger({ verbose: 1, stream }) });
    expect(lines[0]).toBe('Predict begin...');
    expect(lines[1]).toMatch(/^step 1\/2 \[==============>\.{15}\] - ETA: 0s - \d+(ms|us)\/step$/);
    expect(lines[2]).toMatch(/^step 2\/2 \[={30}\] - \d+(ms|us)\/step$/);
    expect(lines[3]).toBe('Predict samples: 40');
  });

  test.each([1, 2] as const)('shows control characters in names of metrics, verbose %i', async (verbose) => {
    const { lines, stream } = listener();
    const model = makeModel();
    const optimizer = new Adam({ parameters: model.parameters() });
    model.prepare({ optimizer, loss: new CrossEntropyLoss(), metrics: new Accuracy({ name: 'a\u001b[2Jb\n' }) });
    await model.fit({ ...usual, epochs: 1, callbacks: [new ProgBarLogger({ verbose, stream })] });
    expect(lines.join('')).not.toContain('\u001b');
    expect(lines.filter((line) => line.startsWith('step')).every((line) => line.includes('a\\x1b[2Jb\\n: '))).toBe(
      true,
    );
  });

  test('its bar is a line each time on a terminal that cannot go back', async () => {
    vi.stubEnv('TERM', 'dumb');
    let text = '';
    const write = (part: string) => {
      text += part;
    };
    const stream = { isTTY: true, columns: 80, write };
    const bar = new ProgBarLogger({ logFreq: 1, verbose: 1, stream });
    await makeModel().fit({ ...usual, callbacks: bar });
    vi.unstubAllEnvs();
    expect(text).toContain('\n');
    expect(text).not.toContain('\r');
  });

  test.each([40, 60, 80])('its bar stays on one line of a terminal of %i columns', async (columns) => {
    let text = '';
    const write = (part: string) => {
      text += part;
    };
    const stream = { isTTY: true, columns, write };
    await makeModel().fit({ ...usual, epochs: 1, callbacks: [new ProgBarLogger({ verbose: 1, stream })] });
    // The last version of a bar ends with a line break and is not replaced.
    const drawn = text.split('\r').filter((line) => line.startsWith('step') && !line.includes('\n'));
    expect(drawn.length).toBeGreaterThan(5);
    for (const line of drawn) expect(line.trimEnd().length).toBeLessThan(columns);
    expect(text).toMatch(/step 8\/8 \[={20,30}\] - loss: .* - acc: .* - auc: .*step\n/);
  });
});

describe('callbacks of learning rates', () => {
  test('ReduceLROnPlateau reduces once nothing gets better', async () => {
    const model = makeModel({ learningRate: 0.4 });
    const reduce = new ReduceLROnPlateau({
      monitor: 'loss',
      mode: 'max',
      patience: 2,
      factor: 0.5,
      verbose: 0,
      minLr: 0.15,
    });
    const history = await model.fit({ ...usual, epochs: 7, callbacks: reduce });
    const rates = history.map(({ learningRate }) => learningRate);
    expect(rates[0]).toBe(0.4);
    expect(rates.filter((rate, i) => i > 0 && rate !== rates[i - 1])).toContain(0.2);
    const scheduled = makeModel({ learningRate: new lr.StepDecay({ learningRate: 0.4, stepSize: 2 }) });
    await expect(scheduled.fit({ ...usual, callbacks: reduce })).rejects.toThrow(/expected a number, got a schedule/);
  });

  test('a schedule of plateaus follows the monitored metric', async () => {
    const schedule = new lr.ReduceOnPlateau({ learningRate: 0.3, mode: 'max', patience: 0, factor: 0.5 });
    const history = await makeModel({ learningRate: schedule }).fit({
      ...usual,
      monitor: 'train_loss',
      mode: 'max',
      epochs: 6,
    });
    const expected = new lr.ReduceOnPlateau({ learningRate: 0.3, mode: 'max', patience: 0, factor: 0.5 });
    for (const { trainLoss, learningRate } of history) {
      expect(learningRate).toBe(expected.getLr());
      expected.step(trainLoss);
    }
    expect(schedule.getLr()).toBeLessThan(0.3);
  });
});

test('a monitor that is misspelt is found out at the beginning', async () => {
  const promise = makeModel().fit({ ...usual, callbacks: new EarlyStopping({ monitor: 'evalloss' }) });
  await expect(promise).rejects.toThrow(
    /^\[EarlyStopping\] monitor: expected one of loss, train_loss, eval_loss, acc, .*; did you mean eval_loss\?$/,
  );
});

test('files of the folder are whole', async () => {
  const saveDir = path('state');
  await makeModel().fit({ ...usual, saveDir, epochs: 2, saveFreq: 0 });
  expect(readdirSync(saveDir).sort()).toEqual([
    'metrics.jsonl',
    'optimizer.safetensors',
    'state.json',
    'weights.safetensors',
  ]);
  const state = JSON.parse(readFileSync(join(saveDir, 'state.json'), 'utf8'));
  expect(state).toMatchObject({ finished: true, training: { epoch: 3, batch: 0, steps: 16 } });
  expect(Object.keys(state.training.callbacks)).toEqual(['ModelCheckpoint']);
});
