import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.js';
import {
  anySeed,
  anyShape,
  array,
  expectClose,
  forAll,
  noise,
  numericGradient,
  reader,
  run,
  sum,
  tabulate,
} from './support.js';

const withAxis = anyShape(1, 4, 4).chain((shape) =>
  fc.tuple(fc.constant(shape), fc.nat(shape.length - 1), fc.boolean(), anySeed),
);

/** Softmax (or its logarithm) stated per element, as a function of values in row-major order. */
function naiveSoftmax(shape: readonly number[], axis: number, log: boolean, values: readonly number[]): number[] {
  const read = reader({ shape, dtype: 'float32', data: Float64Array.from(values) as unknown as Float32Array });
  return tabulate(shape, (...at) => {
    const share = Math.exp(read(...at)) / sum(shape[axis], (k) => Math.exp(read(...at.with(axis, k))));
    return log ? Math.log(share) : share;
  });
}

describe('softmax', () => {
  it('along any axis', () => {
    forAll(withAxis, ([shape, axis, log, seed]) => {
      const x = noise(shape, seed);
      expectClose(run('softmax', { axis, log }, [x], shape)[0], naiveSoftmax(shape, axis, log, [...x.data]));
    });
  });

  it('has the gradient of finite differences', () => {
    forAll(
      withAxis,
      ([shape, axis, log, seed]) => {
        const [x, dy] = [noise(shape, seed), noise(shape, seed + 1)];
        const [y] = run('softmax', { axis, log }, [x], shape);
        const loss = (values: readonly number[]) =>
          naiveSoftmax(shape, axis, log, values).reduce((total, v, i) => total + v * dy.data[i], 0);
        expectClose(run('softmaxBackward', { axis, log }, [dy, y], shape)[0], numericGradient([...x.data], loss), 1e-5);
      },
      15,
    );
  });

  it('does not overflow', () => {
    const x = array([2, 2], [1000, 1000, -1000, 0]);
    expectClose(run('softmax', { axis: 1, log: false }, [x], [2, 2])[0], [0.5, 0.5, 0, 1]);
    expectClose(run('softmax', { axis: 1, log: true }, [x], [2, 2])[0], [-Math.LN2, -Math.LN2, -1000, 0]);
  });
});

describe('crossEntropy', () => {
  const params = { ignoreIndex: -100 };
  const logits = noise([3, 4], 5);
  const labels = array([3], [2, -100, 0], 'int32');

  it('is −log softmax at the label, and 0 for an ignored row', () => {
    const log = naiveSoftmax([3, 4], 1, true, [...logits.data]);
    expectClose(run('crossEntropy', params, [logits, labels], [3])[0], [-log[2], 0, -log[8]]);
  });

  it('has the gradient of finite differences', () => {
    const dLoss = array([3], [0.5, 7, -2]);
    const loss = (values: readonly number[]) => {
      const log = naiveSoftmax([3, 4], 1, true, values);
      return -0.5 * log[2] + 2 * log[8];
    };
    const [dLogits] = run('crossEntropyBackward', params, [logits, labels, dLoss], [3, 4]);
    expectClose(dLogits, numericGradient([...logits.data], loss), 1e-5);
  });

  it('does not overflow', () => {
    const extreme = array([2, 2], [1e4, -1e4, 1e4, -1e4]);
    expectClose(run('crossEntropy', params, [extreme, array([2], [0, 1], 'int32')], [2])[0], [0, 2e4]);
  });

  it.each([4, -1])('refuses label %i', (label) => {
    const wrong = array([3], [0, 1, label], 'int32');
    const message = `[crossEntropy] label: expected 0 to 3, got ${label} (row 2)`;
    expect(() => run('crossEntropy', params, [logits, wrong], [3])).toThrow(new InputError(message));
    const dLoss = array([3], [1, 1, 1]);
    expect(() => run('crossEntropyBackward', params, [logits, wrong, dLoss], [3, 4])).toThrow(new InputError(message));
  });
});

describe('bceWithLogits', () => {
  const x = [-2, -0.5, 0, 0.3, 4];
  const target = array([5], [0, 1, 0.5, 1, 0]);
  const naive = (v: number, t: number) => {
    const p = 1 / (1 + Math.exp(-v));
    return -t * Math.log(p) - (1 - t) * Math.log(1 - p);
  };

  it('is the cross entropy of a Bernoulli variable', () => {
    const expected = x.map((v, i) => naive(v, target.data[i]));
    expectClose(run('bceWithLogits', {}, [array([5], x), target], [5])[0], expected);
  });

  it('has the gradient of finite differences', () => {
    const dLoss = noise([5], 8);
    const loss = (values: readonly number[]) =>
      values.reduce((total, v, i) => total + naive(v, target.data[i]) * dLoss.data[i], 0);
    const [dx] = run('bceWithLogitsBackward', {}, [array([5], x), target, dLoss], [5]);
    expectClose(dx, numericGradient(x, loss));
  });

  it('does not overflow', () => {
    const [loss] = run('bceWithLogits', {}, [array([2], [-2000, 2000]), array([2], [1, 1])], [2]);
    expectClose(loss, [2000, 0]);
  });
});
