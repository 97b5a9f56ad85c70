import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../../src/engine/ndarray.js';
import { array, expectClose, noise, numericGradient, run } from './support.js';

const epsilon = 1e-3;
const shape = [3, 2, 2, 3];
const [x, scale, shift, dy] = [noise(shape, 1), array([2], [1.5, -0.5]), array([2], [0.25, -0.75]), noise(shape, 2)];
const channelOf = (i: number) => Math.floor(i / 6) % 2;
const channel = (values: ArrayLike<number>, c: number) => Array.from(values).filter((_, i) => channelOf(i) === c);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
/** E[x²] − E[x]², the other way to write the biased variance. */
const variance = (values: readonly number[]) => mean(values.map((v) => v * v)) - mean(values) ** 2;

/** Batch normalization, and the ReLU, stated per element in float64. */
function naive(values: ArrayLike<number>, s: ArrayLike<number>, t: ArrayLike<number>, relu: boolean): number[] {
  const statistics = [0, 1].map((c) => [mean(channel(values, c)), variance(channel(values, c))]);
  return Array.from(values, (v, i) => {
    const c = channelOf(i);
    const [m, s2] = statistics[c];
    const y = ((v - m) / Math.sqrt(s2 + epsilon)) * s[c] + t[c];
    return relu && y < 0 ? 0 : y;
  });
}

const opaque = { shape, dtype: 'opaque' } as const;
const train = (relu: boolean): NDArray[] =>
  run('batchNormTrain', { epsilon, relu }, [x, scale, shift], shape, [2], [2], opaque);

describe.each([false, true])('batch norm, relu: %s', (relu) => {
  it('normalizes by the statistics of the batch', () => {
    const [y, mu, sigma2, mask] = train(relu);
    expectClose(y, naive(x.data, scale.data, shift.data, relu));
    expectClose(
      mu,
      [0, 1].map((c) => mean(channel(x.data, c))),
    );
    expectClose(
      sigma2,
      [0, 1].map((c) => variance(channel(x.data, c))),
    );
    if (relu) expect([...mask.data]).toEqual(naive(x.data, scale.data, shift.data, false).map((v) => Number(v > 0)));
  });

  it('normalizes by given statistics', () => {
    const [, mu, sigma2] = train(relu);
    const [y] = run('batchNorm', { epsilon, relu }, [x, mu, sigma2, scale, shift], shape);
    expectClose(y, naive(x.data, scale.data, shift.data, relu));
  });

  it('has the gradients of finite differences', () => {
    const [, mu, sigma2, mask] = train(relu);
    const inputs = [x, mu, sigma2, scale, shift, dy, mask];
    const [dx, dScale, dShift] = run('batchNormBackward', { epsilon, relu }, inputs, shape, [2], [2]);
    const loss = (values: ArrayLike<number>, s: ArrayLike<number>, t: ArrayLike<number>) =>
      naive(values, s, t, relu).reduce((total, v, i) => total + v * dy.data[i], 0);
    const gradient = (of: NDArray, f: (values: readonly number[]) => number) => numericGradient([...of.data], f, 1e-5);
    expectClose(
      dx,
      gradient(x, (v) => loss(v, scale.data, shift.data)),
      1e-5,
    );
    expectClose(
      dScale,
      gradient(scale, (v) => loss(x.data, v, shift.data)),
      1e-5,
    );
    expectClose(
      dShift,
      gradient(shift, (v) => loss(x.data, scale.data, v)),
      1e-5,
    );
  });
});

it('batch norm does not lose a small variance beside a large mean', () => {
  const values = array([1, 1, 1, 4], [4096, 4096.5, 4097, 4097.5]);
  const one = array([1], [1]);
  const [y, , sigma2] = run('batchNormTrain', { epsilon: 0 }, [values, one, array([1], [0])], values.shape, [1], [1], {
    shape: values.shape,
    dtype: 'opaque',
  });
  expectClose(sigma2, [0.3125]);
  expectClose(
    y,
    [-0.75, -0.25, 0.25, 0.75].map((v) => v / Math.sqrt(0.3125)),
  );
});
