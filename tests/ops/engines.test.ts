import { describe, expect, it } from 'vitest';
import type { Value } from '../../src/graph/node.js';
import type {
  ArithmeticFn,
  BinaryFn,
  ComparisonFn,
  Conv2dParams,
  OpName,
  OpParams,
  Pool2dParams,
  ReduceFn,
  UnaryFn,
} from '../../src/graph/op.js';
import type { Shape } from '../../src/graph/shape.js';
import { apply } from '../../src/ops/define.js';
import * as o from '../../src/ops/index.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { between, checkOp, fixed, given, type Input, integers, noise, spread } from '../engines.js';

interface Case {
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly build: (...inputs: Value[]) => Value | readonly Value[];
}

const unaryFns: readonly UnaryFn[] = [
  'relu',
  'leakyRelu',
  'sigmoid',
  'tanh',
  'exp',
  'log',
  'sqrt',
  'abs',
  'square',
] as const;
const arithmetic: readonly ArithmeticFn[] = ['add', 'sub', 'mul', 'div', 'max', 'min'];
const comparisons: readonly ComparisonFn[] = ['equal', 'notEqual', 'greater', 'greaterEqual', 'less', 'lessEqual'];
const reductions: readonly ReduceFn[] = ['sum', 'mean', 'max', 'min'];

/** Sizes below and above the bounds under which the engine prefers a TypeScript loop. */
const shapes: readonly Shape[] = [[], [1], [5], [3, 7], [2, 5, 13, 17]];

/** Channel counts that do not fill a block of 8 or 16. */
const oddChannels = [1, 3, 5, 17, 33];

/** A value in the layout that a convolution likes: blocked, with padded channels. */
function blocked(x: Value): Value {
  const channels = x.shape[1];
  const identity = new Float32Array(channels * channels);
  for (let i = 0; i < channels; i++) identity[i * channels + i] = 1;
  const weight = Tensor.fromData(identity, [channels, channels, 1, 1]).value;
  return o.conv2d({ stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 }, x, weight, null);
}

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

/** Operand shapes: equal, and broadcast in every way. */
const pairs: readonly (readonly [Shape, Shape])[] = [
  [[], []],
  [[4], []],
  [
    [2, 5, 6, 7],
    [2, 5, 6, 7],
  ],
  [[2, 5, 6, 7], []],
  [[], [2, 5, 6, 7]],
  [
    [2, 5, 6, 7],
    [1, 5, 1, 1],
  ],
  [
    [5, 1, 1],
    [2, 5, 6, 7],
  ],
  [[2, 5, 6, 7], [7]],
  [
    [2, 1, 6, 1],
    [1, 5, 1, 7],
  ],
  [
    [1, 1, 6, 7],
    [2, 5, 6, 7],
  ],
];

const forBinary = (fns: readonly BinaryFn[], make: (shape: Shape, seed: number) => Input): Case[] =>
  fns.flatMap((fn) =>
    pairs.map(([a, b]) => ({
      name: `${fn} of [${a}] and [${b}]`,
      inputs: [make(a, 1), make(b, 2)],
      build: (x: Value, y: Value) => o.binary(fn, x, y),
    })),
  );

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

/** Both as it is and as a convolution leaves it. */
const inBothLayouts = (x: Shape, name: string, build: (x: Value) => Value | readonly Value[]): Case[] => [
  { name, inputs: [spread(x, 5, 0.01)], build },
  { name: `blocked ${name}`, inputs: [spread(x, 5, 0.01)], build: (v) => build(blocked(v)) },
];

const forPools = (build: (params: Pool2dParams, x: Value) => Value): Case[] =>
  pools.flatMap(({ x, params }) => inBothLayouts(x, poolName({ x, params }), (v) => build(params, v)));

const cells: readonly { readonly x: Shape; readonly outputSize: [number, number] }[] = [
  { x: [2, 3, 7, 5], outputSize: [3, 2] },
  { x: [1, 17, 10, 8], outputSize: [7, 7] },
  { x: [1, 2, 5, 3], outputSize: [7, 7] },
];

const perChannel = (channels: number, seed: number, shift = 0): Input => noise([channels], seed, 0.3, shift);

const images: readonly Shape[] = [...oddChannels.map((channels) => [3, channels, 4, 5]), [1, 4, 3, 3], [5, 16, 1, 1]];

