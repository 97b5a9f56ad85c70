import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConvolutionName, Engine } from '../../../src/engine/engine.js';
import { PortableBackend } from '../../../src/engine/portable/backend.js';
import { PortableEngine } from '../../../src/engine/portable/engine.js';
import { Heap } from '../../../src/engine/portable/heap.js';
import { wasmTarget } from '../../../src/engine/portable/wasm/target.js';
import { openEngine } from '../../../src/engine/select.js';
import type { Padding } from '../../../src/graph/op.js';
import * as o from '../../../src/ops/index.js';
import { realizeAll } from '../../../src/tensor/evaluate.js';
import * as F from '../../../src/tensor/functional.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { contracted, expectAgreement, type Input, noise, tensorsOf } from '../../engines.js';
import { fuzzing } from '../../fuzzing.js';

const { chosen } = vi.hoisted(() => ({ chosen: { engine: null as Engine | null } }));

vi.mock('../../../src/engine/select.js', async (original) => {
  const select = await original<typeof import('../../../src/engine/select.js')>();
  return { ...select, currentEngine: () => chosen.engine ?? select.currentEngine() };
});

afterEach(() => {
  chosen.engine = null;
});

const heap = new Heap(true);
const found = wasmTarget(heap.limits);
if (found === null) throw new Error('this machine has no WebAssembly with vectors');
const machine = found;

function engineFor(fuses: boolean, threads: number, convolution: ConvolutionName = 'auto'): PortableEngine {
  const engine = new PortableEngine(new PortableBackend(heap, { ...machine, fuses: fuses && machine.fuses }), threads);
  engine.configure({ convolution });
  return engine;
}

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
async function evaluate(engine: Engine, c: Case) {
  chosen.engine = engine;
  const y = [c.images, c.out, c.height + c.padding[0] + c.padding[1] - 2, c.width + c.padding[2] + c.padding[3] - 2];
  const inputs: Input[] = [
    noise([c.images, c.channels, c.height, c.width], 1),
    noise([c.out, c.channels, 3, 3], 2, 0.2),
    noise(y, 3),
    ...(c.bias ? [noise([c.out], 4)] : []),
  ];
  const [x, weight, other, bias] = tensorsOf(inputs);
  const params = { stride: [1, 1], padding: c.padding, dilation: [1, 1], groups: 1 } as const;
  const plain = new Tensor(o.conv2d(params, x.value, weight.value, bias?.value ?? null));
  const result = c.tail === 'none' ? plain : F.relu(c.tail === 'sum' ? plain.add(other) : plain);
  contracted([result])?.backward();
  const gradients = [x, weight, bias].flatMap((tensor) =>
    tensor !== undefined && 'grad' in tensor && tensor.grad instanceof Tensor ? [tensor.grad] : [],
  );
  const all = [result, ...gradients];
  await realizeAll(all);
  return Promise.all(all.map((tensor) => tensor.data()));
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

describe.each([
  { fuses: true, threads: 1 },
  { fuses: true, threads: 3 },
  { fuses: false, threads: 2 },
])('convolutions of 3×3, fused $fuses, threads $threads', ({ fuses, threads }) => {
  const engine = engineFor(fuses, threads);
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

describe("Winograd's kernels", () => {
  it('compute in another way than direct ones', async () => {
    const [own, direct] = [
      await evaluate(engineFor(true, 1), large),
      await evaluate(engineFor(true, 1, 'direct'), large),
    ];
    for (const i of [0, 1, 2]) expect(own[i]).not.toEqual(direct[i]);
  });

  it('give the same bits on any number of threads, and in every run', async () => {
    const expected = await evaluate(engineFor(true, 1), large);
    for (const threads of [2, 3, 4, 2]) expect(await evaluate(engineFor(true, threads), large)).toEqual(expected);
  });
});
