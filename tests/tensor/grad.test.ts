import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { BatchNorm2D, Conv2D, Flatten, Linear, ReLU, Sequential } from '../../src/nn/index.js';
import { layerOutputs } from '../../src/nn/layerOutputs.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import * as F from '../../src/tensor/functional.js';
import { grad } from '../../src/tensor/grad.js';
import { randn } from '../../src/tensor/random.js';
import { Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines } from '../engines.js';
import { closeTo } from '../goldens/load.js';

const parameter = (...values: number[]): Parameter => new Parameter(Float32Array.from(values), [values.length]);
const read = async (t: Tensor): Promise<number[]> => [...(await t.data())];

describe.each(engines)('grad on %s', (engine) => {
  beforeEach(() => setEngine(engine));

  it('gives gradients of tensors, of values between and of parameters, and leaves parameter.grad alone', async () => {
    const x = tensor([1, 2, 3]).withGrad();
    const p = parameter(4, 5, 6);
    const between = x.mul(p);
    const output = between.square().sum();
    const [dx, dBetween, dp] = grad(output, [x, between, p]);
    expect(await read(dBetween)).toEqual([8, 20, 36]);
    expect(await read(dx)).toEqual([32, 100, 216]);
    expect(await read(dp)).toEqual([8, 40, 108]);
    expect(p.grad).toBeNull();
    expect([dx.requiresGrad, dx.shape]).toEqual([false, [3]]);
  });

  it('can be asked again, after values were read too, and before backward', async () => {
    const x = tensor([1, 2]).withGrad();
    const p = parameter(3, 4);
    const output = x.mul(p).exp().log().sum();
    await output.data();
    closeTo(await read(grad(output, [x])[0]), [3, 4], 1e-4, 0);
    closeTo(await read(grad(output, [p])[0]), [1, 2], 1e-4, 0);
    output.backward();
    closeTo(await read(p.grad as Tensor), [1, 2], 1e-4, 0);
  });

  it('is that of the sum where the output has several elements', async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]).withGrad();
    expect(await read(grad(x.square(), [x])[0])).toEqual([2, 4, 6, 8]);
    expect(await read(grad(x, [x])[0])).toEqual([1, 1, 1, 1]);
  });

  it('is 0 where the output does not depend on the tensor', async () => {
    const [x, y] = [tensor([1, 2]).withGrad(), tensor([3, 4]).withGrad()];
    const [, dy] = grad(x.square().sum(), [x, y.mul(2)]);
    expect(await read(dy)).toEqual([0, 0]);
  });

  it('begins at withGrad, computed or not', async () => {
    const p = parameter(1, 2);
    for (const isComputed of [false, true]) {
      const before = p.mul(3);
      if (isComputed) await before.data();
      const x = before.withGrad();
      const output = x.square().sum();
      const [dx, dp] = grad(output, [x, p]);
      expect(await read(dx)).toEqual([6, 12]);
      expect(await read(dp)).toEqual([0, 0]);
      output.backward();
      expect(p.grad).toBeNull();
    }
  });

  it('equals finite differences through a network, with respect to images and features', async () => {
    const net = new Sequential(
      new Conv2D(2, 3, 3, { padding: 1 }),
      new BatchNorm2D(3),
      new ReLU(),
      new Flatten(),
      new Linear(48, 2),
    ).eval();
    const image = randn([1, 2, 4, 4]);
    const values = await image.data('float32');
    const x = image.withGrad();
    const { output, layers } = layerOutputs(net, ['0', '2'], x);
    const score = F.sigmoid(output).square().sum();
    const features = layers.get('2') as Tensor;
    const [dx, dFeatures] = grad(score, [x, features]);
    const gradient = await dx.data('float32');
    const at = async (i: number, step: number) => {
      const moved = Float32Array.from(values, (value, j) => (i === j ? value + step : value));
      return F.sigmoid(net.forward(Tensor.fromData(moved, [1, 2, 4, 4])))
        .square()
        .sum()
        .item();
    };
    for (const i of [0, 7, 13, 22, 31]) {
      const difference = ((await at(i, 1e-2)) - (await at(i, -1e-2))) / 2e-2;
      expect(Math.abs(gradient[i] - difference)).toBeLessThan(2e-3 + 2e-2 * Math.abs(difference));
    }
    expect(dFeatures.shape).toEqual(features.shape);
    expect((await read(dFeatures)).some((value) => value !== 0)).toBe(true);
  });
});

describe('grad', () => {
  it('refuses what has no gradient', () => {
    const x = tensor([1, 2]);
    expect(() => grad(x.sum(), [x])).toThrow(
      '[grad] output: expected one that depends on parameters or on a tensor of withGrad()',
    );
    const p = parameter(1, 2);
    expect(() => grad(p.mul(x).sum(), [x])).toThrow(
      '[grad] tensors[0]: expected a tensor that takes part in gradients',
    );
    expect(() => tensor([1, 2], 'int32').withGrad()).toThrow('[withGrad] tensor: expected float32, got int32');
  });

  it('refuses a graph that backward has released', () => {
    const p = parameter(1, 2);
    const loss = p.square().sum();
    loss.backward();
    expect(() => grad(loss, [p])).toThrow('[grad] output: its graph was released by an earlier backward()');
  });
});

describe('layerOutputs', () => {
  it('gives the outputs of layers, and that of the network', async () => {
    const net = new Sequential(new Linear(3, 2), new ReLU(), new Linear(2, 1));
    const x = randn([4, 3]);
    const { output, layers } = layerOutputs(net, ['1'], x);
    expect([...layers.keys()]).toEqual(['1']);
    expect(layers.get('1')?.shape).toEqual([4, 2]);
    expect(await read(output)).toEqual(await read(net.forward(x)));
  });

  it('refuses layers that there are not, or that did not run', () => {
    class Lazy extends Sequential {
      readonly unused = new ReLU();
    }
    const net = new Lazy(new Linear(3, 2));
    expect(() => layerOutputs(net, ['linear'], randn([1, 3]))).toThrow(
      "expected names of layers of the network, got 'linear'",
    );
    expect(() => layerOutputs(net, ['unused'], randn([1, 3]))).toThrow("got 'unused', which did not run");
  });
});
