import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import type { Dataset } from '../../src/io/data/dataset.js';
import { Accuracy } from '../../src/metric/index.js';
import { Model } from '../../src/model/model.js';
import { CrossEntropyLoss, Linear } from '../../src/nn/index.js';
import { lr, SGD } from '../../src/optimizer/index.js';
import { seed } from '../../src/random.js';
import type { Callback, Training } from '../../src/train/callback.js';
import {
  CSVLogger,
  EarlyStopping,
  LRScheduler,
  ModelCheckpoint,
  ReduceLROnPlateau,
  TensorBoard,
  TerminateOnNaN,
} from '../../src/train/callbacks/index.js';
import { crc32c, fileVersion, scalarEvent, tfRecord } from '../../src/train/callbacks/tensorBoardEvents.js';
import type { EpochRecord } from '../../src/train/history.js';
import { temporaryFolder } from '../temporary.js';

const root = temporaryFolder();
const path = (name: string) => join(root, name);

const data: Dataset = {
  length: 12,
  get: (index) => ({ image: Float32Array.of(index / 12, 1), shape: [2], label: index > 5 ? 1 : 0 }),
};
const usual = { trainData: data, evalData: data, batchSize: 4, epochs: 3, verbose: 0 } as const;

function makeModel(learningRate: number | lr.Schedule = 0.1): Model {
  seed(3);
  const model = new Model(new Linear(2, 2));
  const optimizer = new SGD({ learningRate, parameters: model.parameters() });
  model.prepare({ optimizer, loss: new CrossEntropyLoss(), metrics: new Accuracy() });
  return model;
}

beforeEach(() => setEngine('reference'));

/** Reports epochs with such evaluation losses to a callback; returns the epoch that it stopped after. */
async function tell(callback: Callback, losses: readonly (number | null)[]): Promise<number | null> {
  let stopped: number | null = null;
  let epoch = 0;
  const training = {
    metricNames: ['loss'],
    evaluating: true,
    higherIsBetter: () => false,
    stop: () => (stopped ??= epoch),
  } as unknown as Training;
  await callback.onTrainBegin?.(training);
  for (const evalLoss of losses) {
    epoch++;
    await callback.onEpochEnd?.(training, { epoch, trainLoss: 9, evalLoss } as EpochRecord);
    if (stopped !== null) break;
  }
  return stopped;
}

describe('EarlyStopping', () => {
  const make = (options = {}) => new EarlyStopping({ verbose: 0, ...options });

  test.each([
    ['at once', {}, [3, 2, 2.5, 1], 3],
    ['after some patience', { patience: 2 }, [3, 2, 2.5, 1.9, 2, 2, 0], 6],
    ['not while it gets better', { patience: 1 }, [3, 2, 1], null],
    ['where better is not enough', { minDelta: 0.5 }, [3, 2.4, 2.2], 3],
    ['where large is good', { mode: 'max' }, [1, 2, 1], 3],
    ['under a baseline', { baseline: 2, patience: 2 }, [3, 2.5], 2],
    ['and skips epochs that were not evaluated', { patience: 1 }, [3, null, null, 4], 4],
  ] as const)('%s', async (_, options, losses, epoch) => {
    expect(await tell(make(options), losses)).toBe(epoch);
  });

  test('continues counting where it was', async () => {
    const first = make({ patience: 3 });
    expect(await tell(first, [1, 2, 3])).toBeNull();
    const second = make({ patience: 3 });
    second.setStateDict(JSON.parse(JSON.stringify(first.stateDict())));
    expect(await tell(second, [1.5])).toBe(1);
    expect(second.bestEpoch).toBe(1);
    const third = make({ patience: 3 });
    third.setStateDict(JSON.parse(JSON.stringify(second.stateDict())));
    // A training that has ended stays ended.
    expect(await tell(third, [])).toBe(0);
  });

  test('ends a training, whose best weights are in the folder', async () => {
    const saveDir = path('early');
    const rising: Callback = {
      onEpochEnd: ({ optimizer }) => {
        optimizer.learningRate *= 40;
      },
    };
    const stopping = make();
    const history = await makeModel(0.01).fit({ ...usual, epochs: 50, saveDir, callbacks: [stopping, rising] });
    expect(history.length).toBeLessThan(50);
    expect(stopping.bestEpoch).toBe(history.length - 1);
    expect(readdirSync(saveDir)).toContain('best_model.safetensors');
  });
});

describe('TerminateOnNaN', () => {
  test('keeps the weights from before the batch', async () => {
    const model = makeModel();
    let before: readonly number[] = [];
    const poison: Callback = {
      onBatchEnd: async ({ epoch, batch }) => {
        if (epoch !== 2 || batch !== 1) return;
        before = [...(await model.parameters()[0].data())];
        const [, bias] = model.parameters();
        bias.load(Float32Array.of(Number.NaN, 0));
      },
    };
    const history = await model.fit({ ...usual, callbacks: [poison, new TerminateOnNaN()] });
    expect(history).toHaveLength(1);
    expect([...(await model.parameters()[0].data())]).toEqual(before);
  });
});

