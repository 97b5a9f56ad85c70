import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import { LayerNorm } from '../../src/nn/index.js';
import { RandomGenerator } from '../../src/random.js';
import * as F from '../../src/tensor/functional.js';
import { Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines } from '../engines.js';

const shape = [3, 2, 5];
const epsilon = 1e-3;
const generator = new RandomGenerator(4);
const normal = (n: number) => generator.fillNormal(new Float32Array(n), 0.5, 2);
const [x, weight, bias, factors] = [normal(30), normal(10), normal(10), normal(30)];

/** The formula in double precision: the sum of all outputs, each with a factor. */
function sumOf(values: ArrayLike<number>, scale: ArrayLike<number>, shift: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < 3; row++) {
    const own = Array.from({ length: 10 }, (_, i) => values[row * 10 + i]);
    const mean = own.reduce((total, value) => total + value, 0) / 10;
    const variance = own.reduce((total, value) => total + (value - mean) ** 2, 0) / 10;
    own.forEach((value, i) => {
      sum += factors[row * 10 + i] * (((value - mean) / Math.sqrt(variance + epsilon)) * scale[i] + shift[i]);
    });
  }
  return sum;
}

/** Slopes of the formula by central differences. */
function slopes(at: Float32Array, sum: (values: Float64Array) => number): number[] {
  return Array.from(at, (_, i) => {
    const moved = (by: number) => {
      const values = Float64Array.from(at);
      values[i] += by;
      return sum(values);
    };
    return (moved(1e-5) - moved(-1e-5)) / 2e-5;
  });
}

describe.each(engines)('layer norm on %s', (engine) => {
  beforeAll(() => setEngine(engine));
  afterAll(() => setEngine('onednn'));

  test('has the values and the gradients of its formula', async () => {
    const parameters = [
      new Parameter(x.slice(), shape),
      new Parameter(weight.slice(), [2, 5]),
      new Parameter(bias.slice(), [2, 5]),
    ];
    const [input, scale, shift] = parameters;
    const sum = F.layerNorm(input, [2, 5], { weight: scale, bias: shift, epsilon })
      .mul(Tensor.fromData(factors, shape))
      .sum();
    sum.backward();
    expect(await sum.item()).toBeCloseTo(sumOf(x, weight, bias), 2);
    const expected = [
      slopes(x, (values) => sumOf(values, weight, bias)),
      slopes(weight, (values) => sumOf(x, values, bias)),
      slopes(bias, (values) => sumOf(x, weight, values)),
    ];
    for (const [i, { grad }] of parameters.entries()) {
      const found = await (grad as Tensor).data('float32');
      found.forEach((value, k) => {
        expect(value).toBeCloseTo(expected[i][k], 3);
      });
    }
  });
});

test('a layer normalizes to mean 0 and variance 1, and refuses other shapes', async () => {
  const layer = new LayerNorm(5);
  const y = await layer.forward(Tensor.fromData(x, shape)).data('float32');
  for (let row = 0; row < 6; row++) {
    const own = Array.from(y.subarray(row * 5, row * 5 + 5));
    expect(own.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 4);
    expect(own.reduce((sum, value) => sum + value * value, 0) / 5).toBeCloseTo(1, 2);
  }
  expect([...layer.namedParameters().keys()]).toEqual(['weight', 'bias']);
  expect(() => layer.forward(Tensor.zeros([2, 4]))).toThrow('expected a shape that ends with [5], got [2,4]');
  expect(() => F.layerNorm(Tensor.zeros([2, 4]), [4], { bias: Tensor.zeros([3]) })).toThrow(
    'bias: expected [4], got [3]',
  );
});

describe.each(engines)('attention on %s', (engine) => {
  beforeAll(() => setEngine(engine));
  afterAll(() => setEngine('onednn'));

  test('has the values of its formula, and gradients that fit finite differences', async () => {
    const [q, k, v] = [1, 2, 3].map((seed) =>
      new RandomGenerator(seed).fillNormal(new Float32Array(2 * 3 * 2 * 4), 0, 1),
    );
    const places = [2, 3, 2, 4];
    // [batch, place, head, number]
    const at = (b: number, t: number, h: number, i: number) => ((b * 3 + t) * 2 + h) * 4 + i;
    const formula = (query: ArrayLike<number>) => {
      const y = new Float64Array(48);
      for (const [b, h] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ]) {
        for (let t = 0; t < 3; t++) {
          const scores = [0, 1, 2].map((other) => {
            const products = [0, 1, 2, 3].map((i) => query[at(b, t, h, i)] * k[at(b, other, h, i)]);
            return Math.exp(products.reduce((sum, value) => sum + value, 0) / 2);
          });
          const total = scores.reduce((sum, value) => sum + value, 0);
          for (let i = 0; i < 4; i++) {
            y[at(b, t, h, i)] = scores.reduce((sum, score, other) => sum + (score / total) * v[at(b, other, h, i)], 0);
          }
        }
      }
      return y;
    };
    const query = new Parameter(q.slice(), places);
    const y = F.scaledDotProductAttention(query, Tensor.fromData(k, places), Tensor.fromData(v, places));
    y.mul(Tensor.fromData(factors.slice(0, 24), [1, 3, 2, 4]))
      .sum()
      .backward();
    const found = await y.data('float32');
    formula(q).forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 5);
    });
    const sum = (values: Float64Array) =>
      formula(values).reduce((total, value, i) => total + value * factors[i % 24], 0);
    const gradient = await (query.grad as Tensor).data('float32');
    slopes(q, sum).forEach((slope, i) => {
      expect(gradient[i]).toBeCloseTo(slope, 4);
    });
  });
});

test('attention refuses shapes that do not fit', () => {
  const q = Tensor.zeros([2, 3, 2, 4]);
  expect(() => F.scaledDotProductAttention(q, Tensor.zeros([2, 3, 1, 4]), q)).toThrow(
    'key: expected [2,3,2,4] (query [2,3,2,4])',
  );
  expect(() => F.scaledDotProductAttention(q, q, Tensor.zeros([2, 3]))).toThrow(
    'value: expected [batch, places, heads, size]',
  );
});
