import type { Value } from '../../../src/graph/node.js';
import type { Conv2dParams, Pool2dParams } from '../../../src/graph/op.js';
import type { Shape } from '../../../src/graph/shape.js';
import { apply } from '../../../src/ops/define.js';
import * as o from '../../../src/ops/index.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { between, fixed, given, integers, noise, spread } from '../../engines.js';
import { blocked, type Case, type CaseTable, inBothLayouts, oddChannels } from './common.js';

interface Conv {
  readonly x: Shape;
  readonly weight: Shape;
  readonly bias: boolean;
  readonly params: Conv2dParams;
}

function conv(x: Shape, weight: Shape, rest: Partial<Conv2dParams> & { bias?: boolean } = {}): Conv {
  const { bias = true, ...params } = rest;
  return { x, weight, bias, params: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, ...params } };
}

const convolutions: readonly Conv[] = [
  ...oddChannels.flatMap((from) => [
    conv([2, from, 6, 5], [17, from, 3, 3], { padding: [1, 1, 1, 1] }),
    conv([1, 5, 4, 4], [from, 5, 1, 1], { bias: false }),
    conv([2, from, 7, 7], [from, 1, 3, 3], { groups: from, padding: [1, 1, 1, 1] }),
    conv([2, 2 * from, 5, 5], [6, from, 3, 3], { groups: 2, padding: [0, 1, 1, 0] }),
  ]),
  conv([2, 3, 9, 8], [8, 3, 3, 3], { stride: [2, 1], padding: [0, 2, 1, 0] }),
  conv([1, 3, 5, 5], [4, 3, 2, 2], { padding: [3, 0, 0, 4] }),
  conv([2, 4, 11, 9], [6, 4, 3, 2], { dilation: [2, 3], padding: [2, 1, 0, 2] }),
  conv([2, 16, 9, 9], [16, 1, 3, 3], { groups: 16, dilation: [2, 2], stride: [2, 2], padding: [2, 2, 2, 2] }),
  conv([1, 9, 6, 6], [12, 3, 3, 3], { groups: 3, stride: [2, 2], padding: [1, 0, 0, 1] }),
  conv([1, 5, 6, 6], [10, 1, 3, 3], { groups: 5, padding: [1, 1, 1, 1] }),
  conv([2, 32, 6, 6], [32, 16, 3, 3], { groups: 2, padding: [1, 1, 1, 1] }),
  ...[16, 40].flatMap((channels) => [
    conv([3, channels, 9, 11], [channels, 1, 5, 5], { groups: channels, padding: [2, 2, 2, 2], bias: false }),
    conv([2, channels, 3, 2], [channels, 1, 5, 5], { groups: channels, padding: [2, 2, 2, 2], bias: false }),
    conv([2, channels, 9, 12], [channels, 1, 5, 3], {
      ...{ groups: channels, stride: [2, 2], padding: [2, 1, 2, 0], bias: false },
    }),
    conv([2, channels, 8, 9], [channels, 1, 7, 7], { groups: channels, padding: [3, 3, 3, 3] }),
    conv([2, channels, 5, 4], [channels, 1, 5, 5], { groups: channels, stride: [3, 3], padding: [0, 6, 0, 6] }),
  ]),
  conv([1, 1, 28, 28], [6, 1, 5, 5]),
  conv([1, 3, 31, 31], [6, 3, 11, 11], { stride: [4, 4], padding: [5, 5, 5, 5] }),
  conv([1, 3, 7, 7], [4, 3, 7, 7]),
  conv([1, 7, 1, 1], [9, 7, 1, 1]),
];

const nameOf = ({ x, weight, bias, params: { stride, padding, dilation, groups } }: Conv) =>
  `[${x}] with [${weight}]${bias ? ' and bias' : ''}, stride ${stride}, padding ${padding}, dilation ${dilation}, groups ${groups}`;

const convOutput = ({ x, weight, params }: Conv): Shape =>
  o.conv2d(params, Tensor.zeros(x).value, Tensor.zeros(weight).value, null).shape;

const linears: readonly { readonly x: Shape; readonly out: number; readonly bias: boolean }[] = [
  { x: [4, 12], out: 10, bias: true },
  { x: [1, 33], out: 17, bias: true },
  { x: [3, 5], out: 1, bias: false },
  { x: [7, 1], out: 3, bias: true },
  { x: [10, 400], out: 120, bias: true },
  { x: [64, 64], out: 64, bias: false },
  { x: [150, 40], out: 33, bias: true },
  { x: [128, 17], out: 5, bias: false },
];

const matrices: readonly (readonly [batch: number, rows: number, inner: number, columns: number])[] = [
  [1, 1, 1, 1],
  [3, 5, 7, 2],
  [2, 17, 64, 17],
  [4, 33, 16, 40],
];

interface Pool {
  readonly x: Shape;
  readonly params: Pool2dParams;
}

const pool = (
  x: Shape,
  kernel: [number, number],
  stride = kernel,
  padding: Pool2dParams['padding'] = [0, 0, 0, 0],
) => ({
  x,
  params: { kernel, stride, padding },
});

const pools: readonly Pool[] = [
  ...oddChannels.map((channels) => pool([2, channels, 6, 7], [2, 2])),
  pool([2, 3, 7, 7], [3, 3], [2, 2], [1, 1, 1, 1]),
  pool([1, 5, 7, 6], [3, 3], [1, 1], [1, 1, 1, 1]),
  pool([1, 17, 5, 6], [3, 2], [1, 2], [2, 0, 0, 1]),
  pool([1, 2, 6, 6], [3, 3], [2, 2], [0, 1, 0, 1]),
  pool([2, 4, 7, 7], [7, 7]),
  pool([1, 3, 9, 4], [2, 3], [3, 1], [0, 0, 2, 2]),
  pool([1, 1, 20, 20], [17, 17], [1, 1], [8, 8, 8, 8]),
];

