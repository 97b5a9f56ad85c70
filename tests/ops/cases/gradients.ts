import type { Value } from '../../../src/graph/node.js';
import type { ArithmeticFn, Conv2dParams, Pool2dParams, ReduceFn, UnaryFn } from '../../../src/graph/op.js';
import { unaryFunctions } from '../../../src/graph/unaryFunctions.js';
import { apply } from '../../../src/ops/define.js';
import * as o from '../../../src/ops/index.js';
import { between, fixed, given, type Input, integers, noise, spread } from '../../engines.js';
import type { Case, CaseTable } from './common.js';

const unaryFns = Object.keys(unaryFunctions) as UnaryFn[];
const arithmetic: readonly ArithmeticFn[] = ['add', 'sub', 'mul', 'div', 'max', 'min'];
const reductions: readonly ReduceFn[] = ['sum', 'mean', 'max', 'min'];
const dense: Conv2dParams = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
const pools: readonly Pool2dParams[] = [
  { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] },
  { kernel: [3, 2], stride: [1, 2], padding: [1, 0, 0, 1] },
];

/** Both operands at once, so that no pair of elements ties. */
function apartPair(a: number[], b: number[]): Input[] {
  const count = (shape: number[]) => shape.reduce((x, y) => x * y, 1);
  const { data } = spread([count(a) + count(b)], 3, 0.13);
  return [given(data.slice(0, count(a)), a, true), given(data.slice(count(a)), b, true)];
}

