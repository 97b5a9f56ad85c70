import type { Value } from '../../../src/graph/node.js';
import type { Shape } from '../../../src/graph/shape.js';
import { apply } from '../../../src/ops/define.js';
import * as o from '../../../src/ops/index.js';
import { between, fixed, type Input, noise } from '../../engines.js';
import { blocked, type Case, type CaseTable, oddChannels } from './common.js';

const perChannel = (channels: number, seed: number, shift = 0): Input => noise([channels], seed, 0.3, shift);

const images: readonly Shape[] = [
  ...oddChannels.map((channels) => [3, channels, 4, 5]),
  [1, 4, 3, 3],
  [5, 16, 1, 1],
  [2, 64, 3, 5],
];

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

/** Rows of several vectors, of a part of one, and more rows than a task has. */
const layers: readonly { readonly x: Shape; readonly axis: number; readonly blocks?: boolean }[] = [
  { x: [5], axis: 0 },
  { x: [3, 32], axis: 1 },
  { x: [2, 7, 64], axis: 2 },
  { x: [2, 7, 64], axis: 1 },
  { x: [2, 900, 48], axis: 2 },
  { x: [2, 33, 3, 5], axis: 1 },
  { x: [2, 64, 3, 5], axis: 1, blocks: true },
  { x: [3, 16, 1, 1], axis: 1 },
  { x: [2, 96, 23, 24], axis: 1, blocks: true },
];

const softmaxes = (
  [[], [1], [3, 10], [4, 100], [2, 5, 7, 9], [3, 17, 4, 4], [2, 3, 2, 3, 4, 4]] as readonly Shape[]
).flatMap((x) => x.flatMap((_, axis) => [false, true].map((log) => ({ x, axis, log }))));

export const norm = {
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
  layerNorm: layers.flatMap(({ x, axis, blocks = false }) =>
    (blocks ? [false, true] : [false]).map((isBlocked) => ({
      name: `${isBlocked ? 'blocked ' : ''}[${x}] along ${axis}`,
      inputs: [noise(x, 7, 2, 1), perChannel(x[axis], 8, 1), perChannel(x[axis], 9)],
      build: (v: Value, scale: Value, shift: Value) =>
        o.layerNorm({ axis, epsilon }, isBlocked ? blocked(v) : v, scale, shift),
    })),
  ),
  layerNormBackward: layers.flatMap(({ x, axis, blocks = false }) =>
    (blocks ? [false, true] : [false]).map((isBlocked) => ({
      name: `${isBlocked ? 'blocked ' : ''}[${x}] along ${axis}`,
      inputs: [noise(x, 7, 2, 1), perChannel(x[axis], 8, 1), perChannel(x[axis], 9), noise(x, 10)].map(fixed),
      build: (v: Value, scale: Value, shift: Value, dy: Value) => {
        const placed = isBlocked ? blocked(v) : v;
        const [, mean, inverse] = o.layerNorm({ axis, epsilon }, placed, scale, shift);
        return o.layerNormBackward({ axis, epsilon }, placed, mean, inverse, scale, dy);
      },
    })),
  ),
  scaleChannels: images.flatMap((x) =>
    [false, true].map((blocks) => ({
      name: `${blocks ? 'blocked ' : ''}[${x}]`,
      inputs: [noise(x, 7), noise([x[0], x[1], 1, 1], 8)],
      build: (v: Value, scale: Value) => apply('scaleChannels', {}, [blocks ? blocked(v) : v, scale])[0],
    })),
  ),
  scaleChannelsBackward: images.flatMap((x) =>
    [false, true].map((blocks) => ({
      name: `${blocks ? 'blocked ' : ''}[${x}]`,
      inputs: [noise(x, 7), noise([x[0], x[1], 1, 1], 8), noise(x, 9)].map(fixed),
      build: (v: Value, scale: Value, dy: Value) => o.scaleChannelsBackward(blocks ? blocked(v) : v, scale, dy),
    })),
  ),
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
} satisfies Partial<CaseTable>;
