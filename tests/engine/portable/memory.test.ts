import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { PortableBackend } from '../../../src/engine/portable/backend.js';
import { PortableEngine } from '../../../src/engine/portable/engine.js';
import { Heap } from '../../../src/engine/portable/heap.js';
import { wasmTarget } from '../../../src/engine/portable/wasm/target.js';
import { MemoryError } from '../../../src/errors.js';
import * as nn from '../../../src/nn/index.js';
import { Momentum } from '../../../src/optimizer/index.js';
import { seed } from '../../../src/random.js';
import * as F from '../../../src/tensor/functional.js';
import { Parameter } from '../../../src/tensor/state.js';
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

/** A heap whose system gives no more than so many bytes. */
function heapOf(bytes: number): Heap {
  const heap = new Heap(false);
  const { memory } = heap;
  const grow = memory.grow.bind(memory);
  const growWithin = (pages: number) => {
    if (memory.buffer.byteLength + pages * 65_536 > bytes) throw new RangeError('no memory left');
    return grow(pages);
  };
  Object.assign(memory, { grow: growWithin });
  return heap;
}

function engineOver(heap: Heap): PortableEngine {
  const target = wasmTarget(heap.limits);
  if (target === null) throw new Error('this machine has no WebAssembly with vectors');
  return new PortableEngine(new PortableBackend(heap, target), 1);
}

function trainingOn(heap: Heap) {
  const engine = engineOver(heap);
  seed(3);
  const network = new nn.Sequential(new nn.Conv2D(3, 16, 3), new nn.BatchNorm2D(16), new nn.ReLU());
  const optimizer = new Momentum({ parameters: network.parameters(), learningRate: 0.01 });
  const step = async (images: number) => {
    chosen.engine = engine;
    const x = Tensor.fromData(noise([images, 3, 16, 16], images).data, [images, 3, 16, 16]);
    network.forward(x).square().mean().backward();
    await optimizer.step().finally(() => optimizer.clearGrad());
  };
  const state = async () => [
    optimizer.steps,
    ...(await Promise.all([...network.stateDict().values()].map((tensor) => tensor.data()))),
  ];
  return { step, state };
}

it('a step for which the system has no memory left is refused, and the training continues with the same bits', async () => {
  const short = trainingOn(heapOf(2 ** 25));
  const ample = trainingOn(new Heap(false));
  await short.step(4);
  await expect(short.step(2000)).rejects.toThrow(MemoryError);
  await expect(short.step(2000)).rejects.toThrow(/\[portable\] memory: .* got none: .*; take a smaller batch$/);
  await short.step(5);
  await ample.step(4);
  await ample.step(5);
  expect(await short.state()).toEqual(await ample.state());
});

it('a large array of a parameter is freed once the engine has copied it', async () => {
  chosen.engine = engineOver(new Heap(true));
  const [inputs, outputs] = [4096, 8192];
  const make = () => {
    const data = new Float32Array(inputs * outputs);
    data[0] = 3;
    return { weight: new Parameter(data, [inputs, outputs]), array: new WeakRef(data) };
  };
  const { weight, array } = make();
  // Weak references hold on to their object until the turn ends.
  await nextTurn();
  const sums = F.linear(Tensor.fromData(new Float32Array(inputs).fill(1), [1, inputs]), weight);
  expect((await sums.data())[0]).toBe(3);
  expect(array.deref() === undefined).toBe(true);
});
