import { afterEach, expect, it } from 'vitest';
import { FewRows } from '../../../src/engine/onednn/code/linear.js';
import { implementationOf } from '../../../src/engine/planned/steps.js';
import { setEngine, setPrecision } from '../../../src/engine/select.js';
import * as nn from '../../../src/nn/index.js';
import { Momentum } from '../../../src/optimizer/index.js';
import { seed } from '../../../src/random.js';
import * as F from '../../../src/tensor/functional.js';
import { noGrad } from '../../../src/tensor/noGrad.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { expectAgreement, noise, stepsOf } from '../../engines.js';
import { describeWith } from '../../needs.js';

afterEach(() => {
  setEngine('onednn');
  setPrecision('float32');
});

type Types = Parameters<typeof FewRows.create>[2];

const input = (rows: number, features: number) => Tensor.fromData(noise([rows, features], rows).data, [rows, features]);

class Net extends nn.Layer {
  readonly first: nn.Linear;
  readonly second: nn.Linear;

  constructor(features: number, hasBias: boolean) {
    super();
    this.first = new nn.Linear(features, 1024, hasBias ? {} : { biasAttr: false });
    this.second = new nn.Linear(1024, 1040, hasBias ? {} : { biasAttr: false });
  }

  forward(x: Tensor): Tensor {
    return this.second.forward(F.relu(this.first.forward(x)));
  }
}

describeWith('bf16', 'a linear layer of few rows in bf16', () => {
  it.each([
    [1, 1033, true],
    [2, 1025, false],
    [3, 1030, true],
    [4, 1027, false],
  ])('of %i images and %i features, bias %s', async (rows, features, hasBias) => {
    seed(3);
    const net = new Net(features, hasBias).eval();
    const predict = async () => await noGrad(() => net.forward(input(rows, features))).data('float32');
    setEngine('reference');
    const expected = await predict();
    setEngine('onednn');
    setPrecision('bf16');
    const { result: actual, steps } = await stepsOf(predict);
    const kernels = steps.filter(({ name }) => name.startsWith('linear')).map(implementationOf);
    expect(kernels).toEqual(['code:avx512', 'code:avx512']);
    expectAgreement(actual, expected, 'y', { tolerance: 1e-2 });
    expect(await predict()).toEqual(actual);
  });

  it('follows the weights through a training, which leaves it to the library', async () => {
    setPrecision('bf16');
    seed(3);
    const net = new Net(1029, true);
    const optimizer = new Momentum({ learningRate: 0.01, parameters: net.parameters() });
    const predictions: Float32Array[] = [];
    for (let step = 0; step < 3; step++) {
      const y = net.forward(input(2, 1029));
      const loss = y.mul(y).mean();
      loss.backward();
      await optimizer.step({ also: [loss] });
      optimizer.clearGrad();
      predictions.push(await noGrad(() => net.forward(input(2, 1029))).data('float32'));
    }
    setEngine('reference');
    const expected = await noGrad(() => net.forward(input(2, 1029))).data('float32');
    expectAgreement(predictions[2], expected, 'y', { tolerance: 1e-2 });
    expect(predictions[1]).not.toEqual(predictions[2]);
  });

  it('is not there for many rows, few weights, float32, other activations, or outputs that 16 does not divide', () => {
    const bf16 = { weights: 'bfloat16', dst: 'float32' } as const;
    const create = (rows: number, features: number, outputs: number, fn?: 'relu' | 'tanh', types: Types = bf16) =>
      FewRows.create([rows, features], outputs, types, fn && { fn, alpha: 0 });
    expect(create(4, 1024, 1024, 'relu')).not.toBeNull();
    expect(create(5, 1024, 1024)).toBeNull();
    expect(create(4, 512, 1024)).toBeNull();
    expect(create(4, 1024, 1032)).toBeNull();
    expect(create(4, 1024, 1024, 'tanh')).toBeNull();
    expect(create(4, 1024, 1024, 'relu', { weights: 'float32', dst: 'float32' })).toBeNull();
  });
});