/** Cases for finite differences, of every op with a gradient. Values keep away from kinks by more than the step. */
export const gradients: Partial<CaseTable> = {
  unary: unaryFns.map((fn) => ({
    name: fn,
    inputs: [fn === 'log' || fn === 'sqrt' ? between([2, 5], 0.5, 3) : spread([2, 5], 2, fn === 'relu6' ? 1.9 : 0.3)],
    build: (x) => o.unary(fn, x, fn === 'leakyRelu' ? 0.2 : 0),
  })),
  affine: [{ name: 'scale and shift', inputs: [noise([2, 3])], build: (x) => o.affine(x, -2.5, 1) }],
  binary: arithmetic.flatMap((fn) =>
    (
      [
        [
          [2, 3],
          [2, 3],
        ],
        [[2, 3], [3]],
        [
          [1, 3],
          [2, 1],
        ],
        [[], [2, 2]],
      ] as number[][][]
    ).map(([a, b]) => ({
      name: `${fn} of [${a}] and [${b}]`,
      inputs: fn === 'div' ? [noise(a, 1), between(b, 0.5, 2, 2)] : apartPair(a, b),
      build: (x: Value, y: Value) => o.binary(fn, x, y),
    })),
  ),
  select: [
    {
      name: 'by a mask',
      inputs: [integers([2, 4], 2, 1, 'uint8'), noise([2, 4], 2), noise([2, 4], 3)],
      build: o.select,
    },
  ],
  reshape: [{ name: '[2,6] to [3,4]', inputs: [noise([2, 6])], build: (x) => o.reshape(x, [3, 4]) }],
  transpose: [
    { name: '[2,3,4] by [2,0,1]', inputs: [noise([2, 3, 4])], build: (x) => o.transpose(x, [2, 0, 1]) },
    { name: '[3,2] by [1,0]', inputs: [noise([3, 2])], build: (x) => o.transpose(x, [1, 0]) },
  ],
  broadcastTo: [
    { name: '[3,1] to [2,3,4]', inputs: [noise([3, 1])], build: (x) => o.broadcastTo(x, [2, 3, 4]) },
    { name: '[] to [2,2]', inputs: [noise([])], build: (x) => o.broadcastTo(x, [2, 2]) },
    { name: '[1,1] to [1,3]', inputs: [noise([1, 1])], build: (x) => o.broadcastTo(x, [1, 3]) },
  ],
  concat: [0, 1].map((axis) => ({
    name: `along ${axis}`,
    inputs: [noise([2, 3], 1), noise(axis === 0 ? [1, 3] : [2, 1], 2), noise([2, 3], 3)],
    build: (...inputs) => o.concat(inputs, axis),
  })),
  slice: [{ name: 'a box', inputs: [noise([3, 4, 2])], build: (x) => o.slice(x, [1, 0, 1], [2, 3, 1]) }],
  pad: [{ name: 'unevenly', inputs: [noise([2, 3])], build: (x) => o.pad(x, [1, 0], [0, 2], 0.5) }],
  reduce: reductions.flatMap((fn) =>
    [[0], [1], [0, 2], [0, 1, 2]].flatMap((axes) =>
      [true, false].map((keepdim) => ({
        name: `${fn} over [${axes}]${keepdim ? ' kept' : ''}`,
        inputs: [spread([2, 3, 2], 4)],
        build: (x: Value) => apply('reduce', { fn, axes, keepdim }, [x]),
      })),
    ),
  ),
  conv2d: [
    {
      name: 'with bias',
      params: { ...dense, padding: [1, 0, 0, 1] },
      x: [2, 2, 4, 3],
      weight: [3, 2, 2, 3],
      bias: true,
    },
    { name: 'strided', params: { ...dense, stride: [2, 1] }, x: [1, 2, 5, 4], weight: [2, 2, 3, 2], bias: false },
    { name: 'dilated', params: { ...dense, dilation: [2, 1] }, x: [1, 2, 5, 4], weight: [2, 2, 2, 2], bias: true },
    { name: 'grouped', params: { ...dense, groups: 2 }, x: [1, 4, 3, 3], weight: [4, 2, 2, 2], bias: true },
    { name: 'depthwise', params: { ...dense, groups: 3 }, x: [1, 3, 3, 3], weight: [3, 1, 2, 2], bias: false },
  ].map(({ name, params, x, weight, bias }) => ({
    name,
    inputs: [noise(x, 1), noise(weight, 2), ...(bias ? [noise([weight[0]], 3)] : [])],
    build: (v: Value, w: Value, b?: Value) => o.conv2d(params as Conv2dParams, v, w, b ?? null),
  })),
  matmul: [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => ({
      name: `${transposeA ? 'Aᵀ' : 'A'}·${transposeB ? 'Bᵀ' : 'B'}`,
      inputs: [noise(transposeA ? [2, 3, 4] : [2, 4, 3], 1), noise(transposeB ? [2, 2, 3] : [2, 3, 2], 2)],
      build: (a: Value, b: Value) => o.multiplyMatrices({ transposeA, transposeB }, a, b),
    })),
  ),
  linear: [true, false].map((bias) => ({
    name: bias ? 'with bias' : 'without bias',
    inputs: [noise([3, 4], 1), noise([4, 2], 2), ...(bias ? [noise([2], 3)] : [])],
    build: (x, weight, b) => o.linear(x, weight, b ?? null),
  })),
  maxPool2d: pools.map((params) => ({
    name: `kernel ${params.kernel}`,
    inputs: [spread([1, 2, 4, 4], 5)],
    build: (x) => o.maxPool2d(params, x),
  })),
  avgPool2d: pools.flatMap((params) =>
    [true, false].map((countIncludePad) => ({
      name: `kernel ${params.kernel}, padding ${countIncludePad ? '' : 'not '}counted`,
      inputs: [noise([1, 2, 4, 4])],
      build: (x: Value) => o.avgPool2d({ ...params, countIncludePad }, x),
    })),
  ),
  adaptiveAvgPool2d: [
    { name: '[5,4] to [3,3]', inputs: [noise([1, 2, 5, 4])], build: (x) => o.adaptiveAvgPool2d([3, 3], x) },
  ],
  batchNorm: [
    {
      name: 'input, scale and shift',
      inputs: [noise([2, 3, 2, 2]), fixed(noise([3], 2)), fixed(between([3], 0.5, 2)), noise([3], 3), noise([3], 4)],
      build: (x, mean, variance, scale, shift) => o.batchNorm({ epsilon: 1e-3 }, x, mean, variance, scale, shift),
    },
  ],
  batchNormTrain: [
    {
      name: 'input, scale and shift',
      inputs: [noise([2, 3, 2, 2]), noise([3], 3), noise([3], 4)],
      // The statistics are for the running averages; nothing is differentiated through them.
      build: (x, scale, shift) => o.batchNormTrain({ epsilon: 1e-3 }, x, scale, shift)[0],
    },
  ],
  layerNorm: [0, 1, 2].map((axis) => ({
    name: `along ${axis}`,
    inputs: [noise([2, 3, 4], 1), noise([2 + axis], 2), noise([2 + axis], 3)],
    // Nothing is differentiated through the statistics.
    build: (x: Value, scale: Value, shift: Value) => o.layerNorm({ axis, epsilon: 1e-2 }, x, scale, shift)[0],
  })),
  scaleChannels: [
    {
      name: 'images and factors',
      inputs: [noise([2, 3, 2, 2]), noise([2, 3, 1, 1], 2)],
      build: (x, scale) => o.binary('mul', scale, x),
    },
  ],
  softmax: [true, false].flatMap((log) =>
    [0, 1, 2].map((axis) => ({
      name: `${log ? 'log ' : ''}along ${axis}`,
      inputs: [noise([2, 3, 2])],
      build: (x: Value) => o.softmax(x, axis, log),
    })),
  ),
  crossEntropy: [
    {
      name: 'with an ignored label',
      inputs: [noise([4, 3]), given(Int32Array.of(2, 1, 0, 1), [4])],
      build: (logits, labels) => o.crossEntropy(1, logits, labels),
    },
  ],
  bceWithLogits: [
    { name: 'soft targets', inputs: [noise([2, 4]), fixed(between([2, 4], 0, 1, 2))], build: o.bceWithLogits },
  ],
};

