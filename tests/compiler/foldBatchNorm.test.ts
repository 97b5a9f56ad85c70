import { beforeEach, describe, expect, it } from 'vitest';
import { openOneDnn } from '../../src/engine/onednn/engine.js';
import { setEngine } from '../../src/engine/select.js';
import * as nn from '../../src/nn/index.js';
import { Momentum } from '../../src/optimizer/index.js';
import { seed } from '../../src/random.js';
import * as F from '../../src/tensor/functional.js';
import { Tensor } from '../../src/tensor/tensor.js';
import * as models from '../../src/vision/models/index.js';
import { noise } from '../engines.js';

class Block extends nn.Layer {
  readonly conv: nn.Conv2D;
  readonly norm = new nn.BatchNorm2D(20);
  readonly out = new nn.Conv2D(20, 5, 1);

  constructor(bias: boolean) {
    super();
    this.conv = new nn.Conv2D(3, 20, 3, { padding: 1, ...(!bias && { biasAttr: false }) });
  }

  forward(x: Tensor): Tensor {
    return this.out.forward(F.relu(this.norm.forward(this.conv.forward(x))));
  }
}

const image = (n: number, size = 9) => Tensor.fromData(noise([n, 3, size, size], n).data, [n, 3, size, size]);

/** Statistics and weights as a training leaves them. */
async function trained(network: nn.Layer, size: number): Promise<nn.Layer> {
  const optimizer = new Momentum({ learningRate: 0.001, parameters: network.parameters() });
  for (let i = 0; i < 2; i++) {
    const y = network.forward(image(4, size));
    const loss = y.mul(y).mean();
    loss.backward();
    await optimizer.step();
    optimizer.clearGrad();
  }
  return network.eval();
}

async function steps(body: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = [];
  openOneDnn().observer = (step) => names.push(step.name);
  try {
    await body();
  } finally {
    openOneDnn().observer = null;
  }
  return names;
}

async function outputs(network: nn.Layer, size: number): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  for (const n of size > 9 ? [2] : [1, 4, 1]) results.push(await network.forward(image(n, size)).data('float32'));
  return results;
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  const scale = Math.max(...expected.map(Math.abs));
  for (let i = 0; i < expected.length; i++) expect(Math.abs(actual[i] - expected[i])).toBeLessThan(2e-4 * scale);
}

beforeEach(() => setEngine('onednn'));

describe('batch norms of given statistics', () => {
  it.each([
    ['a block', () => new Block(true), 9],
    ['a block without bias', () => new Block(false), 9],
    ['ResNet', () => models.resnet18({ numClasses: 3 }), 32],
  ] as const)('join the convolutions before them: %s', async (_, make, size) => {
    seed(3);
    const network = await trained(make(), size);
    const names = await steps(() => network.forward(image(2, size)).data());
    expect(names.filter((name) => /batchNorm/.test(name))).toEqual([]);
    const folded = await outputs(network, size);
    setEngine('reference');
    const expected = await outputs(network, size);
    for (let i = 0; i < expected.length; i++) expectClose(folded[i], expected[i]);
  });

  it('are computed once, and again when a parameter or a statistic has changed', async () => {
    seed(4);
    const network = (await trained(new Block(true), 9)) as Block;
    const x = image(2);
    const first = await network.forward(x).data();
    const calls = await steps(async () => expect(await network.forward(x).data()).toEqual(first));
    // Whether the result still has to be put in order depends on the layouts of the kernels.
    expect(calls.filter((name) => name !== 'reorder')).toEqual(['conv2d+relu', 'conv2d']);
    for (const change of [
      () => network.norm.weight?.load(noise([20], 5).data),
      () => network.conv.weight.load(noise([20, 3, 3, 3], 6).data),
      () => trained(network, 9),
      () => network.out.weight.load(noise([5, 20, 1, 1], 7).data),
    ]) {
      const before = await network.forward(x).data();
      await change();
      network.eval();
      const after = await network.forward(x).data('float32');
      expect(after).not.toEqual(before);
      // A program of another batch size computes again the values that this one remembers.
      const other = await network.forward(image(3)).data('float32');
      setEngine('reference');
      const expected = await network.forward(x).data('float32');
      const expectedOther = await network.forward(image(3)).data('float32');
      setEngine('onednn');
      expectClose(after, expected);
      expectClose(other, expectedOther);
    }
  });

  it('stay as they are where the program trains the weights, or another node reads what they normalize', async () => {
    seed(5);
    const network = (await trained(new Block(true), 9)) as Block;
    const optimizer = new Momentum({ learningRate: 0.05, parameters: network.parameters() });
    const training = await steps(async () => {
      const y = network.forward(image(4));
      y.mul(y).mean().backward();
      await optimizer.step();
      optimizer.clearGrad();
    });
    expect(training.some((name) => name.startsWith('batchNorm'))).toBe(true);
    const shared = await steps(async () => {
      const y = network.conv.forward(image(2));
      await network.norm.forward(y).add(y).data();
    });
    expect(shared.some((name) => name.startsWith('batchNorm'))).toBe(true);
  });

  it('are computed with the weights of the network at hand, not of another one of the same shape', async () => {
    seed(6);
    const [one, two] = [(await trained(new Block(true), 9)) as Block, (await trained(new Block(true), 9)) as Block];
    const x = image(2);
    const [first, second] = [await one.forward(x).data(), await two.forward(x).data()];
    expect(first).not.toEqual(second);
    for (let i = 0; i < 3; i++) {
      expect(await one.forward(x).data()).toEqual(first);
      expect(await two.forward(x).data()).toEqual(second);
    }
    // The arena grows in between.
    await one.forward(image(40, 64)).data();
    expect(await one.forward(x).data()).toEqual(first);
    expect(await two.forward(x).data()).toEqual(second);
  });
});
