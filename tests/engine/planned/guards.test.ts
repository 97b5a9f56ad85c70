import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openOneDnn } from '../../../src/engine/onednn/engine.js';
import type { Span } from '../../../src/engine/planned/arenaPlan.js';
import { implementationOf } from '../../../src/engine/planned/steps.js';
import { currentEngine, setEngine } from '../../../src/engine/select.js';
import type { TypedArray } from '../../../src/graph/dtype.js';
import { compilationCount, realize } from '../../../src/runtime/realize.js';
import * as F from '../../../src/tensor/functional.js';
import { Parameter } from '../../../src/tensor/state.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { type Instruction, layers, RandomNetwork } from '../../compiler/networks.js';
import { contracted, noise } from '../../engines.js';

const { gaps } = vi.hoisted(() => ({ gaps: [] as { from: number; to: number }[] }));

/** A plan that shares no memory and leaves a gap behind each piece. */
vi.mock('../../../src/engine/planned/arenaPlan.js', () => ({
  alignment: 64,
  planArena(spans: readonly Span[]) {
    gaps.length = 0;
    let bytes = 0;
    const offsets = spans.map((span) => {
      const offset = bytes;
      const end = offset + Math.ceil(span.bytes / 4) * 4;
      bytes = Math.ceil((end + 512) / 64) * 64;
      gaps.push({ from: end / 4, to: bytes / 4 });
      return offset;
    });
    return { offsets, bytes };
  },
}));

/** About 12: neither a NaN, whose bits would survive arithmetic, nor anything that passes unnoticed in a sum. */
const pattern = 0x41424344;

beforeEach(() => setEngine('onednn'));
afterEach(() => {
  openOneDnn().observer = null;
  openOneDnn().convolution = 'auto';
});

/**
 * Realizes what `build` gives twice. Before the second run the arena is filled with a pattern: it must survive in every
 * gap after every step, and show in no result.
 */
function runGuarded(build: () => readonly Tensor[]): void {
  const results = (): TypedArray[] => {
    const tensors = build();
    realize(
      currentEngine(),
      tensors.map((t) => t.value),
    );
    return tensors.map((t) => t.value.current().read());
  };
  const engine = openOneDnn();
  gaps.length = 0;
  const first = results();
  const compiled = compilationCount();
  if (gaps.length === 0) return; // Nothing to compute.
  const { memory } = engine.arena;
  const words = new Uint32Array(memory.view(0, Math.floor(memory.bytes / 4) * 4));
  words.fill(pattern);
  engine.observer = (step) => {
    for (const { from, to } of gaps) {
      for (let i = from; i < to; i++) {
        if (words[i] !== pattern) {
          const name = `${step.name} (${implementationOf(step)})`;
          expect.fail(`${name} wrote ${i - from} elements behind a buffer`);
        }
      }
    }
  };
  let second: TypedArray[];
  try {
    second = results();
  } finally {
    // It must not look at the memory of the next network.
    engine.observer = null;
  }
  expect(compilationCount()).toBe(compiled);
  expect(second).toEqual(first);
}

const image = (shape: number[], seed: number): Tensor => Tensor.fromData(noise(shape, seed).data, shape);

describe('kernels stay inside their memory and read nothing that was not written', () => {
  it.each([1, 3, 5, 8, 12, 16, 17, 24, 33, 40, 72])('around convolutions to %i channels', (channels) => {
    for (const groups of [1, 3, channels]) {
      if (channels % groups !== 0) continue;
      const inputs = groups === 1 ? 5 : groups;
      runGuarded(() => {
        const x = image([2, inputs, 4, 3], 1);
        const weight = new Parameter(noise([channels, inputs / groups, 3, 3], 2).data as Float32Array, [
          channels,
          inputs / groups,
          3,
          3,
        ]);
        const y = F.conv2d(x, weight, null, { groups, padding: 1 });
        const branches = [
          F.relu(y.add(image([2, channels, 4, 3], 3))),
          F.sigmoid(y.mul(image([channels, 1, 1], 4))),
          F.tanh(y.sub(2)).exp(),
          F.maxPool2d(y, 3, { padding: 1 }),
          F.avgPool2d(F.leakyRelu(y), 2),
          F.softmax(y, 1),
          y.sum({ axis: [0, 2, 3] }),
          y.mean({ axis: 1 }),
        ];
        (contracted(branches) as Tensor).backward();
        return [...branches, weight.grad as Tensor];
      });
    }
  });

  it.each([16, 17, 40, 72])("around Winograd's convolutions of %i channels", (channels) => {
    openOneDnn().convolution = 'winograd';
    for (const [height, width] of [
      [4, 4],
      [9, 14],
    ]) {
      runGuarded(() => {
        const weights = [1, 2].map(
          (seed) =>
            new Parameter(noise([channels, channels, 3, 3], seed, 0.1).data as Float32Array, [
              channels,
              channels,
              3,
              3,
            ]),
        );
        const x = new Parameter(noise([2, channels, height, width], 3).data as Float32Array, [
          2,
          channels,
          height,
          width,
        ]);
        const y = F.relu(F.conv2d(x, weights[0], null, { padding: 1 }));
        const z = F.conv2d(y, weights[1], null).add(1);
        (contracted([z]) as Tensor).backward();
        return [z, ...[x, ...weights].map(({ grad }) => grad as Tensor)];
      });
    }
  });

  it('in random networks', () => {
    const list = fc.array(
      fc.record({
        layer: fc.constantFrom(...(Object.keys(layers) as Instruction['layer'][])),
        from: fc.oneof(fc.constant(0), fc.nat(9)),
        other: fc.nat(9),
        variant: fc.nat(1000),
      }),
      { minLength: 4, maxLength: 14 },
    );
    fc.assert(
      fc.property(list, fc.constantFrom(1, 3, 8, 17, 24), (instructions, channels) => {
        const shape = [2, channels, 7, 6];
        runGuarded(() => {
          const net = new RandomNetwork(new Parameter(noise(shape, 1).data as Float32Array, shape), instructions);
          net.build();
          const y = net.newest(0);
          contracted([y])?.backward();
          return [y, ...net.statistics, ...net.parameters.flatMap(({ grad }) => grad ?? [])];
        });
      }),
      { seed: 20260103, numRuns: 60 },
    );
  });
});