const norms = (build: (x: Value, channels: number, rest: Value[]) => Value | readonly Value[], inputs: Input[][]) =>
  images.flatMap((x, i): Case[] => [
    {
      name: `[${x}]`,
      inputs: [noise(x, 7, 2, 1), ...inputs[i]],
      build: (v, ...rest) => build(v, x[1], rest),
    },
    {
      name: `blocked [${x}]`,
      inputs: [noise(x, 7, 2, 1), ...inputs[i]],
      build: (v, ...rest) => build(blocked(v), x[1], rest),
    },
  ]);

const epsilon = 1e-5;
const scaleAndShift = images.map(([, channels]) => [perChannel(channels, 8, 1), perChannel(channels, 9)]);

function normBackward(x: Value, scale: Value, shift: Value, dy: Value): readonly Value[] {
  const [, mean, variance, mask] = o.batchNormTrain({ epsilon }, x, scale, shift);
  return o.batchNormBackward({ epsilon }, x, mean, variance, scale, shift, dy, mask);
}

const softmaxes = ([[], [1], [3, 10], [4, 100], [2, 5, 7, 9], [3, 17, 4, 4]] as readonly Shape[]).flatMap((x) =>
  x.flatMap((_, axis) => [false, true].map((log) => ({ x, axis, log }))),
);

const updates = (states: number, build: (parameter: Value, gradient: Value, states: Value[]) => readonly Value[]) =>
  ([[], [5], [17, 3, 3, 3], [64, 33]] as readonly Shape[]).map(
    (shape): Case => ({
      name: `[${shape}]`,
      inputs: [
        fixed(noise(shape, 1)),
        fixed(noise(shape, 2)),
        ...Array.from({ length: states }, (_, i) => fixed(between(shape, 0.1, 1, 3 + i))),
      ],
      build: (parameter, gradient, ...rest) => build(parameter, gradient, rest),
    }),
  );

const scalar = (value: number): Value => Tensor.fromData(Float32Array.of(value), []).value;