/** The same for functions that are made of several ops. */
export const composedGradients: Readonly<Record<string, readonly Case[]>> = {
  where: [
    {
      name: 'under broadcasting',
      inputs: [integers([3, 1], 2, 1, 'uint8'), noise([4], 2), noise([2, 3, 4], 3)],
      build: o.where,
    },
    {
      name: 'by a float32 condition',
      inputs: [integers([2, 3], 2, 1, 'uint8'), noise([2, 3], 2), noise([], 3)],
      build: (condition, x, y) => o.where(o.cast(condition, 'float32'), x, y),
    },
  ],
  'matmul of tensors': (
    [
      [
        [3, 4],
        [4, 2],
      ],
      [[4], [4]],
      [[2, 3, 4], [4]],
      [[3], [2, 3, 2]],
      [
        [2, 3, 2],
        [2, 2, 3],
      ],
      [
        [2, 1, 3, 2],
        [3, 2, 2],
      ],
    ] as number[][][]
  ).map(([x, y]) => ({
    name: `[${x}] by [${y}]`,
    inputs: [noise(x, 1), noise(y, 2)],
    build: (a: Value, b: Value) => o.matmul(a, b),
  })),
  clip: [
    { name: 'both ways', inputs: [spread([2, 5], 2, 0.3)], build: (x) => o.clip(x, -0.5, 0.4) },
    { name: 'above', inputs: [spread([2, 5], 2, 0.3)], build: (x) => o.clip(x, Number.NEGATIVE_INFINITY, 0.4) },
    { name: 'not at all', inputs: [noise([3])], build: (x) => o.affine(o.clip(x, -Infinity, Infinity), 2, 0) },
  ],
  pow: [
    ...[1, 2, 5].map((n) => ({
      name: `${n}`,
      inputs: [noise([2, 3])],
      build: (x: Value) => o.affine(o.power(x, n), 1, 0),
    })),
    ...[-1, -2, 0.5, 1.5, -0.3].map((n) => ({
      name: `${n} of positive numbers`,
      inputs: [between([2, 3], 0.5, 2)],
      build: (x: Value) => o.power(x, n),
    })),
    {
      name: 'a tensor',
      inputs: [between([2, 3], 0.5, 2), noise([3], 2)],
      build: o.powerOf,
    },
  ],
  stack: [0, 1, 2].map((axis) => ({
    name: `along ${axis}`,
    inputs: [noise([2, 3], 1), noise([2, 3], 2)],
    build: (...inputs: Value[]) => o.stack(inputs, axis),
  })),
};