describe('CSVLogger', () => {
  test('has a line for each epoch, also of a resumed training', async () => {
    const file = path('log.csv');
    const logger = () => new CSVLogger(file, { separator: ';' });
    const controller = new AbortController();
    const stopper: Callback = { onEpochEnd: () => controller.abort() };
    const saveDir = path('csv');
    const options = { ...usual, saveDir, resume: true };
    await makeModel().fit({ ...options, signal: controller.signal, callbacks: [logger(), stopper] });
    const history = await makeModel().fit({ ...options, callbacks: logger() });
    const [head, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(head).toBe('epoch;train_loss;train_acc;eval_loss;eval_acc;learning_rate;seconds');
    expect(lines.map((line) => line.split(';').map(Number))).toEqual(
      history.map((record) => [
        ...[record.epoch, record.trainLoss, record.trainMetrics?.acc, record.evalLoss, record.evalMetrics?.acc],
        ...[record.learningRate, record.seconds],
      ]),
    );
  });
});

describe('TensorBoard', () => {
  test('knows its checksums', () => {
    // The check value of CRC-32C.
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    // RFC 3720, B.4.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(tfRecord(new Uint8Array()).subarray(0, 8)).toEqual(Buffer.alloc(8));
  });

  test('writes events that can be taken apart', () => {
    const event = scalarEvent(300, { a: 0.5 });
    // 09 wall time; 10 step, 300 as varint; 2a summary: 0a value: 0a tag, 15 number.
    expect(event[0]).toBe(0x09);
    expect(Buffer.from(event.subarray(9)).toString('hex')).toBe('10ac02' + '2a0a' + '0a08' + '0a0161' + '150000003f');
    expect(Buffer.from(fileVersion().subarray(9)).toString('hex')).toBe(
      `1a0d${Buffer.from('brain.Event:2').toString('hex')}`,
    );
  });

  test('has the metrics of epochs and steps', async () => {
    const logDir = path('board');
    await makeModel().fit({ ...usual, callbacks: new TensorBoard({ logDir, updateFreq: 2 }) });
    const [name] = readdirSync(logDir);
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    const bytes = readFileSync(join(logDir, name));
    const events: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = Number(bytes.readBigUInt64LE(at));
      events.push(bytes.subarray(at + 12, at + 12 + length));
      at += length + 16;
    }
    const having = (text: string) => events.filter((event) => event.includes(text)).length;
    expect(events).toHaveLength(1 + 4 + 3);
    const counts = ['batch/loss', 'train/loss', 'train/acc', 'eval/loss', 'train/learning_rate'].map(having);
    expect(counts).toEqual([4, 3, 3, 3, 3]);
    expect(() => new TensorBoard({ logDir, updateFreq: 0 })).toThrow(InputError);
  });
});

test('schedules are stepped after steps, or after epochs', async () => {
  const rates = async (callbacks: readonly Callback[]) => {
    const schedule = new lr.ExponentialDecay({ learningRate: 1, gamma: 0.5 });
    const history = await makeModel(schedule).fit({ ...usual, callbacks });
    return history.map(({ learningRate }) => learningRate);
  };
  expect(await rates([])).toEqual([1 / 8, 1 / 64, 1 / 512]);
  expect(await rates([new LRScheduler({ byEpoch: true })])).toEqual([1, 1 / 2, 1 / 4]);
});

test('options that make no sense are refused', () => {
  const wrong: (() => unknown)[] = [
    () => new EarlyStopping({ mode: 'least' as 'min' }),
    () => new ReduceLROnPlateau({ factor: 1 }),
    () => new ModelCheckpoint({ keepLastN: 0 }),
    () => new ModelCheckpoint({ saveFreq: -1 }),
    () => new ModelCheckpoint({ keepLastN: 2, saveFreq: 0 }),
    () => new ModelCheckpoint({ monitor: 'acc' }),
    () => new ModelCheckpoint({ mode: 'max', saveBest: false }),
    () => new LRScheduler({ byStep: true, byEpoch: true }),
  ];
  for (const make of wrong) expect(make, make.toString()).toThrow(InputError);
});

test('callbacks that would write files have a folder for them', async () => {
  const training = (callbacks: Callback) => makeModel(0.1).fit({ ...usual, callbacks });
  await expect(training(new ModelCheckpoint({ saveBest: true }))).rejects.toThrow(
    '[ModelCheckpoint] saveDir: expected a folder',
  );
  await expect(training(new EarlyStopping({ saveBestModel: true }))).rejects.toThrow(
    '[EarlyStopping] saveBestModel: expected',
  );
  await expect(training(new ModelCheckpoint({ restoreBest: true, verbose: 0 }))).resolves.toHaveLength(3);
});
