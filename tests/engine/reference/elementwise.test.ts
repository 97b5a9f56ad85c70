import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernels } from '../../../src/engine/reference/kernels.js';
import { InternalError } from '../../../src/errors.js';
import type { DType } from '../../../src/graph/dtype.js';
import type { Activation, BinaryFn, UnaryFn } from '../../../src/graph/op.js';
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
  tabulate,
} from './support.js';

/** The integral from 0 to x, by Simpson's rule. */
function integral(f: (t: number) => number, x: number): number {
  const [steps, weights] = [2000, [2, 4]];
  let sum = f(0) + f(x);
  for (let i = 1; i < steps; i++) sum += weights[i % 2] * f((x * i) / steps);
  return (sum * x) / steps / 3;
}

const functions: Record<UnaryFn, (x: number, alpha: number) => number> = {
  relu: (x) => Math.max(x, 0),
  relu6: (x) => (Math.abs(x) - Math.abs(x - 6) + 6) / 2,
  leakyRelu: (x, alpha) => Math.max(x, 0) + alpha * Math.min(x, 0),
  sigmoid: (x) => 0.5 + 0.5 * Math.tanh(x / 2),
  tanh: (x) => (Math.exp(2 * x) - 1) / (Math.exp(2 * x) + 1),
  hardswish: (x) => (x * (Math.abs(x + 3) - Math.abs(x - 3) + 6)) / 12,
  silu: (x) => x * (0.5 + 0.5 * Math.tanh(x / 2)),
  gelu: (x) => x * (0.5 + integral((t) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI), x)),
  exp: (x) => Math.E ** x,
  log: (x) => Math.log2(x) * Math.LN2,
  sqrt: (x) => x ** 0.5,
  abs: (x) => Math.max(x, -x),
  square: (x) => x ** 2,
};
const unaryNames = Object.keys(functions) as UnaryFn[];
const activation = (fn: UnaryFn): Activation => ({ fn, alpha: fn === 'leakyRelu' ? 0.25 : 0 });

describe('unary', () => {
  const values = [-3, -1, -0.5, 0, 0.25, 1, 7.5, Number.NaN];

  it.each(unaryNames)('%s, also in place', (fn) => {
    const x = array([2, 4], values);
    const expected = values.map((v) => functions[fn](v, 0.25));
    expectClose(run('unary', activation(fn), [x], [2, 4])[0], expected);
    kernels.unary(activation(fn), [x], [x]);
    expectClose(x, expected);
  });

  it('saturates instead of overflowing', () => {
    const x = array([4], [-200, 200, -Infinity, Infinity]);
    expectClose(run('unary', activation('sigmoid'), [x], [4])[0], [0, 1, 0, 1]);
    expectClose(run('unary', activation('tanh'), [x], [4])[0], [-1, 1, -1, 1]);
    expectClose(run('unary', activation('relu'), [x], [4])[0], [0, 200, 0, Infinity]);
  });

  it.each(['relu', 'relu6', 'leakyRelu', 'sigmoid', 'tanh'] as const)('gradient of %s from its output', (fn) => {
    const x = [-2, -0.7, -0.1, 0.3, 1.1, 6.5];
    const dy = noise([6], 3);
    const y = array(
      [6],
      x.map((v) => functions[fn](v, 0.25)),
    );
    const loss = (at: readonly number[]) => at.reduce((s, v, i) => s + dy.data[i] * functions[fn](v, 0.25), 0);
    expectClose(run('unaryBackward', activation(fn), [dy, y], [6])[0], numericGradient(x, loss));
  });

  it.each(['hardswish', 'silu', 'gelu'] as const)('gradient of %s from its input', (fn) => {
    const x = [-4, -2, -0.7, 0.3, 1.1, 6.5];
    const dy = noise([6], 3);
    const loss = (at: readonly number[]) => at.reduce((s, v, i) => s + dy.data[i] * functions[fn](v, 0), 0);
    expectClose(run('unaryBackward', activation(fn), [dy, array([6], x)], [6])[0], numericGradient(x, loss));
  });

  it('has no gradient from the output of other functions', () => {
    const x = noise([2], 1);
    expect(() => run('unaryBackward', activation('exp'), [x, x], [2])).toThrow(InternalError);
  });
});

const binaryFunctions: Record<BinaryFn, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: (a, b) => (a + b + Math.abs(a - b)) / 2,
  min: (a, b) => (a + b - Math.abs(a - b)) / 2,
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
  greater: (a, b) => Number(a > b),
  greaterEqual: (a, b) => Number(a >= b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
};
const binaryNames = Object.keys(binaryFunctions) as BinaryFn[];
const arithmetic: readonly BinaryFn[] = ['add', 'sub', 'mul', 'div', 'max', 'min'];

