import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openOneDnn } from '../../src/engine/onednn/engine.js';
import { engineNames, setEngine } from '../../src/engine/select.js';
import { memoryLimit } from '../../src/env.js';
import { InputError, MemoryError } from '../../src/errors.js';
import { DataLoader } from '../../src/io/data/dataloader.js';
import { formatBytes } from '../../src/memory.js';
import { BatchNorm2D, Conv2D, Dropout, Flatten, Linear, ReLU, Sequential } from '../../src/nn/index.js';
import { Adam } from '../../src/optimizer/index.js';
import { availableMemory } from '../../src/platform/node.js';
import { defaultGenerator, seed } from '../../src/random.js';
import { evaluateRun, openRun } from '../../src/run/evaluate.js';
import { type Prediction, predictFiles, type Unreadable } from '../../src/run/predict.js';
import { Run } from '../../src/run/run.js';
import { compilationCount } from '../../src/runtime/realize.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { largestBatchFor, requireMemoryFor } from '../../src/train/batchMemory.js';
import { evaluate } from '../../src/train/evaluate.js';
import { RunningMetrics } from '../../src/train/runningMetrics.js';
import { stepPlanner, trainStep } from '../../src/train/step.js';
import { train } from '../../src/train/train.js';
import { runFovea } from '../cli/run.js';
import { noise } from '../engines.js';
import { smallMnist } from '../smallMnist.js';
import { temporaryFolder } from '../temporary.js';

const setLimit = (text: string) => {
  process.env.FOVEA_MEMORY_LIMIT = text;
};

beforeEach(() => {
  setEngine('onednn');
  seed(1);
});
afterEach(() => {
  Reflect.deleteProperty(process.env, 'FOVEA_MEMORY_LIMIT');
});

const image = [3, 16, 16];

function setUp() {
  const network = new Sequential(
    new Conv2D(3, 16, 3, { padding: 1 }),
    new BatchNorm2D(16),
    new ReLU(),
    new Dropout(0.5),
    new Flatten(),
    new Linear(16 * 256, 2),
  );
  const optimizer = new Adam({ parameters: network.parameters() });
  const loss = (outputs: Tensor, labels: Tensor) => F.crossEntropy(outputs, labels);
  return { network, optimizer, loss };
}

const samples = (length: number) => ({
  length,
  get: (index: number) => ({ image: noise(image, index).data as Float32Array, shape: image, label: index % 2 }),
});

describe('the limit', () => {
  test.each([
    ['8', 8 * 2 ** 30],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['512M', 2 ** 29],
    ['2 tb', 2 ** 41],
    ['700kB', 700 * 1024],
  ])('is a number of GiB, or has a suffix: %s', (text, bytes) => {
    setLimit(text);
    expect(memoryLimit()).toBe(bytes);
  });

  test.each(['0', '-1', 'much', '5 apples', '1e3'])('is refused: %s', (text) => {
    setLimit(text);
    expect(memoryLimit).toThrow(InputError);
  });

  test('is otherwise what the system has left', () => {
    expect(memoryLimit()).toBeNull();
    expect(availableMemory()).toBeGreaterThan(2 ** 20);
    expect(availableMemory()).toBeLessThanOrEqual(totalmem());
    expect([150 * 2 ** 30, 3 * 2 ** 29, 2 ** 29].map(formatBytes)).toEqual(['150 GiB', '1.5 GiB', '512 MiB']);
  });
});

describe.each(engineNames)('a program that is too large, %s', (engine) => {
  test('is refused before it takes anything, and runs once there is more', async () => {
    setEngine(engine);
    const held = openOneDnn().arena.memory.bytes;
    const x = Tensor.fromData(noise([64, 64, 64], 1).data, [64, 64, 64]);
    const y = F.softmax(x.mul(x), 1);
    setLimit('1M');
    await expect(y.data()).rejects.toThrow(MemoryError);
    await expect(y.data()).rejects.toThrow(
      /^\[memory\] program: expected to need at most 1 MiB, got \d+ MiB \(\d+ MiB at work, 0 MiB of parameters and states\)/,
    );
    expect(openOneDnn().arena.memory.bytes).toBe(held);
    setLimit('1G');
    expect(await y.data()).toHaveLength(64 ** 3);
  });
});

/** The batch that a refusal names. */
const largestIn = (message: string) => Number(/the largest batch that fits is (\d+)$/.exec(message)?.[1]);

/** The need is only nearly linear in the batch. */
function expectNearly(batch: number, other: number): void {
  expect(batch / other).toBeGreaterThan(0.95);
  expect(batch / other).toBeLessThan(1.05);
}

