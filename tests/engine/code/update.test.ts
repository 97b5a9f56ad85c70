import { afterEach, describe, expect, it, vi } from 'vitest';
import { implementationOf } from '../../../src/engine/planned/steps.js';
import { setEngine } from '../../../src/engine/select.js';
import { Adam, AdamW, Momentum, type Optimizer, SGD } from '../../../src/optimizer/index.js';
import { Parameter } from '../../../src/tensor/state.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { expectAgreement, noise, stepsOf } from '../../engines.js';
import { codeRunsWith } from '../../needs.js';

const optimizers: Readonly<Record<string, (parameters: Parameter[]) => Optimizer>> = {
  SGD: (parameters) => new SGD({ learningRate: 0.1, parameters }),
  'SGD with decay': (parameters) => new SGD({ learningRate: 0.1, parameters, weightDecay: 0.05 }),
  Momentum: (parameters) => new Momentum({ learningRate: 0.1, parameters, momentum: 0.8 }),
  'Momentum, Nesterov, decay': (parameters) =>
    new Momentum({ learningRate: 0.1, parameters, momentum: 0.8, useNesterov: true, weightDecay: 0.05 }),
  Adam: (parameters) => new Adam({ learningRate: 0.01, parameters }),
  'Adam with decay': (parameters) => new Adam({ learningRate: 0.01, parameters, weightDecay: 0.05 }),
  AdamW: (parameters) => new AdamW({ learningRate: 0.01, parameters, weightDecay: 0.05 }),
};

/** Minimizes Σ (a·b − target)² over some steps. */
async function train(engine: 'reference' | 'onednn', make: (parameters: Parameter[]) => Optimizer, rows: number) {
  setEngine(engine);
  const shape = [rows, 37];
  const parameter = new Parameter(Float32Array.from(noise(shape, 1).data), shape);
  const optimizer = make([parameter]);
  for (let step = 0; step < 4; step++) {
    const error = parameter
      .mul(Tensor.fromData(noise(shape, 5 + step).data, shape))
      .sub(Tensor.fromData(noise(shape, 9).data, shape));
    const loss = error.mul(error).sum();
    loss.backward();
    await optimizer.step({ also: [loss] });
    optimizer.clearGrad();
  }
  return await parameter.data('float32');
}

describe.each(Object.entries(optimizers))('%s', (_, make) => {
  afterEach(() => {
    vi.unstubAllEnvs();
    setEngine('onednn');
  });

  // Neither size fills the last vector; the larger one takes several tasks. Sizes differ, since programs are cached.
  it.each([
    ['1', 19],
    ['1', 2001],
    ['0', 20],
  ])('with FOVEA_CODE=%s moves %i rows of parameters as the reference does', async (allowed, rows) => {
    vi.stubEnv('FOVEA_CODE', allowed);
    const { result: actual, steps } = await stepsOf(() => train('onednn', make, rows));
    const kernels = steps.filter(({ node }) => node?.op.endsWith('Update')).map(implementationOf);
    expect(kernels.some((kernel) => kernel.startsWith('code:'))).toBe(codeRunsWith(allowed));
    expectAgreement(actual, await train('reference', make, rows), 'parameter', { tolerance: 1e-5 });
  });
});
