import { expect, it } from 'vitest';
import { setEngine } from '../../src/engine/select.js';
import * as F from '../../src/tensor/functional.js';
import { Parameter } from '../../src/tensor/state.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { engines } from '../engines.js';

/** Numbers of every magnitude, also below 1.2e-38, and more of them near 0 and 1. */
function grid(): Float32Array {
  const numbers: number[] = [0, 1];
  for (let exponent = -149; exponent < 128; exponent++) {
    for (let m = 1; m < 2; m += 0.04) numbers.push(m * 2 ** exponent);
  }
  for (let x = 0; x < 110; x += 0.03) numbers.push(x);
  for (let k = -500; k < 500; k++) numbers.push(1 + k * 2 ** -23, 1 + k * 1e-3);
  numbers.push(Number.POSITIVE_INFINITY, 3.4028234663852886e38, 1.1754943508222875e-38);
  return Float32Array.from([...numbers, ...numbers.map((x) => -x), Number.NaN]);
}

/** The distance to the next float32. */
const spacing = (x: number) => Math.max(2 ** (Math.floor(Math.log2(Math.abs(x))) - 23), 2 ** -149);

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Below this, results may be rounded to 0 or to one another. */
const least = 1e-37;

interface Case {
  readonly fn: (x: Tensor) => Tensor;
  readonly exact: (x: number) => number;
  readonly derivative: (x: number) => number;
  /** Spacings of float32 that a result may be off. */
  readonly within: number;
  /** Whether kernels without fused products may shift the argument by one spacing: they reduce it in float32. */
  readonly shifted?: boolean | undefined;
}

const cases: Readonly<Record<string, Case>> = {
  log: { fn: (x) => x.log(), exact: Math.log, derivative: (x) => 1 / x, within: 1 },
  exp: { fn: (x) => x.exp(), exact: Math.exp, derivative: Math.exp, within: 1 },
  sqrt: { fn: (x) => x.sqrt(), exact: Math.sqrt, derivative: (x) => 0.5 / Math.sqrt(x), within: 2 },
  square: { fn: (x) => x.square(), exact: (x) => x * x, derivative: (x) => 2 * x, within: 1 },
  abs: { fn: (x) => x.abs(), exact: Math.abs, derivative: () => Number.NaN, within: 0 },
  'division by x': {
    fn: (x) => Tensor.full([], 1).div(x),
    exact: (x) => 1 / x,
    derivative: () => Number.NaN,
    within: 1,
  },
  'division by a number': { fn: (x) => x.div(3), exact: (x) => x / 3, derivative: () => Number.NaN, within: 1 },
  'square by pow': { fn: (x) => x.pow(2), exact: (x) => x * x, derivative: () => Number.NaN, within: 1 },
  'cube by pow': { fn: (x) => x.pow(3), exact: (x) => x ** 3, derivative: () => Number.NaN, within: 2 },
  'root by pow': { fn: (x) => x.pow(0.5), exact: (x) => Math.sqrt(x), derivative: () => Number.NaN, within: 2 },
  // Their derivatives y·(1 − y) and 1 − y² are only as exact in float32 as y is.
  sigmoid: { fn: F.sigmoid, exact: sigmoid, derivative: () => Number.NaN, within: 4, shifted: true },
  tanh: { fn: F.tanh, exact: Math.tanh, derivative: () => Number.NaN, within: 3 },
};

/** NaN and infinite numbers have to be the same; where the exact value is none, nothing is expected. */
function expectClose(
  actual: ArrayLike<number>,
  x: Float32Array,
  exact: Case['exact'],
  { within, shifted = false }: Pick<Case, 'within' | 'shifted'>,
  what: string,
) {
  for (let i = 0; i < x.length; i++) {
    const wanted = exact(x[i]);
    const rounded = Math.fround(wanted);
    const shift = shifted && Number.isFinite(x[i]) ? Math.abs(exact(x[i] + spacing(x[i])) - wanted) : 0;
    const isNear = Number.isFinite(rounded)
      ? Math.abs(actual[i] - wanted) <= within * spacing(wanted) + shift + (within > 1 ? least : 0)
      : Object.is(actual[i], rounded);
    if (!isNear) expect.fail(`${what} of ${x[i]} is ${actual[i]}, expected ${rounded}`);
  }
}

it.each(engines.flatMap((engine) => Object.keys(cases).map((name) => [engine, name] as const)))(
  '%s: %s is right to a few float32 over its whole range',
  async (engine, name) => {
    setEngine(engine);
    const { fn, exact, derivative, within, shifted } = cases[name];
    const x = grid();
    const parameter = new Parameter(x.slice(), [x.length]);
    const y = fn(parameter);
    expectClose(await y.data(), x, exact, { within, shifted }, name);
    y.sum().backward();
    if (Number.isNaN(derivative(1))) return;
    expectClose(await (parameter.grad as Tensor).data(), x, derivative, { within }, `derivative of ${name}`);
    expect(await fn(Tensor.full([1], 1)).item()).toBe(Math.fround(exact(1)));
  },
);