describe('a batch', () => {
  test('is planned without a trace, and its program is the one of the step', async () => {
    const { network, optimizer, loss } = setUp();
    const options = { network: network.eval(), optimizer, loss };
    const states = [...network.stateDict().values(), ...optimizer.stateDict(network.namedParameters()).values()];
    const snapshot = async () => [
      await Promise.all(states.map((state) => state.data())),
      optimizer.steps,
      defaultGenerator().state(),
      network.training,
    ];
    const before = await snapshot();
    const { working, resident } = stepPlanner(options, image)(8);
    expect(await snapshot()).toEqual(before);
    // Adam keeps two numbers for each parameter.
    expect(resident).toBeGreaterThanOrEqual(3 * 4 * network.parameterCount());
    expect(working).toBeGreaterThan(8 * 16 * 256 * 4);
    network.train();
    const count = compilationCount();
    const images = Tensor.fromData(noise([8, ...image], 1).data, [8, ...image]);
    const labels = Tensor.fromData(new Int32Array(8));
    await trainStep(options, new RunningMetrics([]), images, labels, { share: 1, update: true });
    expect(compilationCount()).toBe(count);
  });

  test('that does not fit is refused, with the largest that does', () => {
    const { network, optimizer, loss } = setUp();
    const plan = stepPlanner({ network, optimizer, loss }, image);
    const refusal = (batch: number): string => {
      try {
        requireMemoryFor('test', batch, image, plan);
      } catch (error) {
        if (error instanceof MemoryError) return error.message;
        throw error;
      }
      return '';
    };
    setLimit('20M');
    const message = refusal(400);
    expect(message).toMatch(
      /^\[test\] batch size: expected at most 20 MiB of memory to be needed, got \d+ MiB for 400 im/,
    );
    const largest = largestIn(message);
    const compiled = compilationCount();
    expect(refusal(largest)).toBe('');
    expectNearly(largestIn(refusal(Math.ceil(1.04 * largest))), largest);
    // Plans of the batch that is asked for, of one image and of the batch that is found, which are in the cache if they fit.
    expect(compilationCount() - compiled).toBeLessThanOrEqual(3);
    const absurd = refusal(5e8);
    expect(absurd).toMatch(/got about \d+ GiB for 500,000,000 /);
    expectNearly(largestIn(absurd), largest);
    setLimit('50k');
    expect(refusal(1)).toContain('not even one image fits');
    expect(refusal(5e8)).toMatch(/got about \d+ GiB .* not even one image fits/);
  });

  test('of images so large that a list of their pixels would fill the heap is refused as well', () => {
    const network = new Sequential(new Conv2D(16, 16, 1), new ReLU());
    const optimizer = new Adam({ parameters: network.parameters() });
    const plan = stepPlanner({ network, optimizer, loss: (outputs) => outputs.mean() }, [16, 6000, 6000]);
    setLimit('8');
    expect(() => requireMemoryFor('test', 1, [16, 6000, 6000], plan)).toThrow(
      /^\[test\] batch size: expected at most 8.0 GiB of memory to be needed, got \d+.* GiB for 1 image .* not even one/,
    );
  });

  test('whose gradients wait for others is planned with them, and with the step', async () => {
    const { network, optimizer, loss } = setUp();
    const options = { network, optimizer, loss };
    const accumulate = 3;
    const alone = stepPlanner(options, image)(8);
    const together = stepPlanner(options, image, { accumulate })(8);
    expect(together.resident).toBe(alone.resident);
    // The sum so far comes into the program, and is an array beside it.
    expect(together.working).toBeGreaterThanOrEqual(alone.working + 4 * network.parameterCount());
    const count = compilationCount();
    const trainLoader = new DataLoader(samples(24), { batchSize: 8 });
    await train({ ...options, trainLoader, accumulateGradBatches: accumulate, epochs: 2 });
    expect(optimizer.steps).toBe(2);
    expect(compilationCount()).toBe(count);

    setLimit('20M');
    const fits = largestBatchFor('test', 400, image, stepPlanner(options, image, { accumulate }));
    const loader = new DataLoader(samples(1200), { batchSize: 400 });
    const training = train({ ...options, trainLoader: loader, accumulateGradBatches: accumulate, epochs: 1 });
    const refused = await training.then(
      () => new Error('nothing was refused'),
      (error: Error) => error,
    );
    expectNearly(largestIn(refused.message), fits);
  });

  test('is refused by the training loop and by the evaluation too', async () => {
    const { network, optimizer, loss } = setUp();
    const loader = new DataLoader(samples(300), { batchSize: 300 });
    setLimit('10M');
    await expect(train({ network, optimizer, loss, trainLoader: loader, epochs: 1 })).rejects.toThrow(
      /^\[train\] batch size: expected at most 10 MiB .* for 300 images .* largest batch that fits is \d+$/,
    );
    expect(optimizer.steps).toBe(0);
    setLimit('4M');
    await expect(evaluate({ network, loss, loader })).rejects.toThrow(
      /^\[evaluate\] batch size: .* largest batch that fits is \d+$/,
    );
  });

  test('is refused where the engine addresses less than the machine has', () => {
    setEngine('portable');
    setLimit('64G');
    const network = new Sequential(
      new Conv2D(3, 64, 3, { padding: 1 }),
      new ReLU(),
      new Conv2D(64, 8, 3),
      new Flatten(),
    );
    const optimizer = new Adam({ parameters: network.parameters() });
    const loss = (outputs: Tensor) => outputs.mean();
    const planner = () => stepPlanner({ network, optimizer, loss }, [3, 256, 256]);
    const refused = () => requireMemoryFor('test', 2000, [3, 256, 256], planner());
    expect(refused).toThrow(
      /expected at most 4\.0 GiB \(WebAssembly addresses no more\) of memory .* for 2,000 images .* that fits is \d+$/,
    );
    const largest = largestBatchFor('test', 2000, [3, 256, 256], planner());
    expect(largest).toBeGreaterThan(10);
    expect(largest).toBeLessThan(130);
    expect(() => requireMemoryFor('test', largest, [3, 256, 256], planner())).not.toThrow();
  });

  test('is refused by the commands with exit code 2, and no run folder is made', async () => {
    setLimit('64M');
    const bench = await runFovea('bench', 'lenet', '--batch=1000000');
    expect([bench.code, bench.out]).toEqual([2, '']);
    const [, largest] = /fits is ([\d,]+)\n$/.exec(bench.err) ?? [];
    const again = `--batch=${largest?.replaceAll(',', '')}`;
    expect((await runFovea('bench', 'lenet', again, '--steps=1', '--warmup=1')).code).toBe(0);

    setLimit('1M');
    const root = temporaryFolder();
    const out = join(root, 'run');
    const data = await smallMnist(root);
    const options = ['--data=mnist', `--data-dir=${data}`, `--out=${out}`, '--batch-size=100'];
    const { code, err } = await runFovea('train', 'lenet', ...options);
    expect(code).toBe(2);
    expect(err).toMatch(/^fovea: \[run\] batch size: expected at most 1 MiB .*\n$/);
    expect(existsSync(out)).toBe(false);
  });
});

