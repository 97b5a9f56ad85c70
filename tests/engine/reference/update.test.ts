import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../../src/engine/ndarray.js';
import { kernels } from '../../../src/engine/reference/kernels.js';
import { array, expectClose, noise, run } from './support.js';

const shape = [2, 3];
const copy = (x: NDArray): NDArray => ({ ...x, data: x.data.slice() });
const [p, g] = [noise(shape, 1), noise(shape, 2)];
const rate = array([], [0.1]);

describe('updates', () => {
  it('sgd', () => {
    const [parameter, gradient] = [array([2], [1, -2]), array([2], [10, 20])];
    expectClose(run('sgdUpdate', { weightDecay: 0 }, [parameter, gradient, rate], [2])[0], [0, -4]);
    expectClose(run('sgdUpdate', { weightDecay: 0.5 }, [parameter, gradient, rate], [2])[0], [-0.05, -3.9]);
  });

  it('momentum', () => {
    const inputs = [array([1], [2]), array([1], [3]), array([1], [10]), rate];
    const params = { momentum: 0.5, weightDecay: 0, nesterov: false };
    const [plain, velocity] = run('momentumUpdate', params, inputs, [1], [1]);
    expectClose(velocity, [8]);
    expectClose(plain, [1.2]);
    expectClose(run('momentumUpdate', { ...params, nesterov: true }, inputs, [1], [1])[0], [2 - 0.1 * 7]);
    expectClose(run('momentumUpdate', { ...params, weightDecay: 0.25 }, inputs, [1], [1])[1], [8.5]);
  });

  it('adam over several steps, in the form of its paper', () => {
    const params = { beta1: 0.8, beta2: 0.9, epsilon: 1e-2, weightDecay: 0.3 };
    const decayFactor = 0.97;
    const [parameter, m, v] = [copy(p), array(shape, new Array(6).fill(0)), array(shape, new Array(6).fill(0))];
    const expected = Array.from(p.data, (value) => ({ value, m: 0, v: 0 }));
    for (let t = 1; t <= 4; t++) {
      const gradient = noise(shape, 10 + t);
      const [c1, c2] = [1 - params.beta1 ** t, 1 - params.beta2 ** t];
      const scalars = array([4], [0.1, c1, c2, decayFactor]);
      kernels.adamUpdate(params, [parameter, gradient, m, v, scalars], [parameter, m, v]);
      expected.forEach((state, i) => {
        const decayed = state.value * decayFactor;
        const d = gradient.data[i] + params.weightDecay * state.value;
        state.m = params.beta1 * state.m + (1 - params.beta1) * d;
        state.v = params.beta2 * state.v + (1 - params.beta2) * d ** 2;
        state.value = decayed - (0.1 * (state.m / c1)) / (Math.sqrt(state.v / c2) + params.epsilon);
      });
    }
    expectClose(
      parameter,
      expected.map((s) => s.value),
    );
    expectClose(
      m,
      expected.map((s) => s.m),
    );
    expectClose(
      v,
      expected.map((s) => s.v),
    );
  });

  it('give the same bits in place', () => {
    const momentum = { momentum: 0.9, weightDecay: 0.1, nesterov: true };
    const [parameter, velocity] = [copy(p), noise(shape, 3)];
    const apart = run('momentumUpdate', momentum, [p, g, velocity, rate], shape, shape);
    kernels.momentumUpdate(momentum, [parameter, g, velocity, rate], [parameter, velocity]);
    expect([parameter.data, velocity.data]).toEqual(apart.map(({ data }) => data));

    const sgd = { weightDecay: 0.1 };
    const other = copy(p);
    kernels.sgdUpdate(sgd, [other, g, rate], [other]);
    expect(other.data).toEqual(run('sgdUpdate', sgd, [p, g, rate], shape)[0].data);
  });
});

describe('dropoutMask', () => {
  const draw = (p: number, seed: readonly number[], n = 20_000, upscale = true) =>
    run('dropoutMask', { shape: [n], p, upscale }, [array([2], seed, 'int32')], [n])[0].data as Float32Array;

  it.each([0.1, 0.5, 0.8])('drops with probability %d', (probability) => {
    const mask = draw(probability, [12345, -67890]);
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / (1 - probability))]));
    const dropped = mask.reduce((count, v) => count + Number(v === 0), 0) / mask.length;
    // Five standard deviations.
    expect(Math.abs(dropped - probability)).toBeLessThan(
      5 * Math.sqrt((probability * (1 - probability)) / mask.length),
    );
  });

  it('keeps values as they are without upscale, and everything at p = 0', () => {
    expect(new Set(draw(0.5, [1, 2], 100, false))).toEqual(new Set([0, 1]));
    expect(new Set(draw(0, [1, 2], 100))).toEqual(new Set([1]));
  });

  it('depends on the seed alone: on both of its words', () => {
    expect(draw(0.5, [1, 2])).toEqual(draw(0.5, [1, 2]));
    expect(draw(0.5, [1, 2], 100)).toEqual(draw(0.5, [1, 2], 200).subarray(0, 100));
    for (const seed of [
      [1, 3],
      [2, 2],
      [-1, 2],
      [1, -2],
    ]) {
      const [a, b] = [draw(0.5, [1, 2]), draw(0.5, seed)];
      const agree = a.reduce((count, v, i) => count + Number(v === b[i]), 0) / a.length;
      expect(Math.abs(agree - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / a.length));
    }
  });
});
