import { beforeEach, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { StaleTensorError } from '../../src/errors.js';
import { snapshot } from '../../src/io/snapshot.js';
import { BatchNorm2D, Conv2D, Layer, Linear } from '../../src/nn/index.js';
import { Adam, SGD } from '../../src/optimizer/index.js';
import { RandomGenerator, seed } from '../../src/random.js';
import { compilationCount } from '../../src/runtime/realize.js';
import * as F from '../../src/tensor/functional.js';
import { noGrad } from '../../src/tensor/noGrad.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines } from '../engines.js';

/** Two branches with batch norm; the loss uses the first one alone, unless `both`. */
class Branches extends Layer {
  readonly stem = new Conv2D(2, 3, 3);
  readonly used = new BatchNorm2D(3);
  readonly conv = new Conv2D(3, 4, 3);
  readonly dropped = new BatchNorm2D(4);
  readonly input = new BatchNorm2D(2);
  readonly fc = new Linear(3, 2);
  both = false;
  last: Tensor | null = null;

  forward(x: Tensor): Tensor {
    const y = F.relu(this.used.forward(this.stem.forward(x)));
    this.last = this.dropped.forward(this.conv.forward(y));
    const scaled = this.input.forward(x);
    const out = this.fc.forward(y.mean({ axis: [2, 3] }));
    return this.both ? out.add(this.last.mul(0).sum()).add(scaled.mul(0).sum()) : out;
  }
}

const shape = [2, 2, 6, 6];
const images = (i: number) =>
  Tensor.fromData(new RandomGenerator(i).fillNormal(new Float32Array(2 * 2 * 36), 1, 2), shape);

const statistics = async (net: Layer) =>
  Object.fromEntries(
    await Promise.all([...net.stateDict()].map(async ([name, state]) => [name, await state.data()] as const)),
  );

describe.each(engines)('%s: running statistics of layers whose output the loss does not use', (engine) => {
  beforeEach(() => setEngine(engine));

  const make = (both = false) => {
    seed(3);
    const net = new Branches();
    net.both = both;
    return { net, optimizer: new Adam({ parameters: net.parameters(), learningRate: 0.01 }) };
  };
  const lossOf = (net: Layer, i: number) => net.forward(images(i)).square().mean();
  const train = async ({ net, optimizer }: ReturnType<typeof make>, steps: number) => {
    for (let i = 0; i < steps; i++) {
      lossOf(net, i).backward();
      await optimizer.step();
      optimizer.clearGrad();
    }
  };

  it('follow the forward pass, with one program for all steps', async () => {
    const run = make();
    await train(run, 2);
    const compiled = compilationCount();
    await train(run, 3);
    expect(compilationCount()).toBe(compiled);
    const whole = make(true);
    await train(whole, 2);
    await train(whole, 3);
    const [actual, expected] = [await statistics(run.net), await statistics(whole.net)];
    for (const name of ['used', 'dropped', 'input'].flatMap((layer) => [`${layer}._mean`, `${layer}._variance`])) {
      expect(actual[name].some((x) => x !== 0 && x !== 1)).toBe(true);
      for (const [i, x] of actual[name].entries()) expect(x).toBeCloseTo(expected[name][i], 5);
    }
    expect((await snapshot(run.net.stateDict())).size).toBe(18);
  });

  it('follow each of two forward passes before a step, in whichever the loss is', async () => {
    for (const order of [0, 1]) {
      const run = make();
      const losses = [lossOf(run.net, 1), lossOf(run.net, 2)];
      losses[order].backward();
      await run.optimizer.step();
      const twice = make();
      for (const i of [1, 2]) await lossOf(twice.net, i).data();
      for (const { net } of [run, twice]) await snapshot(net.stateDict());
      const [actual, expected] = [await statistics(run.net), await statistics(twice.net)];
      for (const name of ['used._mean', 'used._variance', 'dropped._mean', 'input._variance']) {
        for (const [i, x] of actual[name].entries()) expect(x).toBeCloseTo(expected[name][i], 5);
      }
    }
  });

  it.each([
    ['a forward pass whose result is thrown away', (net: Layer) => net.forward(images(7))],
    ['one without gradients', (net: Layer) => noGrad(() => net.forward(images(7)))],
  ])('follow %s', async (_, forward) => {
    const [run, read] = [make(), make()];
    forward(run.net);
    await train(run, 1);
    await forward(read.net).data();
    await snapshot(read.net.stateDict());
    await train(read, 1);
    const [actual, expected] = [await statistics(run.net), await statistics(read.net)];
    for (const [name, data] of Object.entries(actual)) {
      for (const [i, x] of data.entries()) expect(x, name).toBeCloseTo(expected[name][i], 5);
    }
  });

  it('follow a forward pass without any step', async () => {
    const { net } = make();
    net.forward(images(1));
    const saved = await snapshot(net.stateDict());
    const again = make().net;
    await again.forward(images(1)).data();
    expect(saved.get('used._mean')?.data).toEqual(await again.used._mean.data());
    expect(saved.get('dropped._mean')?.data.some((x) => x !== 0)).toBe(true);
  });

  it('are computed before a weight that they need is overwritten from outside', async () => {
    const [run, read] = [make(), make()];
    run.net.forward(images(1));
    run.net.stem.weight.load(new Float32Array(run.net.stem.weight.size));
    read.net.forward(images(1));
    await snapshot(read.net.stateDict());
    const [actual, expected] = [await statistics(run.net), await statistics(read.net)];
    expect(actual['dropped._mean']).toEqual(expected['dropped._mean']);
    // Loaded values count in any case.
    run.net.forward(images(2));
    run.net.loadStateDict(await snapshot(make().net.stateDict()));
    expect(await statistics(run.net)).toEqual(await statistics(make().net));
  });

  it('leave other networks alone', async () => {
    const [run, other] = [make(), make()];
    const out = other.net.forward(images(1));
    await train(run, 1);
    expect(other.net.used._mean.storage.version).toBe(0);
    out.square().mean().backward();
    await other.optimizer.step();
    expect(other.net.used._mean.storage.version).toBe(1);
    expect(other.net.dropped._mean.storage.version).toBe(1);
  });

  it('leave the tensor itself to be read before the step', async () => {
    const { net, optimizer } = make();
    lossOf(net, 1).backward();
    const { last } = net;
    await optimizer.step();
    await expect(last?.data()).rejects.toThrow(StaleTensorError);
    await expect(last?.data()).rejects.toThrow('a tensor of shape [2,4,2,2] was left unread');
  });

  it('go along where gradients of several batches are added up', async () => {
    const { net } = make();
    const optimizer = new SGD({ parameters: net.parameters(), learningRate: 0.01 });
    for (let i = 0; i < 3; i++) {
      const loss = lossOf(net, i);
      loss.backward();
      await Promise.all([loss.data(), ...net.parameters().map(({ grad }) => grad?.data())]);
    }
    await optimizer.step();
    expect((await snapshot(net.stateDict())).size).toBe(18);
    const each = make().net;
    for (let i = 0; i < 3; i++) {
      each.forward(images(i));
      await snapshot(each.stateDict());
    }
    const [actual, expected] = [await net.dropped._mean.data(), await each.dropped._mean.data()];
    for (const [i, x] of actual.entries()) expect(x).toBeCloseTo(expected[i], 5);
  });
});
