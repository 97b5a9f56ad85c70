import type { Value } from '../../../src/graph/node.js';
import type { ArithmeticFn, BinaryFn, ComparisonFn, UnaryFn } from '../../../src/graph/op.js';
import type { Shape } from '../../../src/graph/shape.js';
import { hasBackward, unaryFunctions } from '../../../src/graph/unaryFunctions.js';
import { apply } from '../../../src/ops/define.js';
import * as o from '../../../src/ops/index.js';
import { between, fixed, given, type Input, integers, noise, spread } from '../../engines.js';
import { blocked, type Case, type CaseTable, pairs, shapes, throughBlocks } from './common.js';

const unaryFns = Object.keys(unaryFunctions) as UnaryFn[];

const arithmetic: readonly ArithmeticFn[] = ['add', 'sub', 'mul', 'div', 'max', 'min'];

const comparisons: readonly ComparisonFn[] = ['equal', 'notEqual', 'greater', 'greaterEqual', 'less', 'lessEqual'];

const forUnary = (x: (fn: UnaryFn, shape: Shape) => Input): Case[] =>
  unaryFns.flatMap((fn) =>
    shapes.map((shape) => ({
      name: `${fn} of [${shape}]`,
      inputs: [x(fn, shape)],
      build: (v: Value) => o.unary(fn, v, fn === 'leakyRelu' ? 0.2 : 0),
    })),
  );

const domain = (fn: UnaryFn, shape: Shape): Input =>
  fn === 'log' || fn === 'sqrt' ? between(shape, 0.5, 3) : spread(shape, 3, shape.length > 2 ? 0.01 : 0.2);

const forBinary = (fns: readonly BinaryFn[], make: (shape: Shape, seed: number) => Input): Case[] =>
  fns.flatMap((fn) =>
    pairs.map(([a, b]) => ({
      name: `${fn} of [${a}] and [${b}]`,
      inputs: [make(a, 1), make(b, 2)],
      build: (x: Value, y: Value) => apply('binary', { fn }, [x, y])[0],
    })),
  );

/** An output of the function, or an input if its gradient is computed from that. */
const operandOf = (fn: UnaryFn, shape: Shape): Input => {
  if (fn === 'relu6') return clipped(shape);
  return unaryFunctions[fn].gradFrom === 'input' ? spread(shape, 2, 0.17) : between(shape, -0.9, 0.9, 2);
};

/** Outputs of relu6, a third of them at either end. */
const clipped = (shape: Shape): Input => {
  const { data } = between(shape, -6, 12, 2);
  return given(
    data.map((x) => Math.min(Math.max(x, 0), 6)),
    shape,
  );
};

export const elementwise = {
  constant: shapes.flatMap((shape) =>
    (['float32', 'int32', 'uint8'] as const).map((dtype) => ({
      name: `${dtype} [${shape}]`,
      inputs: [],
      build: () => o.constant(shape, dtype, 3),
    })),
  ),
  unary: [
    ...forUnary(domain),
    ...unaryFns
      .filter((fn) => fn !== 'log')
      .map((fn) => ({
        name: `${fn} of padded channels, read by a convolution`,
        inputs: [between([2, 5, 6, 6], 0.5, 3)],
        build: (x: Value) => blocked(o.unary(fn, blocked(x))),
      })),
  ],
  unaryBackward: unaryFns.filter(hasBackward).flatMap((fn) =>
    shapes.map((shape) => ({
      name: `${fn} of [${shape}]`,
      inputs: [fixed(noise(shape, 1)), fixed(operandOf(fn, shape))],
      build: (dy: Value, y: Value) => o.unaryBackward({ fn, alpha: fn === 'leakyRelu' ? 0.2 : 0 }, dy, y),
    })),
  ),
  affine: shapes.flatMap((shape) => [
    { name: `[${shape}]`, inputs: [noise(shape)], build: (x: Value) => o.affine(x, -1.5, 0.25) },
    { name: `of int of [${shape}]`, inputs: [noise(shape)], build: (x: Value) => throughBlocks(o.affine(x, 2, 1)) },
  ]),
  binary: [
    ...forBinary(arithmetic, (shape, seed) => spread(shape, seed, 0.07)),
    ...forBinary(['add', 'mul', 'max', 'sub', 'div', 'equal'], (shape, seed) => ({
      ...integers(shape, 20, seed),
      data: integers(shape, 20, seed).data.map((n) => n + 1),
    })),
    ...forBinary(comparisons, (shape, seed) => {
      const { data } = integers(shape, 3, seed);
      return given(Float32Array.from(data), shape);
    }),
    ...arithmetic.map((fn) => ({
      name: `${fn} of padded channels, read by a convolution`,
      inputs: [noise([2, 5, 4, 4], 1), between([2, 5, 4, 4], 0.5, 2)],
      build: (x: Value, y: Value) => blocked(o.binary(fn, blocked(x), y)),
    })),
  ],
  select: shapes.map((shape) => ({
    name: `[${shape}]`,
    inputs: [integers(shape, 2, 1, 'uint8'), noise(shape, 2), noise(shape, 3)],
    build: o.select,
  })),
  cast: [
    {
      name: 'float to int',
      inputs: [given(Float32Array.of(0.9, -0.9, 1.5, 2 ** 31, -(2 ** 31), 1e20, -1e20, Number.NaN))],
      build: (x) => o.cast(x, 'int32'),
    },
    {
      name: 'float to byte',
      inputs: [given(Float32Array.of(0.9, -0.9, 255, 255.5, 256, -1, 1e20, Number.NaN))],
      build: (x) => o.cast(x, 'uint8'),
    },
    {
      name: 'int to float',
      inputs: [given(Int32Array.of(0, -7, 16_777_217, -(2 ** 31)))],
      build: (x) => o.cast(x, 'float32'),
    },
    { name: 'int to byte', inputs: [given(Int32Array.of(0, -7, 255, 256))], build: (x) => o.cast(x, 'uint8') },
    { name: 'byte to float', inputs: [integers([3, 50], 256, 1, 'uint8')], build: (x) => o.cast(x, 'float32') },
  ],
} satisfies Partial<CaseTable>;
