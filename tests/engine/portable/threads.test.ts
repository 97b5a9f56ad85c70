import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { PortableBackend } from '../../../src/engine/portable/backend.js';
import { PortableEngine } from '../../../src/engine/portable/engine.js';
import { Heap } from '../../../src/engine/portable/heap.js';
import type { ThreadData } from '../../../src/engine/portable/walk.js';
import { wasmTarget } from '../../../src/engine/portable/wasm/target.js';
import * as nn from '../../../src/nn/index.js';
import { Momentum } from '../../../src/optimizer/index.js';
import type { StartThread } from '../../../src/platform/platform.js';
import { seed } from '../../../src/random.js';
import { tensor } from '../../../src/tensor/fromArrays.js';
import * as F from '../../../src/tensor/functional.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { noise } from '../../engines.js';

const { chosen } = vi.hoisted(() => ({ chosen: { engine: null as Engine | null } }));

vi.mock('../../../src/engine/select.js', async (original) => {
  const select = await original<typeof import('../../../src/engine/select.js')>();
  return { ...select, currentEngine: () => chosen.engine ?? select.currentEngine() };
});

afterEach(() => {
  chosen.engine = null;
});

const limits = new Heap(true).limits;
const target = wasmTarget(limits);
if (target === null) throw new Error('this machine has no WebAssembly with vectors');

const engineOver = (heap: Heap, threads: number) => new PortableEngine(new PortableBackend(heap, target), threads);

/** Parameters after some steps of a network with convolutions, batch norm, pooling and a linear layer. */
async function train(engine: Engine): Promise<Float32Array[]> {
  chosen.engine = engine;
  seed(3);
  const net = new nn.Sequential(
    new nn.Conv2D(3, 20, 3, { padding: 1 }),
    new nn.BatchNorm2D(20),
    new nn.ReLU(),
    new nn.MaxPool2D(2, { stride: 2 }),
    new nn.Conv2D(20, 33, 3, { stride: 2 }),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(33 * 7 * 7, 10),
  );
  const optimizer = new Momentum({ parameters: net.parameters(), learningRate: 0.01 });
  for (let step = 0; step < 3; step++) {
    const x = Tensor.fromData(noise([6, 3, 32, 32], step).data, [6, 3, 32, 32]);
    F.crossEntropy(net.forward(x), tensor([0, 1, 2, 3, 4, 5], 'int32')).backward();
    await optimizer.step();
    optimizer.clearGrad();
  }
  return Promise.all(net.parameters().map((parameter) => parameter.data('float32')));
}

/** Trains until so many threads take part, which start while the first steps run. */
async function trainOn(heap: Heap, threads: number): Promise<Float32Array[]> {
  const engine = engineOver(heap, threads);
  await train(engine);
  await vi.waitFor(() => expect(heap.threads.ready).toBe(threads), { timeout: 60_000 });
  const result = await train(engine);
  expect(engine.threadsUsed).toBe(threads);
  return result;
}

/** Text that `body` writes to stderr. */
async function warnings(body: () => Promise<void>): Promise<string> {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    await body();
    return written.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    written.mockRestore();
  }
}

const startWorker = (source: string, data: unknown) => new Worker(source, { eval: true, workerData: data });

