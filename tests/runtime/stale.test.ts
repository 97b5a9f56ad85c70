import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { StaleTensorError } from '../../src/errors.js';
import { SGD } from '../../src/optimizer/index.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import { Parameter } from '../../src/tensor/state.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { engines } from '../engines.js';

const stale = new StaleTensorError(
  '[tensor] a tensor of shape [2] was left unread until a training step had overwritten the data it depends on: ' +
    'expected it to be read (await t.data()) before the step, or realized with it ' +
    '(await optimizer.step({ also: [t] }))',
);

describe.each(engines)('tensors left unread over a step on %s', (engine) => {
  let p: Parameter;
  let optimizer: SGD;

  beforeEach(() => {
    setEngine(engine);
    p = new Parameter(Float32Array.of(1, 2), [2]);
    optimizer = new SGD({ parameters: [p], learningRate: 1 });
  });

  async function step(also: readonly Tensor[] = []): Promise<Tensor> {
    const loss = p.square().sum();
    loss.backward();
    await optimizer.step({ also });
    return loss;
  }

  it('say so instead of giving numbers of another time', async () => {
    const y = p.add(1);
    const later = y.exp().sum();
    await step();
    await expect(y.data()).rejects.toThrow(stale);
    // The message names the tensor that was read, not what it is computed from.
    await expect(later.item()).rejects.toThrow('[tensor] a tensor of shape [] was left unread');
    await expect(
      y
        .reshape([1, 2])
        .add(tensor([[1], [2]]))
        .data(),
    ).rejects.toThrow('a tensor of shape [2,2] was');
    optimizer.clearGrad();
    await expect(step([p.square(), y.reshape([2, 1])])).rejects.toThrow('a tensor of shape [2,1] was left unread');
    optimizer.clearGrad();
    await expect(y.add(tensor([1, 1])).data()).rejects.toThrow(stale);
    // Again, and still: nothing was computed halfway.
    await expect(y.data()).rejects.toThrow(stale);
    expect([...(await p.data())]).toEqual([-1, -2]);
  });

  it('are safe once they were read, or realized with the step', async () => {
    const [read, along] = [p.add(1), p.add(2)];
    await read.data();
    const loss = await step([along]);
    expect([...(await read.data())]).toEqual([2, 3]);
    expect([...(await along.data())]).toEqual([3, 4]);
    expect(await loss.item()).toBe(5);
    expect([...(await read.mul(2).data())]).toEqual([4, 6]);
  });

  it('are safe where they are in the parameter itself, if they are realized with the step', async () => {
    const [old, flat] = [p.detach(), p.reshape([1, 2])];
    const view = p.slice([0], [2]);
    await step([old, flat, view]);
    for (const t of [old, flat, view]) expect([...(await t.data())]).toEqual([1, 2]);
    expect([...(await p.data())]).toEqual([-1, -2]);
    optimizer.clearGrad();
    await step();
    expect([...(await old.data())]).toEqual([1, 2]);
    optimizer.clearGrad();
    const stillOld = p.detach();
    await step();
    optimizer.clearGrad();
    await expect(step([stillOld])).rejects.toThrow(stale);
  });

  it('include old views of the parameter itself', async () => {
    const [view, flat] = [p.detach(), p.reshape([1, 2])];
    await step();
    await expect(view.data()).rejects.toThrow(stale);
    await expect(flat.data()).rejects.toThrow('a tensor of shape [1,2] was left unread');
    expect([...(await p.detach().data())]).toEqual([-1, -2]);
  });

  it('include gradients that the step has used', async () => {
    await step();
    await expect((p.grad as Tensor).data()).rejects.toThrow(StaleTensorError);
    optimizer.clearGrad();
    const loss = p.square().sum();
    loss.backward();
    const grad = p.grad as Tensor;
    await grad.data();
    await optimizer.step();
    expect([...(await grad.data())]).toEqual([-2, -4]);
  });

  it('include those from before load()', async () => {
    const y = p.add(1);
    p.load(Float32Array.of(5, 6));
    await expect(y.data()).rejects.toThrow(stale);
    expect([...(await p.add(1).data())]).toEqual([6, 7]);
  });

  it('leave everything else alone', async () => {
    const other = new Parameter(Float32Array.of(7, 8), [2]);
    const y = other.add(1);
    await step();
    expect([...(await y.data())]).toEqual([8, 9]);
  });
});
