import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { Dropout, type Layer } from '../../src/nn/index.js';
import { Momentum } from '../../src/optimizer/index.js';
import { torchModels } from '../../src/run/catalog/torchModels.js';
import * as F from '../../src/tensor/functional.js';
import { noGrad } from '../../src/tensor/noGrad.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { StochasticDepth } from '../../src/vision/models/stochasticDepth.js';
import { expectAgreement } from '../engines.js';
import { loadGolden } from './load.js';
import { fill, sampled, valuesOf } from './zoo.js';

const { networks, cases } = loadGolden('torchZoo');
const create = (name: string, side = 32): Layer => torchModels[name].create({ numClasses: 10 }, [3, side, side]);

describe('names, shapes and numbers of values are those of torchvision and timm', () => {
  it.each(Object.entries(networks))('%s', (name, golden) => {
    const net = torchModels[name].create({ numClasses: 1000 }, [3, 224, 224]);
    const states = [...net.stateDict()];
    const lines = states.map(([key, { shape }]) => `${key} ${shape}\n`).join('');
    expect(states, lines).toHaveLength(golden.entries);
    expect(createHash('sha256').update(lines).digest('hex'), lines).toBe(golden.sha256);
    expect(net.parameterCount()).toBe(golden.parameters);
  });
});

describe('the same weights give the same outputs as in torchvision and timm', () => {
  beforeAll(() => setEngine('onednn'));
  // The larger ones repeat the blocks of the smaller ones: they are computed if all tests are asked for.
  const larger = process.env.FOVEA_TEST_ALL === '1' ? /^$/ : /^(efficientnet_b[123]|regnet_y_[13]_.*)$/;
  const wanted = cases.filter(({ network }) => !larger.test(network));
  const named = wanted.map((golden) => [`${golden.network}${golden.training ? ' in training' : ''}`, golden] as const);

  it.each(named)('%s', async (_, { network, training, input, output, statistics }) => {
    const net = create(network, input[2]);
    fill(net);
    if (!training) net.eval();
    for (const layer of net.sublayers()) if (layer instanceof StochasticDepth || layer instanceof Dropout) layer.eval();
    const y = noGrad(() => net.forward(Tensor.fromData(valuesOf(input, 1000, 1, 0), input)));
    expect(y.shape).toEqual(output.shape);
    const tolerance = { tolerance: 1e-4, floor: 1e-3 };
    expectAgreement(sampled(await y.data(), output.stride), output.values, 'output', tolerance);
    const states = net.stateDict();
    for (const [name, { stride, values }] of Object.entries(statistics)) {
      const data = await states.get(name)?.data();
      // Running variances are the unbiased ones there, and the biased ones here, as in Paddle.
      if (name.endsWith('_mean')) expectAgreement(sampled(data ?? new Float32Array(), stride), values, name, tolerance);
    }
  });
});

describe('every network trains a step', () => {
  beforeAll(() => setEngine('onednn'));

  it.each(['efficientnet_b0', 'regnet_y_400mf', 'convnext_tiny', 'deit_tiny_patch16_224'])('%s', async (name) => {
    const net = create(name);
    const parameters = net.parameters();
    const optimizer = new Momentum({ learningRate: 0.01, parameters });
    const logits = net.forward(Tensor.fromData(valuesOf([4, 3, 32, 32], 1, 1, 0), [4, 3, 32, 32]));
    const loss = F.crossEntropy(logits, Tensor.fromData(Int32Array.of(1, 3, 0, 2)));
    loss.backward();
    expect(parameters.filter(({ grad }) => grad === null)).toEqual([]);
    await optimizer.step();
    expect(await loss.item()).toBeGreaterThan(0);
    for (const parameter of [parameters[0], parameters[parameters.length - 1]]) {
      expect((await parameter.data()).every(Number.isFinite)).toBe(true);
    }
  });
});
