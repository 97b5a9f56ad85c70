import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { ResidentBuffer } from '../../../src/engine/planned/resident.js';
import { openEngine } from '../../../src/engine/select.js';
import * as nn from '../../../src/nn/index.js';
import { Adam, Momentum, type Optimizer, SGD } from '../../../src/optimizer/index.js';
import { seed } from '../../../src/random.js';
import { concat } from '../../../src/tensor/combine.js';
import { tensor } from '../../../src/tensor/fromArrays.js';
import * as F from '../../../src/tensor/functional.js';
import { noGrad } from '../../../src/tensor/noGrad.js';
import type { Parameter } from '../../../src/tensor/state.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { LeNet } from '../../../src/vision/models/course/lenet.js';
import { expectAgreement, noise } from '../../engines.js';
import { ToyEngine } from './toy.js';

const { chosen } = vi.hoisted(() => ({ chosen: { engine: null as Engine | null } }));

vi.mock('../../../src/engine/select.js', async (original) => {
  const select = await original<typeof import('../../../src/engine/select.js')>();
  return { ...select, currentEngine: () => chosen.engine ?? select.currentEngine() };
});

let toy: ToyEngine;
beforeEach(() => {
  toy = new ToyEngine();
});
afterEach(() => {
  chosen.engine = null;
  vi.unstubAllEnvs();
});

const digits = (start: number) => Tensor.fromData(noise([10, 1, 28, 28], start).data, [10, 1, 28, 28]);
const labels = tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 'int32');

/** Losses of some steps of LeNet, its parameters afterwards, and what it predicts then. */
async function train(engine: Engine, make: (parameters: Parameter[]) => Optimizer, steps = 4) {
  chosen.engine = engine;
  seed(1);
  const net = new LeNet({ numClasses: 10 });
  const optimizer = make(net.parameters());
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = F.crossEntropy(net.forward(digits(step)), labels);
    loss.backward();
    await optimizer.step({ finiteLoss: true });
    optimizer.clearGrad();
    losses.push(await loss.item());
  }
  net.eval();
  const prediction = await noGrad(() => net.forward(digits(99))).data();
  return { net, losses, prediction, parameters: await Promise.all(net.parameters().map((p) => p.data())) };
}

describe('an engine of plain arrays', () => {
  it.each([
    ['SGD', (parameters: Parameter[]) => new SGD({ parameters, learningRate: 0.05, weightDecay: 0.01 })],
    ['Momentum', (parameters: Parameter[]) => new Momentum({ parameters, learningRate: 0.05 })],
    ['Adam', (parameters: Parameter[]) => new Adam({ parameters, learningRate: 0.01 })],
  ] as const)('trains LeNet with %s as the reference engine does', async (_, make) => {
    const actual = await train(toy, make);
    const expected = await train(openEngine('reference'), make);
    expectAgreement(Float32Array.from(actual.losses), expected.losses, 'losses');
    expectAgreement(actual.prediction, expected.prediction, 'prediction');
    for (const [i, data] of actual.parameters.entries()) {
      expectAgreement(data, expected.parameters[i], `parameter ${i}`);
    }
    // All of its memory has moved meanwhile, so that views were made again.
    expect(toy.backend.generation).toBeGreaterThan(0);
  });

  it('is validated node by node', async () => {
    vi.stubEnv('FOVEA_VALIDATE', '1');
    const steps: string[] = [];
    toy.observer = ({ name }) => steps.push(name);
    await train(toy, (parameters) => new SGD({ parameters, learningRate: 0.05 }), 1);
    expect(steps).toContain('validate');
  });

  it('hands parameters over to another engine, and takes them back', async () => {
    const { net } = await train(toy, (parameters) => new SGD({ parameters, learningRate: 0.05 }), 1);
    const predict = (engine: Engine) => {
      chosen.engine = engine;
      return noGrad(() => net.forward(digits(5))).data();
    };
    const expected = await predict(toy);
    const [parameter] = net.parameters();
    const own = parameter.value.current().device;
    expect(own).toBeInstanceOf(ResidentBuffer);
    // Another engine of the same room: its memory is not the first one's.
    const other = new ToyEngine();
    expect(await predict(other)).toEqual(expected);
    expect(parameter.value.current().device).not.toBe(own);
    expectAgreement(await predict(openEngine('reference')), expected, 'prediction');
    expect(await predict(toy)).toEqual(expected);
  });

  it('computes what depends on weights alone once, and again when these change', async () => {
    chosen.engine = toy;
    const net = new nn.Sequential(new nn.Conv2D(3, 4, 3), new nn.BatchNorm2D(4)).eval();
    const x = Tensor.fromData(noise([2, 3, 6, 6], 1).data, [2, 3, 6, 6]);
    const names: string[] = [];
    toy.observer = ({ name }) => names.push(name);
    const predict = async () => {
      names.length = 0;
      return { y: await noGrad(() => net.forward(x)).data(), steps: [...names] };
    };
    const first = await predict();
    expect(first.steps.length).toBeGreaterThan(3);
    const second = await predict();
    expect(second.steps).toEqual(['conv2d']);
    expect(second.y).toEqual(first.y);
    const [weight] = net.parameters();
    weight.load((await weight.data()).map((value) => 2 * value) as Float32Array);
    const third = await predict();
    expect(third.steps).toEqual(first.steps);
    chosen.engine = openEngine('reference');
    expectAgreement(third.y, (await predict()).y, 'y');
  });

  it('joins the channels of one image without a copy', async () => {
    chosen.engine = toy;
    const x = Tensor.fromData(noise([1, 2, 4, 4], 1).data, [1, 2, 4, 4]);
    const names: string[] = [];
    toy.observer = ({ name }) => names.push(name);
    const y = await concat([F.relu(x), F.tanh(x), x.affine(2, 1)], 1).data();
    expect(names).toEqual(['unary', 'unary', 'affine']);
    chosen.engine = openEngine('reference');
    expectAgreement(y, await concat([F.relu(x), F.tanh(x), x.affine(2, 1)], 1).data(), 'y');
  });
});
