import type { Value } from '../../../src/graph/node.js';
import type { OpName } from '../../../src/graph/op.js';
import type { Shape } from '../../../src/graph/shape.js';
import * as o from '../../../src/ops/index.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { type Input, spread } from '../../engines.js';

export interface Case {
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly build: (...inputs: Value[]) => Value | readonly Value[];
}

/** At least one case of every op. */
export type CaseTable = { readonly [K in OpName]: readonly Case[] };

/** Sizes below and above the bounds under which the engine prefers a TypeScript loop. */
export const shapes: readonly Shape[] = [[], [1], [5], [3, 7], [2, 5, 13, 17]];

/** Channel counts that do not fill a block of 8 or 16. */
export const oddChannels = [1, 3, 5, 17, 33];

/** A value in the layout that a convolution likes: blocked, with padded channels. */
export function blocked(x: Value): Value {
  const channels = x.shape[1];
  const identity = new Float32Array(channels * channels);
  for (let i = 0; i < channels; i++) identity[i * channels + i] = 1;
  const weight = Tensor.fromData(identity, [channels, channels, 1, 1]).value;
  return o.conv2d({ stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 }, x, weight, null);
}

/** An image of one channel with the same elements, and back: an error of a layout shows. */
export function throughBlocks(x: Value): Value {
  return o.reshape(blocked(o.reshape(x, [1, 1, 1, x.shape.reduce((n, size) => n * size, 1)])), x.shape);
}

/** Operand shapes: equal, and broadcast in every way. */
export const pairs: readonly (readonly [Shape, Shape])[] = [
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

/** Both as it is and as a convolution leaves it. */
export const inBothLayouts = (x: Shape, name: string, build: (x: Value) => Value | readonly Value[]): Case[] => [
  { name, inputs: [spread(x, 5, 0.01)], build },
  { name: `blocked ${name}`, inputs: [spread(x, 5, 0.01)], build: (v) => build(blocked(v)) },
];