/** At least one case of every op: a new op without one fails the first test. */
const cases: { readonly [K in OpName]: readonly Case[] } = {
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
  unaryBackward: (['relu', 'leakyRelu', 'sigmoid', 'tanh'] as const).flatMap((fn) =>
    shapes.map((shape) => ({
      name: `${fn} of [${shape}]`,
      inputs: [fixed(noise(shape, 1)), fixed(between(shape, -0.9, 0.9, 2))],
      build: (dy: Value, y: Value) => o.unaryBackward({ fn, alpha: fn === 'leakyRelu' ? 0.2 : 0 }, dy, y),
    })),
  ),
  affine: shapes.flatMap((shape) => [
    { name: `[${shape}]`, inputs: [noise(shape)], build: (x: Value) => o.affine(x, -1.5, 0.25) },
    { name: `of int of [${shape}]`, inputs: [noise(shape)], build: (x: Value) => blocked4(o.affine(x, 2, 1)) },
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
  reshape: [
    { name: '[2,6] to [3,4]', inputs: [noise([2, 6])], build: (x) => o.reshape(x, [3, 4]) },
    { name: '[1] to []', inputs: [noise([1])], build: (x) => o.reshape(x, []) },
    { name: 'ints to 7 axes', inputs: [integers([4, 6], 9)], build: (x) => o.reshape(x, [2, 1, 2, 1, 3, 1, 2]) },
    ...oddChannels.map((channels) => ({
      name: `blocked [2,${channels},3,4] flattened`,
      inputs: [noise([2, channels, 3, 4])],
      build: (x: Value) => o.reshape(blocked(x), [2, channels * 12]),
    })),
  ],
  transpose: (
    [
      [],
      [0],
      [1, 0],
      [0, 2, 3, 1],
      [0, 3, 1, 2],
      [3, 2, 1, 0],
      [4, 1, 3, 0, 2],
      [5, 1, 3, 0, 2, 4],
    ] as readonly number[][]
  ).flatMap((permutation) => {
    const shape = [2, 5, 3, 4, 2, 3].slice(0, permutation.length);
    const build = (x: Value) => o.transpose(x, permutation);
    return [
      { name: `[${shape}] by [${permutation}]`, inputs: [noise(shape)], build },
      { name: `int [${shape}] by [${permutation}]`, inputs: [integers(shape, 50)], build },
      ...(shape.length === 4
        ? [
            {
              name: `blocked [${shape}] by [${permutation}]`,
              inputs: [noise(shape)],
              build: (x: Value) => build(blocked(x)),
            },
          ]
        : []),
    ];
  }),
  broadcastTo: pairs.flatMap(([a, b]) => {
    const shape = o.binary('add', Tensor.zeros(a).value, Tensor.zeros(b).value).shape;
    return [a, b]
      .filter((from) => from.join() !== shape.join())
      .flatMap((from) => [
        { name: `[${from}] to [${shape}]`, inputs: [noise(from)], build: (x: Value) => o.broadcastTo(x, shape) },
        {
          name: `int [${from}] to [${shape}]`,
          inputs: [integers(from, 9)],
          build: (x: Value) => o.broadcastTo(x, shape),
        },
      ]);
  }),
  concat: [
    ...[0, 1, 2, 3].map((axis) => ({
      name: `images along axis ${axis}`,
      inputs: [3, 5, 1].map((size, i) =>
        noise(
          [2, 3, 4, 5].map((n, d) => (d === axis ? size : n)),
          i,
        ),
      ),
      build: (...inputs: Value[]) => o.concat(inputs, axis),
    })),
    ...oddChannels.map((channels) => ({
      name: `blocked channels 16 and ${channels}`,
      inputs: [noise([2, 16, 3, 3], 1), noise([2, channels, 3, 3], 2)],
      build: (a: Value, b: Value) => blocked(o.concat([blocked(a), blocked(b)], 1)),
    })),
    {
      name: 'one blocked, one plain',
      inputs: [noise([1, 16, 3, 3], 1), noise([1, 16, 3, 3], 2)],
      build: (a, b) => o.concat([blocked(a), b], 1),
    },
    { name: 'the same value twice', inputs: [noise([3, 4])], build: (x) => o.concat([x, x], 0) },
    { name: 'ints', inputs: [integers([3], 9, 1), integers([2], 9, 2)], build: (a, b) => o.concat([a, b], 0) },
    {
      name: 'bytes',
      inputs: [integers([3, 2], 9, 1, 'uint8'), integers([3, 4], 9, 2, 'uint8')],
      build: (a, b) => o.concat([a, b], 1),
    },
  ],
  slice: [
    ...(
      [
        [[10], [3], [4]],
        [
          [4, 6],
          [1, 0],
          [2, 6],
        ],
        [
          [2, 17, 5, 5],
          [0, 3, 1, 2],
          [2, 9, 4, 1],
        ],
        [
          [2, 33, 5, 5],
          [1, 16, 0, 0],
          [1, 17, 5, 5],
        ],
        [
          [2, 32, 5, 5],
          [0, 16, 0, 0],
          [2, 16, 5, 5],
        ],
        [
          [2, 17, 5, 5],
          [0, 0, 0, 0],
          [2, 16, 5, 4],
        ],
      ] as const
    ).flatMap(([shape, starts, sizes]) => {
      const build = (x: Value) => o.slice(x, starts, sizes);
      const name = `[${shape}] from [${starts}] sizes [${sizes}]`;
      const plain = [
        { name, inputs: [noise(shape)], build },
        { name: `bytes ${name}`, inputs: [integers(shape, 256, 3, 'uint8')], build },
      ];
      return shape.length === 4
        ? [...plain, { name: `blocked ${name}`, inputs: [noise(shape)], build: (x: Value) => build(blocked(x)) }]
        : plain;
    }),
    {
      name: '7 axes',
      inputs: [noise([2, 1, 3, 1, 2, 1, 2])],
      build: (x) => o.slice(x, [1, 0, 1, 0, 0, 0, 1], [1, 1, 2, 1, 2, 1, 1]),
    },
  ],
  pad: [
    { name: '[3]', inputs: [noise([3])], build: (x) => o.pad(x, [2], [1], 1.5) },
    {
      name: 'blocked image',
      inputs: [noise([2, 5, 3, 3])],
      build: (x) => o.pad(blocked(x), [0, 1, 2, 0], [0, 0, 1, 3], 0),
    },
    { name: 'ints', inputs: [integers([2, 3], 9)], build: (x) => o.pad(x, [1, 0], [0, 1], -4) },
  ],
  reduce: reductions.flatMap((fn) => [
    ...(
      [
        [[], []],
        [[4], [0]],
        [
          [40, 50],
          [0, 1],
        ],
        [[40, 50], [0]],
        [[40, 50], [1]],
        [[1, 2000], [0]],
        [
          [2, 17, 9, 9],
          [0, 2, 3],
        ],
        [
          [2, 17, 9, 9],
          [2, 3],
        ],
        [
          [2, 3, 2, 3, 2, 4],
          [1, 4],
        ],
      ] as const
    ).flatMap(([shape, axes]) =>
      [false, true].map((keepdim) => ({
        name: `${fn} of [${shape}] over [${axes}]${keepdim ? ' kept' : ''}`,
        inputs: [noise(shape, 2, 1, 0.5)],
        build: (x: Value) => apply('reduce', { fn, axes, keepdim }, [x]),
      })),
    ),
    ...[[1], [0, 1, 2, 3], [1, 2, 3], [0, 2, 3]].map((axes) => ({
      name: `${fn} of padded channels over [${axes}], none near 0`,
      inputs: [between([4, 5, 9, 9], fn === 'max' ? -2 : 1, fn === 'max' ? -1 : 2)],
      build: (x: Value) => o.reduce(fn, blocked(x), axes),
    })),
  ]),
  argmax: [
    { name: 'last axis', inputs: [fixed(spread([4, 9]))], build: (x) => o.argmax(x, -1, false) },
    { name: 'axis 1 kept', inputs: [fixed(noise([2, 5, 3, 3]))], build: (x) => o.argmax(x, 1, true) },
    { name: 'ties', inputs: [given(Float32Array.of(1, 3, 3, 2, 2, 2), [2, 3])], build: (x) => o.argmax(x, 1, false) },
    { name: 'ints', inputs: [integers([4, 9], 5)], build: (x) => o.argmax(x, 0, false) },
    { name: 'blocked', inputs: [fixed(noise([2, 5, 3, 3]))], build: (x) => o.argmax(blocked(x), 1, false) },
  ],
  topk: [
    { name: '1 of 9', inputs: [fixed(noise([4, 9]))], build: (x) => o.topk(x, 1, 1) },
    { name: 'all of 9', inputs: [fixed(noise([4, 9]))], build: (x) => o.topk(x, 9, 1) },
    { name: 'axis 0', inputs: [fixed(noise([6, 3]))], build: (x) => o.topk(x, 2, 0) },
    { name: 'ties of ints', inputs: [integers([3, 12], 3)], build: (x) => o.topk(x, 5, 1) },
  ],
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
  batchNorm: norms(
    (x, _, [mean, variance, scale, shift]) => o.batchNorm({ epsilon }, x, mean, variance, scale, shift),
    images.map(([, channels], i) => [
      fixed(perChannel(channels, 5)),
      fixed(between([channels], 0.5, 2, 6)),
      ...scaleAndShift[i],
    ]),
  ),
  batchNormTrain: norms(
    (x, _, [scale, shift]) => o.batchNormTrain({ epsilon }, x, scale, shift).slice(0, 3),
    scaleAndShift,
  ),
  batchNormBackward: images.map((x) => ({
    name: `[${x}]`,
    inputs: [noise(x, 7, 2, 1), perChannel(x[1], 8, 1), perChannel(x[1], 9), noise(x, 10)].map(fixed),
    build: (v, scale, shift, dy) => normBackward(v, scale, shift, dy),
  })),
  runningAverage: [1, 5, 17].map((channels) => ({
    name: `${channels} channels`,
    inputs: [fixed(noise([channels], 1)), fixed(noise([channels], 2))],
    build: (running, batch) => o.runningAverage(0.9, running, batch),
  })),
  softmax: softmaxes.flatMap(({ x, axis, log }): Case[] => {
    const name = `${log ? 'log of ' : ''}[${x}] along ${axis}`;
    const build = (v: Value) => o.softmax(v, axis, log);
    return [
      { name, inputs: [noise(x, 1, 3)], build },
      ...(x.length === 4
        ? [{ name: `blocked ${name}`, inputs: [noise(x, 1, 3, -5)], build: (v: Value) => build(blocked(v)) }]
        : []),
    ];
  }),
  softmaxBackward: softmaxes.map(({ x, axis, log }) => ({
    name: `${log ? 'log of ' : ''}[${x}] along ${axis}`,
    inputs: [fixed(noise(x, 1)), fixed(noise(x, 2))],
    build: (dy, v) => o.softmaxBackward({ axis, log }, dy, o.softmax(v, axis, log)),
  })),
  crossEntropy: [
    [1, 2],
    [10, 10],
    [33, 100],
  ].map(([n, classes]) => ({
    name: `[${n},${classes}]`,
    inputs: [noise([n, classes], 1, 3), integers([n], classes, 2)],
    build: (logits, labels) => o.crossEntropy(1, logits, labels),
  })),
  crossEntropyBackward: [
    [1, 2],
    [10, 10],
    [33, 100],
  ].map(([n, classes]) => ({
    name: `[${n},${classes}]`,
    inputs: [fixed(noise([n, classes], 1, 3)), integers([n], classes, 2), fixed(noise([n], 3))],
    build: (logits, labels, dLoss) => o.crossEntropyBackward({ ignoreIndex: 1 }, logits, labels, dLoss),
  })),
  bceWithLogits: shapes.map((shape) => ({
    name: `[${shape}]`,
    inputs: [noise(shape, 1, 3), fixed(between(shape, 0, 1, 2))],
    build: o.bceWithLogits,
  })),
  bceWithLogitsBackward: shapes.map((shape) => ({
    name: `[${shape}]`,
    inputs: [fixed(noise(shape, 1, 3)), fixed(between(shape, 0, 1, 2)), fixed(noise(shape, 3))],
    build: o.bceWithLogitsBackward,
  })),
  dropoutMask: [true, false].map((upscale) => ({
    name: upscale ? 'upscaled' : 'of 0 and 1',
    inputs: [given(Int32Array.of(12345, -678))],
    build: (seed) => o.dropoutMask({ shape: [3, 5, 7], p: 0.3, upscale }, seed),
  })),
  sgdUpdate: [0, 0.01].flatMap((weightDecay) =>
    updates(0, (parameter, gradient) => o.sgdUpdate({ weightDecay }, parameter, gradient, scalar(0.1))),
  ),
  momentumUpdate: ([0, 0.01] as const).flatMap((weightDecay) =>
    [true, false].flatMap((nesterov) =>
      updates(1, (parameter, gradient, [velocity]) =>
        o.momentumUpdate({ momentum: 0.9, weightDecay, nesterov }, parameter, gradient, velocity, scalar(0.1)),
      ),
    ),
  ),
  adamUpdate: [0, 0.01].flatMap((weightDecay) =>
    updates(2, (parameter, gradient, [moment1, moment2]) => {
      const scalars = Tensor.fromData(Float32Array.of(0.001, 0.1, 0.001, 0.99)).value;
      const params: OpParams['adamUpdate'] = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay };
      return o.adamUpdate(params, parameter, gradient, moment1, moment2, scalars);
    }),
  ),
};

/** An image of one channel with the same elements, and back: whatever a layout does shows. */
function blocked4(x: Value): Value {
  return o.reshape(blocked(o.reshape(x, [1, 1, 1, x.shape.reduce((n, size) => n * size, 1)])), x.shape);
}

const names = Object.keys(o.ops) as OpName[];

it('every op has cases', () => {
  expect(Object.keys(cases).sort()).toEqual([...names].sort());
  for (const name of names) expect(cases[name].length, name).toBeGreaterThan(0);
});

/** Whether the graph behind the values holds the op. */
function uses(op: OpName, values: readonly Value[]): boolean {
  return values.some(({ node }) => node !== null && (node.op === op || uses(op, node.inputs)));
}

describe.each(names)('%s: reference = oneDNN', (op) => {
  it.each(cases[op].map(({ name, ...rest }) => [name, rest] as const))('%s', async (name, { build, inputs }) => {
    const tensors = (...args: Tensor[]): Tensor[] => {
      const built = build(...args.map((arg) => arg.value));
      const values = Array.isArray(built) ? (built as readonly Value[]) : [built as Value];
      expect(uses(op, values), `${op} in the graph`).toBe(true);
      return values.map((value) => new Tensor(value));
    };
    await checkOp(tensors, inputs, name);
  });
});
