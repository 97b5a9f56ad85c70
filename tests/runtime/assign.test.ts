import { beforeEach, describe, expect, it } from 'vitest';
import { currentEngine, setEngine } from '../../src/engine/select.js';
import { DTypeError, InputError, ShapeError, StaleTensorError } from '../../src/errors.js';
import type { Assignment } from '../../src/graph/node.js';
import * as ops from '../../src/ops/index.js';
import { Momentum } from '../../src/optimizer/index.js';
import { realize } from '../../src/runtime/realize.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import * as F from '../../src/tensor/functional.js';
import { Buffer, Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines, noise } from '../engines.js';

const values = async (t: Tensor): Promise<number[]> => [...(await t.data())];

const buffer = (...numbers: number[]): Buffer => new Buffer(Float32Array.from(numbers), [numbers.length]);
const parameter = (...numbers: number[]): Parameter => new Parameter(Float32Array.from(numbers), [numbers.length]);

/** Runs assignments in one program, along with tensors to compute. */
function commit(assignments: readonly Assignment[], also: readonly Tensor[] = []): void {
  realize(
    currentEngine(),
    also.map((t) => t.value),
    assignments,
  );
}

/** Long enough for oneDNN's own kernels instead of loops for tiny arrays, and of odd length. */
const long = (seed: number): Buffer => new Buffer(noise([5, 17], seed).data, [5, 17]);