test('evaluation and prediction take fewer images at a time where memory is short', async () => {
  const root = temporaryFolder();
  const dataDir = await smallMnist(root);
  const create = (name: string) =>
    Run.create({ model: 'lenet', data: 'mnist', out: join(root, name), dataDir, changes: { epochs: 1 } });
  const plenty = await create('plenty');
  const { evaluation } = await plenty.train();
  expect(plenty.loop().evalLoader?.batchSize).toBe(100);
  setLimit('1500k');
  const short = await create('short');
  const outcome = await short.train();
  const size = short.loop().evalLoader?.batchSize;
  expect(size).toBeGreaterThan(10);
  expect(size).toBeLessThan(100);
  expect(outcome.evaluation?.loss).toBeCloseTo(evaluation?.loss as number, 5);
  const opened = await openRun(short.folder.path);
  expect((await evaluateRun(opened, { dataDir })).samples).toBe(230);

  const picture = join(root, 'digit.png');
  const drawn =
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><rect width="90" height="90" fill="#fff"/>' +
    '<path d="M20 20H70L40 80" stroke="#000" stroke-width="8" fill="none"/></svg>';
  await sharp(Buffer.from(drawn)).png().toFile(picture);
  const predicted = async () => {
    const all: (Prediction | Unreadable)[] = [];
    for await (const result of predictFiles(opened, new Array<string>(32).fill(picture), { top: 1 })) all.push(result);
    return all;
  };
  setLimit('600k');
  const few = await predicted();
  expect(few).toHaveLength(32);
  expect(few.filter((result) => 'error' in result)).toEqual([]);
  setLimit('100k');
  await expect(predicted()).rejects.toThrow(
    /^\[predict\] batch size: expected at most 1 MiB .* for 1 image \(.*; not even one image fits, so choose a smaller size$/,
  );
});
