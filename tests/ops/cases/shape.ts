import type { Value } from '../../../src/graph/node.js';
import type { ReduceFn } from '../../../src/graph/op.js';
import { apply } from '../../../src/ops/define.js';
import * as o from '../../../src/ops/index.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { between, fixed, given, integers, noise, spread } from '../../engines.js';
import { blocked, type CaseTable, oddChannels, pairs } from './common.js';

const reductions: readonly ReduceFn[] = ['sum', 'mean', 'max', 'min'];

export const shape = {
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
} satisfies Partial<CaseTable>;