describe.each(engines)('%s: overwriting states', (engine) => {
  beforeEach(() => setEngine(engine));

  it('keeps the storage and gives the new contents', async () => {
    const p = parameter(1, 2, 3);
    const { storage } = p;
    for (let step = 1; step <= 3; step++) {
      commit([p.overwrite(p.detach().affine(2, 1).value)]);
      expect(p.storage).toBe(storage);
      expect(storage.version).toBe(step);
    }
    expect(await values(p)).toEqual([15, 23, 31]);
    expect(p.value.sink).toBe(p);
    expect(p.requiresGrad).toBe(true);
  });

  it('runs when the value is read', async () => {
    const p = buffer(1, 2);
    const q = buffer(10, 20);
    p.assign(p.add(q).value);
    expect(await values(p)).toEqual([11, 22]);
    expect(p.storage.version).toBe(1);
    expect(await values(q)).toEqual([10, 20]);
  });

  it('runs with its trigger, once', async () => {
    const count = buffer(0);
    const trigger = tensor([5]).affine(2, 0);
    count.assign(count.affine(1, 1).value, trigger.value);
    expect(count.storage.version).toBe(0);
    await trigger.data();
    expect(count.storage.version).toBe(1);
    await trigger.affine(1, 1).data();
    expect(await values(count)).toEqual([1]);
    expect(count.storage.version).toBe(1);
  });

  it('chains assignments that have not run', async () => {
    const count = buffer(1);
    for (let i = 0; i < 3; i++) {
      const trigger = tensor([i]).affine(2, 0);
      count.assign(count.affine(2, 0).value, trigger.value);
    }
    expect(await values(count)).toEqual([8]);
  });

  it('takes data that are there already at once', async () => {
    const p = buffer(1, 2);
    p.assign(tensor([7, 8]).value);
    expect(await values(p)).toEqual([7, 8]);
  });

  it('swaps two states in one program', async () => {
    const [a, b] = [long(1), long(2)];
    const [first, second] = [await values(a), await values(b)];
    const [newA, newB] = [b.value, a.value];
    commit([a.overwrite(newA), b.overwrite(newB)]);
    expect(await values(a)).toEqual(second);
    expect(await values(b)).toEqual(first);
  });

  it('swaps through assign with one trigger', async () => {
    const [a, b] = [buffer(1, 2), buffer(3, 4)];
    const trigger = tensor([1]).affine(2, 0);
    const [oldA, oldB] = [a.value, b.value];
    a.assign(oldB, trigger.value);
    b.assign(oldA, trigger.value);
    await trigger.data();
    expect([a.storage.version, b.storage.version]).toEqual([1, 1]);
    expect(await values(a)).toEqual([3, 4]);
    expect(await values(b)).toEqual([1, 2]);
  });

  it('passes three states round through reshapes', async () => {
    const states = [1, 2, 3].map(long);
    const before = await Promise.all(states.map(values));
    const olds = states.map((state) => state.value);
    commit(states.map((state, i) => state.overwrite(ops.identity(olds[(i + 1) % 3]))));
    for (let i = 0; i < 3; i++) expect(await values(states[i])).toEqual(before[(i + 1) % 3]);
  });

  it('delivers the old contents and the new ones', async () => {
    const p = long(1);
    const before = await values(p);
    const old = p.detach();
    const copy = new Tensor(ops.identity(p.value));
    const flat = p.reshape([85]);
    const next = p.affine(2, 0);
    const derived = next.affine(1, 1);
    commit([p.overwrite(next.value)], [copy, flat, derived]);
    expect(await values(copy)).toEqual(before);
    expect(await values(flat)).toEqual(before);
    const doubled = before.map((v) => 2 * v);
    expect(await values(p)).toEqual(doubled);
    expect(await values(derived)).toEqual(doubled.map((v) => Math.fround(v + 1)));
    await expect(old.data()).rejects.toThrow(StaleTensorError);
  });

  it('does not disturb a value that other kernels take after it was assigned', async () => {
    const p = long(1);
    const x = Tensor.fromData(noise([5, 17], 3).data, [5, 17]);
    const assigned = x.affine(0.5, 0.25);
    const used = F.relu(F.sigmoid(assigned.exp()));
    commit([p.overwrite(assigned.value)], [used]);
    const expected = (await values(x)).map((v) => Math.fround(0.5 * v + 0.25));
    (await values(p)).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], 5);
    });
  });

  it('assigns one value to two states', async () => {
    const [p, q] = [long(1), long(2)];
    const next = p.add(q);
    const sum = await values(p.add(q));
    commit([p.overwrite(next.value), q.overwrite(next.value)]);
    expect(await values(p)).toEqual(sum);
    expect(await values(q)).toEqual(sum);
    commit([q.overwrite(q.affine(2, 0).value)]);
    expect(await values(p)).toEqual(sum);
  });

  it('copies one state into another and leaves them independent', async () => {
    const [p, q] = [buffer(1, 2), buffer(3, 4)];
    commit([p.overwrite(q.value)]);
    commit([p.overwrite(p.affine(10, 0).value)]);
    expect(await values(p)).toEqual([30, 40]);
    expect(await values(q)).toEqual([3, 4]);
    q.load(Float32Array.of(5, 6));
    expect(await values(p)).toEqual([30, 40]);
    expect(await values(q)).toEqual([5, 6]);
  });

  it('leaves a delivered value alone when the state it was assigned to changes', async () => {
    const p = buffer(1, 2);
    const next = p.affine(3, 0);
    commit([p.overwrite(next.value)], [next]);
    commit([p.overwrite(p.affine(2, 0).value)]);
    expect(await values(next)).toEqual([3, 6]);
  });

  it('updates a parameter by its own contents as the gradient', async () => {
    // The gradient is in the very memory that the update overwrites.
    const p = long(1);
    const start = await values(p);
    const scalars = Tensor.fromData(Float32Array.of(0.1, 0.1, 0.001, 0.5)).value;
    const zeros = Tensor.zeros([5, 17]).value;
    const adam = { beta1: 0.9, beta2: 0.999, epsilon: 0, weightDecay: 0 };
    commit([p.overwrite(ops.adamUpdate(adam, p.value, p.value, zeros, zeros, scalars)[0])]);
    (await values(p)).forEach((v, i) => {
      // In its first step Adam moves by the rate in the direction of the gradient; p decays by half before.
      expect(v).toBeCloseTo(0.5 * start[i] - 0.1 * Math.sign(start[i]), 4);
    });
    const q = long(2);
    const rate = Tensor.full([], 0.5).value;
    const nesterov = { momentum: 0.5, weightDecay: 0, nesterov: true };
    const before = await values(q);
    const [next, velocity] = ops.momentumUpdate(nesterov, p.value, q.value, q.value, rate);
    const pBefore = await values(p);
    commit([p.overwrite(next), q.overwrite(velocity)]);
    (await values(q)).forEach((v, i) => {
      expect(v).toBeCloseTo(1.5 * before[i], 5);
    });
    (await values(p)).forEach((v, i) => {
      expect(v).toBeCloseTo(pBefore[i] - 0.5 * (before[i] + 0.5 * 1.5 * before[i]), 5);
    });
  });

  it('updates two parameters whose gradients are each other', async () => {
    const p = new Parameter(Float32Array.from(noise([40], 1).data), [40]);
    const q = new Parameter(Float32Array.from(noise([40], 2).data), [40]);
    const [startP, startQ] = [await values(p), await values(q)];
    const optimizer = new Momentum({ parameters: [p, q], learningRate: 0.5 });
    p.mul(q).sum().backward();
    await optimizer.step();
    (await values(p)).forEach((v, i) => {
      expect(v).toBeCloseTo(startP[i] - 0.5 * startQ[i], 5);
    });
    (await values(q)).forEach((v, i) => {
      expect(v).toBeCloseTo(startQ[i] - 0.5 * startP[i], 5);
    });
  });

  it('uses the new contents in every tensor built on the state before the program runs', async () => {
    const p = long(1);
    const before = await values(p);
    p.assign(p.affine(2, 0).value);
    const [y, z] = [p.affine(1, 1), p.affine(3, 0)];
    await realizeAll([y, z]);
    expect(await values(y)).toEqual(before.map((v) => Math.fround(2 * v + 1)));
    expect(await values(z)).toEqual(before.map((v) => Math.fround(3 * Math.fround(2 * v))));
  });

  it('keeps the old contents when the program fails, and continues', async () => {
    const weight = new Parameter(Float32Array.from(noise([4, 3], 1).data), [4, 3]);
    const seen = buffer(0);
    const optimizer = new Momentum({ parameters: [weight], learningRate: 0.1 });
    const step = async (labels: number[]) => {
      const x = Tensor.fromData(Float32Array.from(noise([2, 4], 2).data), [2, 4]);
      const logits = F.linear(x, weight);
      seen.assign(seen.affine(1, 1).value, logits.value);
      F.crossEntropy(logits, Tensor.fromData(Int32Array.from(labels))).backward();
      try {
        await optimizer.step();
      } finally {
        optimizer.clearGrad();
      }
    };
    const start = await values(weight);
    await expect(step([0, 7])).rejects.toThrow(InputError);
    expect(await values(weight)).toEqual(start);
    expect(await values(seen)).toEqual([0]);
    await step([0, 2]);
    expect(await values(weight)).not.toEqual(start);
    expect(await values(seen)).toEqual([1]);
  });

  it('refuses another shape or dtype', () => {
    const p = buffer(1, 2);
    expect(() => p.assign(tensor([1, 2, 3]).value)).toThrow(new ShapeError('[assign] shape: expected [2], got [3]'));
    expect(() => p.assign(tensor([1, 2], 'int32').value)).toThrow(DTypeError);
    expect(() => p.load(Int32Array.of(1, 2))).toThrow(
      '[load] data: expected 2 elements of float32 (shape [2]), got 2 of int32',
    );
  });
});
