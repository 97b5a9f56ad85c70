import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/select.js';
import type { Padding } from '../../../src/graph/op.js';
import * as F from '../../../src/tensor/functional.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { type Build, expectAgreement, type Input, noise } from '../../engines.js';
import { fuzzing } from '../../fuzzing.js';
import { computedOn, engineWith, machines } from './support.js';

const { chosen } = vi.hoisted(() => ({ chosen: { engine: null as Engine | null } }));

vi.mock('../../../src/engine/select.js', async (original) => {
  const select = await original<typeof import('../../../src/engine/select.js')>();
  return { ...select, currentEngine: () => chosen.engine ?? select.currentEngine() };
});

afterEach(() => {
  chosen.engine = null;
});

const choose = (engine: Engine) => {
  chosen.engine = engine;
};

interface Case {
  readonly images: number;
  readonly channels: number;
  readonly out: number;
  readonly height: number;
  readonly width: number;
  readonly padding: Padding;
  readonly bias: boolean;
  readonly tail: 'none' | 'relu' | 'sum';
}

/** The result of a convolution of 3×3, and the gradients of image, weights and bias. */
function evaluate(engine: Engine, c: Case) {
  const y = [c.images, c.out, c.height + c.padding[0] + c.padding[1] - 2, c.width + c.padding[2] + c.padding[3] - 2];
  const inputs: Input[] = [
    noise([c.images, c.channels, c.height, c.width], 1),
    noise([c.out, c.channels, 3, 3], 2, 0.2),
    ...(c.bias ? [noise([c.out], 4)] : []),
  ];
  const build: Build = (x, weight, bias) => {
    const plain = F.conv2d(x, weight, bias ?? null, { padding: c.padding });
    const other = Tensor.fromData(noise(y, 3).data, y);
    return c.tail === 'none' ? plain : F.relu(c.tail === 'sum' ? plain.add(other) : plain);
  };
  return computedOn(engine, choose, { build, inputs });
}

const places = ['y', 'dx', 'dweight', 'dbias'];

async function check(engine: Engine, c: Case): Promise<void> {
  const expected = await evaluate(openEngine('reference'), c);
  const actual = await evaluate(engine, c);
  expect(actual).toHaveLength(expected.length);
  actual.forEach((data, i) => {
    expectAgreement(data, expected[i], places[i]);
  });
}

const pad = fc.nat(2);
const shapes: fc.Arbitrary<Case> = fc.record({
  images: fc.integer({ min: 1, max: 3 }),
  channels: fc.constantFrom(24, 32, 33, 50),
  out: fc.constantFrom(24, 32, 37, 48),
  height: fc.integer({ min: 4, max: 17 }),
  width: fc.integer({ min: 4, max: 17 }),
  padding: fc.oneof(fc.constant([1, 1, 1, 1] as const), fc.tuple(pad, pad, pad, pad)),
  bias: fc.boolean(),
  tail: fc.constantFrom('none', 'relu', 'sum'),
});

const large: Case = {
  images: 2,
  channels: 64,
  out: 64,
  height: 28,
  width: 24,
  padding: [1, 1, 1, 1],
  bias: true,
  tail: 'relu',
};

describe.each(machines)('convolutions of 3×3, fused $fuses, threads $threads', ({ fuses, threads }) => {
  const engine = engineWith({ fuses, threads });
  const { seed, numRuns, timeout } = fuzzing('winograd', 12, { share: 0.02 });

  it(
    'agree with the reference',
    async () => {
      await fc.assert(
        fc.asyncProperty(shapes, (c) => check(engine, c)),
        { seed: seed + threads, numRuns },
      );
    },
    timeout,
  );

  it('agree with the reference for many tiles', () => check(engine, large));
});

function directEngine() {
  const engine = engineWith({});
  engine.configure({ convolution: 'direct' });
  return engine;
}

describe("Winograd's kernels", () => {
  it('compute in another way than direct ones', async () => {
    const [own, direct] = [await evaluate(engineWith({}), large), await evaluate(directEngine(), large)];
    for (const i of [0, 1, 2]) expect(own[i]).not.toEqual(direct[i]);
  });

  it('give the same bits on any number of threads, and in every run', async () => {
    const expected = await evaluate(engineWith({}), large);
    for (const threads of [2, 3, 4, 2]) expect(await evaluate(engineWith({ threads }), large)).toEqual(expected);
  });
});
