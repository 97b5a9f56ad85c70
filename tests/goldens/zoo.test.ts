import { paddleNames } from '../../src/io/formats/paddle/names.js';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import type { Layer } from '../../src/nn/index.js';
import { Momentum } from '../../src/optimizer/index.js';
import { RandomGenerator } from '../../src/random.js';
import * as F from '../../src/tensor/functional.js';
import { realizeAll } from '../../src/tensor/evaluate.js';
import { Parameter } from '../../src/tensor/state.js';
import { noGrad } from '../../src/tensor/noGrad.js';
import { Tensor } from '../../src/tensor/tensor.js';
import * as models from '../../src/vision/models/index.js';
import { zooModels } from '../../src/run/catalog/zooModels.js';
import { expectAgreement } from '../engines.js';
import { type GoldenZooCase, loadGolden } from './load.js';
import { fill, makeReady, sampled, valuesOf } from './zoo.js';

const { networks, cases } = loadGolden('zoo');

/** Errors of float32 through up to 150 layers. */
const tolerance = { tolerance: 1e-4, floor: 1e-3 };

/** All outputs of Paddle's `forward`. */
function outputsOf(net: Layer, x: Tensor): Tensor[] {
  if (!(net instanceof models.GoogLeNet)) return [net.forward(x)];
  const { logits, auxiliary } = net.forwardWithHeads(x);
  return [logits, ...auxiliary];
}

/**
 * One network of each kind. The others repeat the same blocks more often or with more channels, and take seconds and
 * gigabytes: they are computed if all tests are asked for. Their names and shapes are always under test.
 */
const kinds = new RegExp(
  '^(lenet|alexnet|googlenet|vgg11|vgg13_bn|resnet18|resnet50|resnext50_32x4d|mobilenet_v[123].*|densenet121|' +
    'squeezenet1_[01]|inception_v3|shufflenet_v2_(x0_25|swish))$',
);
const all = process.env.FOVEA_TEST_ALL === '1';
const classifiesBig = ({ network, options }: GoldenZooCase) =>
  ['alexnet', 'vgg11'].includes(network) && options.numClasses > 0;
const wanted = cases.filter((golden) => all || (kinds.test(golden.network) && !classifiesBig(golden)));

async function check({ network, options, training, input, outputs, statistics }: GoldenZooCase): Promise<void> {
  const net = makeReady(network, options);
  fill(net);
  if (!training) net.eval();
  const results = noGrad(() => outputsOf(net, Tensor.fromData(valuesOf(input, 1000, 1, 0), input)));
  expect(results.map(({ shape }) => shape)).toEqual(outputs.map(({ shape }) => shape));
  await realizeAll(results);
  for (const [i, { stride, values }] of outputs.entries()) {
    expectAgreement(sampled(await results[i].data(), stride), values, `output ${i}`, tolerance);
  }
  const states = net.stateDict();
  for (const [name, { stride, values }] of Object.entries(statistics)) {
    const data = await states.get(name)?.data();
    expectAgreement(sampled(data ?? new Float32Array(), stride), values, name, tolerance);
  }
}

// The weights come from the goldens, and sampling the 140 million of VGG takes seconds.
beforeAll(() => {
  vi.spyOn(RandomGenerator.prototype, 'fillNormal').mockImplementation((array) => array);
  vi.spyOn(RandomGenerator.prototype, 'fillUniform').mockImplementation((array) => array);
  return () => vi.restoreAllMocks();
});

describe('names, shapes and numbers of values are those of paddle.vision.models', () => {
  it.each(Object.entries(networks))('%s', (name, golden) => {
    const net = makeReady(name);
    const states = [...net.stateDict()];
    const paddle = paddleNames(net);
    const lines = states.map(([key, { shape }]) => `${key} ${paddle.get(key)} ${shape}\n`).join('');
    expect(states, lines).toHaveLength(golden.entries);
    expect(createHash('sha256').update(lines).digest('hex'), lines).toBe(golden.sha256);
    expect(net.parameterCount()).toBe(golden.trainableParams);
    expect(states.reduce((sum, [, { size }]) => sum + size, 0)).toBe(golden.totalParams);
    const { anySize, inputShape } = zooModels[`zoo-${name}`];
    const input = anySize ? [3, 40, 57] : inputShape;
    expect(net.forward(Tensor.zeros([2, ...input])).shape).toEqual([2, name === 'lenet' ? 10 : 1000]);
    expect(states.every(([key, state]) => state instanceof Parameter || /\._(mean|variance)$/.test(key))).toBe(true);
  });
});

const nameOf = ({ network, options, training }: GoldenZooCase) =>
  `${network} ${JSON.stringify(options)}${training ? ' in training' : ''}`;

describe('the same weights give the same outputs as in Paddle', () => {
  beforeAll(() => setEngine('onednn'));
  it.each(wanted.map((golden) => [nameOf(golden), golden] as const))('%s', (_, golden) => check(golden));
});

/** One step on two pictures: every parameter has a gradient, and the first and the last one move. */
async function trainOneStep({ network, options, input }: GoldenZooCase): Promise<void> {
  const net = makeReady(network, options);
  fill(net);
  const parameters = net.parameters();
  const ends = [parameters[0], parameters[parameters.length - 1]];
  const before = await Promise.all(ends.map(async (parameter) => (await parameter.data()).slice()));
  const shape = [2, ...input.slice(1)];
  const outputs = outputsOf(net, Tensor.fromData(valuesOf(shape, 1000, 1, 0), shape));
  const labels = Tensor.fromData(Int32Array.of(1, 3), [2]);
  const losses = outputs.map((y) => (options.numClasses === 0 ? y.square().mean() : F.crossEntropy(y, labels)));
  const loss = losses.reduce((sum, each) => sum.add(each));
  loss.backward();
  expect(parameters.filter(({ grad }) => grad === null)).toEqual([]);
  const optimizer = new Momentum({ learningRate: 0.01, parameters });
  await optimizer.step();
  expect(await loss.item()).toBeGreaterThan(0);
  for (const [i, parameter] of ends.entries()) {
    const after = await parameter.data();
    expect(after.every(Number.isFinite)).toBe(true);
    expect(after).not.toEqual(before[i]);
  }
}

describe('every network trains a step', () => {
  beforeAll(() => setEngine('onednn'));
  const first = wanted.filter(({ network }, i) => wanted.findIndex((other) => other.network === network) === i);
  it.each(first.map((golden) => [golden.network, golden] as const))('%s', (_, golden) => trainOneStep(golden));
});

describe('on the reference engine, too', () => {
  beforeAll(() => setEngine('reference'));
  const small = wanted.filter(({ options: { scale = 1 } }) => scale === 0.5 || scale === 0.75);
  it.each(small.map((golden) => [nameOf(golden), golden] as const))('%s', (_, golden) => check(golden));
});
