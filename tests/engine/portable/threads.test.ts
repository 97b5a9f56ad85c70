import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { PortableBackend } from '../../../src/engine/portable/backend.js';
import { PortableEngine } from '../../../src/engine/portable/engine.js';
import { Heap } from '../../../src/engine/portable/heap.js';
import { wasmTarget } from '../../../src/engine/portable/wasm/target.js';
import * as nn from '../../../src/nn/index.js';
import { Momentum } from '../../../src/optimizer/index.js';
import { seed } from '../../../src/random.js';
import * as F from '../../../src/tensor/functional.js';
import { Tensor, tensor } from '../../../src/tensor/tensor.js';
import { noise } from '../../engines.js';

const { chosen } = vi.hoisted(() => ({ chosen: { engine: null as Engine | null } }));

vi.mock('../../../src/engine/select.js', async (original) => {
  const select = await original<typeof import('../../../src/engine/select.js')>();
  return { ...select, currentEngine: () => chosen.engine ?? select.currentEngine() };
});

afterEach(() => {
  chosen.engine = null;
});

const heap = new Heap(true);
const target = wasmTarget(heap.limits);
if (target === null) throw new Error('this machine has no WebAssembly with vectors');

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

describe('threads', () => {
  it.each([2, 3])('%i give the same bits as one', async (threads) => {
    // Threads belong to the memory of one engine.
    const engine = (count: number) => new PortableEngine(new PortableBackend(new Heap(true), target), count);
    const several = engine(threads);
    const actual = await train(several);
    expect(several.threadsUsed).toBe(threads);
    const expected = await train(engine(1));
    expect(actual).toEqual(expected);
    expect(actual.every((data) => data.every(Number.isFinite))).toBe(true);
  });

  it('are one where memory cannot be shared', () => {
    const own = new Heap(false);
    const engine = new PortableEngine(new PortableBackend(own, { ...target, memory: own.limits }), 4);
    expect(engine.settings.threads).toBe(1);
    engine.configure({ threads: 3 });
    expect(engine.settings.threads).toBe(1);
  });
});
