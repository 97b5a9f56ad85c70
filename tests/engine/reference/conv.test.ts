import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../../src/engine/ndarray.js';
import type { Conv2dParams } from '../../../src/graph/op.js';
import {
  anySeed,
  array,
  dot,
  expectAdjoint,
  expectClose,
  forAll,
  noise,
  reader,
  run,
  sum,
  tabulate,
} from './support.js';

const size = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number) => fc.tuple(size(min, max), size(min, max));

interface Case {
  readonly params: Conv2dParams;
  readonly x: NDArray;
  readonly weight: NDArray;
  readonly bias: NDArray;
  readonly dy: NDArray;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    batch: size(1, 2),
    groups: size(1, 3),
    channels: pair(1, 3),
    image: pair(1, 7),
    kernel: pair(1, 3),
    stride: pair(1, 3),
    padding: fc.tuple(size(0, 3), size(0, 3), size(0, 3), size(0, 3)),
    dilation: pair(1, 2),
    seed: anySeed,
  })
  .map(({ batch, groups, channels, image, kernel, stride, padding, dilation, seed }) => {
    const out = (axis: 0 | 1) => {
      const padded = image[axis] + padding[2 * axis] + padding[2 * axis + 1];
      return Math.floor((padded - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis]) + 1;
    };
    return {
      params: { stride, padding, dilation, groups },
      x: noise([batch, groups * channels[0], ...image], seed),
      weight: noise([groups * channels[1], channels[0], ...kernel], seed + 1),
      bias: noise([groups * channels[1]], seed + 2),
      out: [batch, groups * channels[1], out(0), out(1)],
      seed,
    };
  })
  .filter(({ out }) => out[2] > 0 && out[3] > 0)
  .map(({ out, seed, ...rest }) => ({ ...rest, dy: noise(out, seed + 3) }));

function naive({ params, x, weight, bias, dy }: Case): number[] {
  const { stride, padding, dilation, groups } = params;
  const [outputs, inputs, kh, kw] = weight.shape;
  const [readX, readWeight] = [reader(x), reader(weight)];
  return tabulate(dy.shape, (n, o, i, j) => {
    const group = Math.floor(o / (outputs / groups));
    const tap = (c: number, a: number, b: number) =>
      readWeight(o, c, a, b) *
      readX(
        n,
        group * inputs + c,
        i * stride[0] - padding[0] + a * dilation[0],
        j * stride[1] - padding[2] + b * dilation[1],
      );
    return bias.data[o] + sum(inputs, (c) => sum(kh, (a) => sum(kw, (b) => tap(c, a, b))));
  });
}

describe('conv2d', () => {
  it('computes its formula', () => {
    forAll(cases, (c) => expectClose(run('conv2d', c.params, [c.x, c.weight, c.bias], c.dy.shape)[0], naive(c)), 150);
  });

  it('has both backward kernels as its adjoints', () => {
    forAll(
      cases,
      ({ params, x, weight, dy }) => {
        const [y] = run('conv2d', params, [x, weight], dy.shape);
        const [dx] = run('conv2dBackwardData', { ...params, inputShape: x.shape }, [dy, weight], x.shape);
        const backward = { ...params, weightShape: weight.shape, bias: false };
        const [dWeight] = run('conv2dBackwardWeights', backward, [x, dy], weight.shape);
        expectAdjoint(dot(y, dy), dot(x, dx));
        expectAdjoint(dot(y, dy), dot(weight, dWeight));
      },
      150,
    );
  });

  it('sums the gradient of the bias', () => {
    forAll(cases, ({ params, x, weight, bias, dy }) => {
      const backward = { ...params, weightShape: weight.shape, bias: true };
      const [dWeight, dBias] = run('conv2dBackwardWeights', backward, [x, dy], weight.shape, bias.shape);
      const [alone] = run('conv2dBackwardWeights', { ...backward, bias: false }, [x, dy], weight.shape);
      expect(dWeight.data).toEqual(alone.data);
      const read = reader(dy);
      const [batch, , height, width] = dy.shape;
      const over = (o: number) => sum(batch, (n) => sum(height, (i) => sum(width, (j) => read(n, o, i, j))));
      expectClose(dBias, tabulate(bias.shape, over));
    });
  });

  it('gives hand-computed values', () => {
    const x = array([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]);
    const weight = array([1, 1, 2, 2], [1, 10, 100, 1000]);
    const params = { stride: [1, 2], padding: [1, 0, 0, 1], dilation: [1, 1], groups: 1 } as const;
    const [y] = run('conv2d', params, [x, weight, array([1], [0.5])], [1, 1, 2, 2]);
    expectClose(y, [2100.5, 300.5, 5421.5, 603.5]);
  });

  it('applies a fused activation', () => {
    const params = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const;
    const inputs = [noise([2, 3, 5, 5], 1), noise([4, 3, 3, 3], 2), noise([4], 3)];
    const [plain] = run('conv2d', params, inputs, [2, 4, 3, 3]);
    const activation = { fn: 'sigmoid', alpha: 0 } as const;
    const [fused] = run('conv2d', { ...params, activation }, inputs, [2, 4, 3, 3]);
    expect(fused.data).toEqual(run('unary', activation, [plain], [2, 4, 3, 3])[0].data);
  });
});

describe('linear', () => {
  const shapes = fc.tuple(size(1, 5), size(1, 6), size(1, 6), anySeed);

  it('computes its formula', () => {
    forAll(shapes, ([n, i, o, seed]) => {
      const [x, weight, bias] = [noise([n, i], seed), noise([i, o], seed + 1), noise([o], seed + 2)];
      const [readX, readWeight] = [reader(x), reader(weight)];
      const product = (row: number, col: number) => sum(i, (k) => readX(row, k) * readWeight(k, col));
      expectClose(run('linear', {}, [x, weight], [n, o])[0], tabulate([n, o], product));
      const activation = { fn: 'relu', alpha: 0 } as const;
      const biased = (row: number, col: number) => Math.max(0, product(row, col) + bias.data[col]);
      expectClose(run('linear', { activation }, [x, weight, bias], [n, o])[0], tabulate([n, o], biased));
    });
  });

  it('has both backward kernels as its adjoints', () => {
    forAll(shapes, ([n, i, o, seed]) => {
      const [x, weight, dy] = [noise([n, i], seed), noise([i, o], seed + 1), noise([n, o], seed + 2)];
      const [y] = run('linear', {}, [x, weight], [n, o]);
      const [dx] = run('linearBackwardData', {}, [dy, weight], [n, i]);
      const [dWeight, dBias] = run('linearBackwardWeights', { bias: true }, [x, dy], [i, o], [o]);
      expectAdjoint(dot(y, dy), dot(x, dx));
      expectAdjoint(dot(y, dy), dot(weight, dWeight));
      const read = reader(dy);
      expectClose(
        dBias,
        tabulate([o], (col) => sum(n, (row) => read(row, col))),
      );
    });
  });
});