describe('threads', () => {
  let expected: Float32Array[];
  beforeAll(async () => {
    expected = await train(engineOver(new Heap(true), 1));
    expect(expected.every((data) => data.every(Number.isFinite))).toBe(true);
  });

  it.each([2, 3])('%i give the same bits as one, and sleep afterwards', async (threads) => {
    const heap = new Heap(true);
    expect(await trainOn(heap, threads)).toEqual(expected);
    await vi.waitFor(() => expect(heap.threads.asleep).toBe(threads - 1), { timeout: 60_000 });
  });

  it('serve several engines over one memory', async () => {
    const heap = new Heap(true);
    const [first, second] = [engineOver(heap, 2), engineOver(heap, 3)];
    for (const engine of [first, second, first, second]) expect(await train(engine)).toEqual(expected);
  });

  it('beyond the number of an engine stay out', async () => {
    const heap = new Heap(true);
    await trainOn(heap, 3);
    const engine = engineOver(heap, 2);
    expect(await train(engine)).toEqual(expected);
    expect(engine.threadsUsed).toBe(2);
  });

  it('are one where memory cannot be shared', () => {
    const own = new Heap(false);
    const engine = new PortableEngine(new PortableBackend(own, { ...target, memory: own.limits }), 4);
    expect(engine.settings.threads).toBe(1);
    engine.configure({ threads: 3 });
    expect(engine.settings.threads).toBe(1);
  });

  it('that never start do not hold up a training', async () => {
    const heap = new Heap(true, { start: () => {} });
    const engine = engineOver(heap, 3);
    expect(await train(engine)).toEqual(expected);
    expect(engine.threadsUsed).toBe(1);
  });

  it('that cannot start are named in one line', async () => {
    const start = () => {
      throw new Error('no thread left');
    };
    const heap = new Heap(true, { start });
    const text = await warnings(async () => expect(await train(engineOver(heap, 3))).toEqual(expected));
    expect(text).toBe('fovea: [portable] threads: one ended (no thread left); computing without it\n');
  });

  it('that end are named, and the others continue', async () => {
    const workers: Worker[] = [];
    const start: StartThread = (run, data, ended) => {
      const worker = startWorker(`(${run})(require('node:worker_threads').workerData)`, data);
      worker.once('exit', () => ended('it was stopped'));
      worker.unref();
      workers.push(worker);
    };
    const heap = new Heap(true, { start });
    await trainOn(heap, 3);
    const text = await warnings(async () => {
      await workers[0].terminate();
      await vi.waitFor(() => expect(heap.threads.ready).toBe(2), { timeout: 60_000 });
    });
    expect(text).toMatch(/one ended \(it was stopped\)/);
    const engine = engineOver(heap, 3);
    expect(await train(engine)).toEqual(expected);
    expect(engine.threadsUsed).toBe(2);
  });

  it('that take work and never finish it end in an error, and then one thread computes', async () => {
    /** Takes every part that it sees. */
    const take = ({ memory, words: at }: ThreadData) => {
      const job = new Int32Array(memory.buffer as SharedArrayBuffer);
      Atomics.store(job, at.started + 1, 1);
      Atomics.add(job, at.ready, 1);
      for (;;) {
        const claim = Atomics.load(job, at.claim);
        if ((claim & 255) > 0) Atomics.compareExchange(job, at.claim, claim, claim - 1);
      }
    };
    const workers: Worker[] = [];
    const start: StartThread = (_, data) => {
      workers.push(startWorker(`(${take})(require('node:worker_threads').workerData)`, data));
    };
    const heap = new Heap(true, { start, patience: 60 });
    const engine = engineOver(heap, 2);
    // A part is taken sooner or later, in the first run too; a run whose parts all went to the calling thread ends as usual.
    await expect(
      (async () => {
        for (;;) {
          await train(engine);
          await nextTurn();
        }
      })(),
    ).rejects.toThrow('[portable] threads: expected each to finish its part');
    expect(await train(engine)).toEqual(expected);
    expect(heap.threads.ready).toBe(1);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it('that cannot run a kernel end in an error', async () => {
    const fail: StartThread = (run, data, ended) => {
      const broken = 'WebAssembly.Instance = class { exports = { run() { throw new Error("no memory left"); } } };';
      const worker = startWorker(`${broken} (${run})(require('node:worker_threads').workerData)`, data);
      worker.once('exit', (code) => ended(`code ${code}`));
      worker.unref();
    };
    const heap = new Heap(true, { start: fail });
    const engine = engineOver(heap, 2);
    await train(engine);
    await vi.waitFor(() => expect(heap.threads.ready).toBe(2), { timeout: 60_000 });
    await expect(
      (async () => {
        for (;;) await train(engine);
      })(),
    ).rejects.toThrow('[portable] threads: a thread could not run its part');
    expect(await train(engine)).toEqual(expected);
  });
});