const poolName = ({ x, params: { kernel, stride, padding } }: Pool) =>
  `[${x}] kernel ${kernel}, stride ${stride}, padding ${padding}`;

const forPools = (build: (params: Pool2dParams, x: Value) => Value): Case[] =>
  pools.flatMap(({ x, params }) => inBothLayouts(x, poolName({ x, params }), (v) => build(params, v)));

const cells: readonly { readonly x: Shape; readonly outputSize: [number, number] }[] = [
  { x: [2, 3, 7, 5], outputSize: [3, 2] },
  { x: [1, 17, 10, 8], outputSize: [7, 7] },
  { x: [1, 2, 5, 3], outputSize: [7, 7] },
];

export const nn = {
  conv2d: convolutions.map((c) => ({
    name: nameOf(c),
    inputs: [noise(c.x, 1), noise(c.weight, 2, 0.5), ...(c.bias ? [noise([c.weight[0]], 3)] : [])],
    build: (x, weight, bias) => o.conv2d(c.params, x, weight, bias ?? null),
  })),
  conv2dBackwardData: convolutions.map((c) => ({
    name: nameOf(c),
    inputs: [fixed(noise(convOutput(c), 4)), fixed(noise(c.weight, 5))],
    build: (dy, weight) => o.conv2dBackwardData(c.params, c.x, dy, weight),
  })),
  conv2dBackwardWeights: convolutions.map((c) => ({
    name: nameOf(c),
    inputs: [fixed(noise(c.x, 6)), fixed(noise(convOutput(c), 7))],
    build: (x, dy) => o.conv2dBackwardWeights(c.params, c.weight, c.bias, x, dy),
  })),
  matmul: matrices.flatMap(([batch, rows, inner, columns]) =>
    [false, true].flatMap((transposeA) =>
      [false, true].map((transposeB) => ({
        name: `${batch} of [${rows},${inner}]·[${inner},${columns}]${transposeA ? ', A transposed' : ''}${transposeB ? ', B transposed' : ''}`,
        inputs: [
          noise(transposeA ? [batch, inner, rows] : [batch, rows, inner], 1),
          noise(transposeB ? [batch, columns, inner] : [batch, inner, columns], 2),
        ],
        build: (a: Value, b: Value) => o.multiplyMatrices({ transposeA, transposeB }, a, b),
      })),
    ),
  ),
  linear: linears.map(({ x, out, bias }) => ({
    name: `[${x}] to ${out}`,
    inputs: [noise(x, 1), noise([x[1], out], 2, 0.3), ...(bias ? [noise([out], 3)] : [])],
    build: (v, weight, b) => o.linear(v, weight, b ?? null),
  })),
  linearBackwardData: linears.map(({ x, out }) => ({
    name: `[${x}] to ${out}`,
    inputs: [fixed(noise([x[0], out], 1)), fixed(noise([x[1], out], 2))],
    build: o.linearBackwardData,
  })),
  linearBackwardWeights: linears.map(({ x, out, bias }) => ({
    name: `[${x}] to ${out}`,
    inputs: [fixed(noise(x, 1)), fixed(noise([x[0], out], 2))],
    build: (v, dy) => o.linearBackwardWeights(bias, v, dy),
  })),
  maxPool2d: [
    ...forPools(o.maxPool2d),
    {
      name: 'ties',
      inputs: [given(Float32Array.from(integers([1, 3, 6, 6], 2).data), [1, 3, 6, 6], true)],
      build: (x) => o.maxPool2d(pools[6].params, x),
    },
    {
      name: 'all negative, padded',
      inputs: [between([1, 5, 5, 5], -2, -1)],
      build: (x) => o.maxPool2d(pools[6].params, blocked(x)),
    },
  ],
  maxPool2dBackward: pools.map(({ x, params }) => ({
    name: poolName({ x, params }),
    inputs: [fixed(spread(x, 1)), fixed(noise(o.maxPool2d(params, Tensor.zeros(x).value).shape, 2))],
    build: (v, dy) => o.maxPool2dBackward(params, x, dy, apply('maxPool2d', params, [v])[1]),
  })),
  avgPool2d: [true, false].flatMap((countIncludePad) =>
    forPools((params, x) => o.avgPool2d({ ...params, countIncludePad }, x)),
  ),
  avgPool2dBackward: [true, false].flatMap((countIncludePad) =>
    pools.flatMap(({ x, params }) =>
      inBothLayouts(o.maxPool2d(params, Tensor.zeros(x).value).shape, poolName({ x, params }), (dy) =>
        o.avgPool2dBackward({ ...params, countIncludePad }, x, dy),
      ),
    ),
  ),
  adaptiveAvgPool2d: cells.flatMap(({ x, outputSize }) =>
    inBothLayouts(x, `[${x}] to ${outputSize}`, (v) => o.adaptiveAvgPool2d(outputSize, v)),
  ),
  adaptiveAvgPool2dBackward: cells.map(({ x, outputSize }) => ({
    name: `[${x}] to ${outputSize}`,
    inputs: [fixed(noise([x[0], x[1], ...outputSize]))],
    build: (dy) => o.adaptiveAvgPool2dBackward(outputSize, x, dy),
  })),
} satisfies Partial<CaseTable>;
