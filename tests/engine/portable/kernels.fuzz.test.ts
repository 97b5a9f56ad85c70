import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/select.js';
import * as F from '../../../src/tensor/functional.js';
import { type Build, expectAgreement, type Input, noise } from '../../engines.js';
import { fuzzing } from '../../fuzzing.js';
import { computedOn, engineWith, machines } from './support.js';

const { chosen } = vi.hoisted(() => ({ chosen: { engine: null as Engine | null } }));

vi.mock('../../../src/engine/select.js', async (original) => {
  const select = await original<typeof import('../../../src/engine/select.js')>();
  return { ...select, currentEngine: () => chosen.engine ?? select.currentEngine() };
});

const choose = (engine: Engine) => {
  chosen.engine = engine;
};
afterEach(() => {
  chosen.engine = null;
});

interface Case {
  readonly name: string;
  readonly build: Build;
  readonly inputs: readonly Input[];
}

/** Numbers of channels with and without a rest, by vectors and by groups of them. */
const channels = fc.constantFrom(2, 4, 7, 16, 19, 33, 48);
const sizes = (most: number) => fc.integer({ min: 1, max: most });
const pair = (most: number) => fc.tuple(sizes(most), sizes(most));

/** A convolution of each channel by itself. */
const depthwise: fc.Arbitrary<Case> = fc
  .record({
    images: sizes(2),
    channels,
    input: fc.tuple(fc.integer({ min: 5, max: 19 }), fc.integer({ min: 5, max: 19 })),
    kernel: pair(5),
    stride: pair(3),
    dilation: fc.constantFrom([1, 1], [1, 1], [2, 1], [2, 2]),
    padding: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
    bias: fc.boolean(),
    relu: fc.boolean(),
  })
  .filter(({ input, kernel, dilation, padding }) =>
    [0, 1].every((i) => (kernel[i] - 1) * dilation[i] < input[i] + padding[2 * i] + padding[2 * i + 1]),
  )
  .map((c) => ({
    name: `depthwise ${JSON.stringify(c)}`,
    inputs: [
      noise([c.images, c.channels, ...c.input], 1),
      noise([c.channels, 1, ...c.kernel], 2),
      ...(c.bias ? [noise([c.channels], 3)] : []),
    ],
    build: (x, weight, bias) => {
      const options = { stride: c.stride, padding: c.padding, dilation: c.dilation, groups: c.channels };
      const y = F.conv2d(x, weight, bias ?? null, options as Parameters<typeof F.conv2d>[3]);
      return c.relu ? F.relu(y) : y;
    },
  }));

/** A convolution of 1×1 over so many pixels that the gradient of its weights is summed in several blocks. */
const products: fc.Arbitrary<Case> = fc
  .record({ images: sizes(3), input: pair(22), from: channels, out: channels, bias: fc.boolean() })
  .map((c) => ({
    name: `1×1 ${JSON.stringify(c)}`,
    inputs: [
      noise([c.images, c.from, ...c.input], 1),
      noise([c.out, c.from, 1, 1], 2),
      ...(c.bias ? [noise([c.out], 3)] : []),
    ],
    build: (x, weight, bias) => F.conv2d(x, weight, bias ?? null),
  }));

/** Convolutions of small images into many channels, which threads divide among them. */
const wide: fc.Arbitrary<Case> = fc
  .record({
    images: sizes(2),
    input: fc.tuple(fc.integer({ min: 4, max: 8 }), fc.integer({ min: 4, max: 8 })),
    from: fc.constantFrom(32, 39),
    out: fc.integer({ min: 60, max: 110 }),
    kernel: fc.constantFrom(1, 3),
    stride: fc.constantFrom(1, 2),
    padding: fc.constantFrom(0, 1),
    bias: fc.boolean(),
  })
  .map((c) => ({
    name: `wide ${JSON.stringify(c)}`,
    inputs: [
      noise([c.images, c.from, ...c.input], 1),
      noise([c.out, c.from, c.kernel, c.kernel], 2),
      ...(c.bias ? [noise([c.out], 3)] : []),
    ],
    build: (x, weight, bias) => F.relu(F.conv2d(x, weight, bias ?? null, { stride: c.stride, padding: c.padding })),
  }));

/** Linear layers of few and of many rows. */
const linear: fc.Arbitrary<Case> = fc
  .record({
    rows: fc.constantFrom(1, 3, 10, 33, 60),
    features: sizes(900),
    out: fc.oneof(sizes(40), fc.integer({ min: 500, max: 700 })),
    bias: fc.boolean(),
  })
  .map((c) => ({
    name: `linear ${JSON.stringify(c)}`,
    inputs: [noise([c.rows, c.features], 1), noise([c.features, c.out], 2), ...(c.bias ? [noise([c.out], 3)] : [])],
    build: (x, weight, bias) => F.linear(x, weight, bias ?? null),
  }));

/** Channels scaled one by one, and their means. */
const perChannel: fc.Arbitrary<Case> = fc.record({ images: sizes(3), channels, input: pair(14) }).map((c) => ({
  name: `channels ${JSON.stringify(c)}`,
  inputs: [noise([c.images, c.channels, ...c.input], 1), noise([c.images, c.channels, 1, 1], 2)],
  build: (x, scale) => {
    const y = x.mul(scale);
    return [y, F.adaptiveAvgPool2d(y, 1), F.avgPool2d(x, c.input)];
  },
}));

/** Windows that overlap, and that leave the image. */
const pools: fc.Arbitrary<Case> = fc
  .record({
    images: sizes(2),
    channels,
    input: fc.tuple(fc.integer({ min: 4, max: 13 }), fc.integer({ min: 4, max: 13 })),
    kernel: fc.tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 2, max: 4 })),
    stride: pair(3),
    exclusive: fc.boolean(),
  })
  .map((c) => ({
    name: `pools ${JSON.stringify(c)}`,
    inputs: [noise([c.images, c.channels, ...c.input], 1)],
    build: (x) => [
      F.maxPool2d(x, c.kernel, { stride: c.stride, padding: 1 }),
      F.avgPool2d(x, c.kernel, { stride: c.stride, padding: 1, exclusive: c.exclusive }),
    ],
  }));

const kinds = { depthwise, products, wide, linear, perChannel, pools };

/** Sums of some thousand products of size 1 that cancel. */
const close = { tolerance: 2e-5, floor: 1 };

describe.each(machines)('kernels, fused $fuses, threads $threads', ({ fuses, threads }) => {
  const engine = engineWith({ fuses, threads });

  it.each(Object.entries(kinds))(
    'agree with the reference: %s',
    async (kind, cases) => {
      const { seed, numRuns } = fuzzing(`kernels, ${kind}`, 6, { share: 0.1 });
      await fc.assert(
        fc.asyncProperty(cases, async (one) => {
          const expected = await computedOn(openEngine('reference'), choose, one);
          const actual = await computedOn(engine, choose, one);
          expect(actual).toHaveLength(expected.length);
          actual.forEach((data, i) => {
            expectAgreement(data, expected[i], `${one.name}, ${i}`, close);
          });
        }),
        { seed: seed + threads, numRuns },
      );
    },
    600_000,
  );
});
