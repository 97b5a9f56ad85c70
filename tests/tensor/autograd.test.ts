import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { InputError } from '../../src/errors.js';
import { compilationCount } from '../../src/runtime/realize.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import * as F from '../../src/tensor/functional.js';
import { noGrad } from '../../src/tensor/noGrad.js';
import { Parameter } from '../../src/tensor/state.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { engines } from '../engines.js';

const parameter = (...values: number[]): Parameter => new Parameter(Float32Array.from(values), [values.length]);
const gradient = async (p: Parameter): Promise<number[]> => [...(await (p.grad as Tensor).data())];
const released = new InputError('[backward] loss: its graph was released by an earlier backward(); run forward again');

describe.each(engines)('backward on %s', (engine) => {
  beforeEach(() => setEngine(engine));

  it('gives the gradient of a scalar', async () => {
    const [p, q] = [parameter(1, 2, 3), parameter(4, 5, 6)];
    p.mul(q).add(p.square()).sum().backward();
    expect(await gradient(p)).toEqual([6, 9, 12]);
    expect(await gradient(q)).toEqual([1, 2, 3]);
    expect(p.grad?.requiresGrad).toBe(false);
  });

  it('computes nothing by itself', () => {
    const before = compilationCount();
    const p = parameter(1, 2);
    p.exp().sum().backward();
    expect(compilationCount()).toBe(before);
  });

  it('adds up over the ways a parameter is used', async () => {
    const p = parameter(1, 2);
    const y = p.mul(3);
    y.add(y).mul(y).sum().backward(); // 18p²
    expect(await gradient(p)).toEqual([36, 72]);
  });

  it('adds up over several losses until it is cleared', async () => {
    const p = parameter(1, 2);
    p.mul(2).sum().backward();
    p.square().sum().backward();
    expect(await gradient(p)).toEqual([4, 6]);
    p.mul(10).sum().backward();
    expect(await gradient(p)).toEqual([14, 16]);
    p.clearGrad();
    expect(p.grad).toBeNull();
    p.sum().backward();
    expect(await gradient(p)).toEqual([1, 1]);
  });

  it('takes a loss of one element in any shape', async () => {
    const p = parameter(1, 2);
    p.mul(2).sum({ keepdim: true }).reshape([1, 1, 1]).backward();
    expect(await gradient(p)).toEqual([2, 2]);
  });

  it('refuses what is no scalar, or depends on no parameter', () => {
    const p = parameter(1, 2);
    expect(() => p.mul(2).backward()).toThrow(
      new InputError('[backward] loss: expected a scalar, got shape [2]; reduce it with mean() or sum()'),
    );
    const message = '[backward] loss: expected one that depends on parameters, got one without gradient';
    expect(() => tensor([1, 2]).sum().backward()).toThrow(new InputError(message));
    expect(() => p.detach().sum().backward()).toThrow(new InputError(message));
    expect(() => noGrad(() => p.sum()).backward()).toThrow(new InputError(message));
    expect(() => p.greater(1).cast('float32').sum().backward()).toThrow(new InputError(message));
  });

  it('refuses a second time, read or not', async () => {
    const p = parameter(1, 2);
    const loss = p.square().sum();
    loss.backward();
    expect(() => loss.backward()).toThrow(released);
    expect(() => loss.mul(2).backward()).toThrow(released);
    await loss.item();
    expect(() => loss.backward()).toThrow(released);
    expect(() => loss.mul(2).backward()).toThrow(released);
    expect(await gradient(p)).toEqual([2, 4]);
  });

  it('lets two losses share what they were computed from', async () => {
    const p = parameter(1, 2);
    const shared = p.square();
    shared.sum().backward();
    shared.mul(3).sum().backward();
    expect(await gradient(p)).toEqual([8, 16]);
  });

  it('works on a loss that was read before, and on what it was computed from', async () => {
    const p = parameter(1, 2);
    const y = p.square();
    const loss = y.mul(y).sum();
    expect(await loss.item()).toBe(17);
    expect([...(await y.data())]).toEqual([1, 4]);
    loss.backward();
    expect(await gradient(p)).toEqual([4, 32]);
    expect(await loss.item()).toBe(17);
  });

  it('does not pass detach', async () => {
    const p = parameter(1, 2);
    const y = p.square();
    p.mul(y.detach()).sum().backward();
    expect(await gradient(p)).toEqual([1, 4]);
    const frozen = y.detach();
    expect(frozen.requiresGrad).toBe(false);
    expect([...(await frozen.data())]).toEqual([1, 4]);
    await y.data();
    expect([...(await y.detach().data())]).toEqual([1, 4]);
  });

  it('records nothing inside noGrad, which ends with its body', async () => {
    const p = parameter(1, 2);
    const y = noGrad(() => p.mul(2));
    expect(y.requiresGrad).toBe(false);
    expect(p.mul(2).requiresGrad).toBe(true);
    const fail = () => {
      throw new Error('body');
    };
    expect(() => noGrad(fail)).toThrow('body');
    expect(p.mul(2).requiresGrad).toBe(true);
    y.mul(p).sum().backward();
    expect(await gradient(p)).toEqual([2, 4]);
  });

  it('refuses a body of noGrad that awaits, and shows the right code', async () => {
    const p = parameter(1, 2);
    const message =
      '[noGrad] body: expected a function without await, got a promise: it would end at the first await.\n' +
      '  Wrong: await noGrad(async () => { … await y.data(); });\n' +
      '  Right: const y = noGrad(() => net.forward(x)); await y.data();';
    expect(() => noGrad(async () => p.mul(2).data())).toThrow(new InputError(message));
    // The failure of the body itself is no unhandled rejection.
    expect(() => noGrad(() => Promise.reject(new Error('body')))).toThrow('[noGrad] body');
    await new Promise((resolve) => setTimeout(resolve));
    expect(p.mul(2).requiresGrad).toBe(true);
  });

  it('gives nothing to parameters that the loss does not depend on', () => {
    const [p, q] = [parameter(1), parameter(2)];
    p.mul(2).sum().backward();
    expect(q.grad).toBeNull();
    const { values } = parameter(3, 1, 2).topk(2);
    expect(values.requiresGrad).toBe(false);
  });

  it('realizes loss and gradients in one program', async () => {
    const p = parameter(0.5, -1.5);
    const loss = F.tanh(p.square()).mean();
    loss.backward();
    const before = compilationCount();
    await realizeAll([loss, p.grad as Tensor]);
    expect(compilationCount() - before).toBe(1);
    const expected = [0.5, -1.5].map((x) => ((1 - Math.tanh(x * x) ** 2) * 2 * x) / 2);
    (await gradient(p)).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 6);
    });
  });

  it('goes through a graph of four thousand nodes', async () => {
    const p = parameter(1, 2);
    let y: Tensor = p;
    for (let i = 0; i < 2000; i++) y = y.add(p);
    const loss = y.mean();
    loss.backward();
    expect(await loss.item()).toBe((2001 * 3) / 2);
    expect(await gradient(p)).toEqual([1000.5, 1000.5]);
  });
});