/** A shape and two operands' shapes that broadcast to it. */
const broadcasts = anyShape(0, 5, 3).chain((shape) => {
  const operand = fc
    .tuple(fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }), fc.nat(shape.length))
    .map(([ones, drop]) => shape.map((n, i) => (ones[i] ? 1 : n)).slice(drop));
  return fc.tuple(operand, operand);
});

describe('binary', () => {
  it.each(binaryNames)('%s under any broadcasting', (fn) => {
    forAll(
      fc.tuple(broadcasts, fc.constantFrom<DType>('float32', 'int32'), anySeed),
      ([[aShape, bShape], dtype, seed]) => {
        const rank = Math.max(aShape.length, bShape.length);
        const lead = (shape: readonly number[]) => [...new Array<number>(rank - shape.length).fill(1), ...shape];
        const [aSizes, bSizes] = [lead(aShape), lead(bShape)];
        const shape = aSizes.map((n, i) => Math.max(n, bSizes[i]));
        const a = noise(aShape, seed, dtype);
        const b = noise(bShape, seed + 1, dtype);
        const readA = reader({ ...a, shape: aSizes });
        const readB = reader({ ...b, shape: bSizes });
        const expected = tabulate(shape, (...index) =>
          binaryFunctions[fn](
            readA(...index.map((i, axis) => Math.min(i, aSizes[axis] - 1))),
            readB(...index.map((i, axis) => Math.min(i, bSizes[axis] - 1))),
          ),
        );
        const [y] = run('binary', { fn }, [a, b], { shape, dtype: arithmetic.includes(fn) ? dtype : 'uint8' });
        expectClose(y, dtype === 'int32' ? expected.map((v) => (Number.isFinite(v) ? Math.trunc(v) : 0)) : expected);
      },
      40,
    );
  });

  it('keeps NaN in max and min', () => {
    const [a, b] = [array([2], [Number.NaN, 1]), array([2], [1, Number.NaN])];
    for (const fn of ['max', 'min'] as const) {
      expectClose(run('binary', { fn }, [a, b], [2])[0], [Number.NaN, Number.NaN]);
    }
  });

  it('applies a fused activation', () => {
    const [a, b] = [noise([3, 4], 1), noise([4], 2)];
    const [plain] = run('binary', { fn: 'add' }, [a, b], [3, 4]);
    const [fused] = run('binary', { fn: 'add', activation: activation('relu') }, [a, b], [3, 4]);
    expect(fused.data).toEqual(run('unary', activation('relu'), [plain], [3, 4])[0].data);
    expect(fused.data).not.toEqual(plain.data);
  });

  it('works in place', () => {
    const [a, b] = [noise([3, 4], 1), noise([4], 2)];
    const [expected] = run('binary', { fn: 'sub' }, [a, b], [3, 4]);
    kernels.binary({ fn: 'sub' }, [a, b], [a]);
    expect(a.data).toEqual(expected.data);
  });
});

describe('the other elementwise ops', () => {
  it('constant fills', () => {
    expectClose(
      run('constant', { shape: [2, 2], dtype: 'int32', value: 3 }, [], { shape: [2, 2], dtype: 'int32' })[0],
      [3, 3, 3, 3],
    );
  });

  it('affine scales and shifts', () => {
    expectClose(run('affine', { scale: 2, shift: -1 }, [array([3], [0, 1.5, -4])], [3])[0], [-1, 2, -9]);
  });

  it('select takes the first where the condition is not 0', () => {
    const condition = array([4], [0, 1, 2, 0], 'uint8');
    const [y] = run('select', {}, [condition, array([4], [1, 2, 3, 4]), array([4], [-1, -2, -3, Number.NaN])], [4]);
    expectClose(y, [-1, 2, 3, Number.NaN]);
  });

  it.each<[DType, DType, number[], number[]]>([
    [
      'float32',
      'int32',
      [1.9, -1.9, 3e9, -3e9, Infinity, -Infinity, Number.NaN],
      [1, -1, 2147483647, -2147483648, 2147483647, -2147483648, 0],
    ],
    ['float32', 'uint8', [1.9, -0.9, -7, 254.99, 255.5, 300, Infinity, Number.NaN], [1, 0, 0, 254, 255, 255, 255, 0]],
    ['float32', 'float32', [1.5, Number.NaN], [1.5, Number.NaN]],
    ['int32', 'uint8', [-1, 255, 256, 1000], [0, 255, 255, 255]],
    ['int32', 'float32', [-5, 16777217], [-5, 16777216]],
    ['uint8', 'int32', [0, 255], [0, 255]],
  ])('cast from %s to %s', (from, to, values, expected) => {
    const shape = [values.length];
    expect([...run('cast', { dtype: to }, [array(shape, values, from)], { shape, dtype: to })[0].data]).toEqual(
      expected,
    );
  });

  it('runningAverage, in place', () => {
    const running = array([2], [1, -2]);
    kernels.runningAverage({ decay: 0.9 }, [running, array([2], [11, 8])], [running]);
    expectClose(running, [2, -1]);
  });
});
