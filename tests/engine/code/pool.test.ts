import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GraphNode, GraphValue } from '../../../src/compiler/graph.js';
import { MaxPooling } from '../../../src/engine/onednn/code/pool.js';
import { MemoryDesc, NativeMemory } from '../../../src/engine/onednn/ffi.js';
import { runKernel } from '../../../src/engine/reference/engine.js';
import type { Pool2dParams } from '../../../src/graph/op.js';
import type { Shape } from '../../../src/graph/shape.js';
import * as F from '../../../src/tensor/functional.js';
import { type Build, checkOp, expectSame, kernelsOf, noise } from '../../engines.js';
import { codeRunsWith, describeWith, has } from '../../needs.js';
import { Features, type Layout, run, type Width, widths } from './features.js';

interface Case {
  readonly x: Shape;
  readonly y: Shape;
  readonly params: Pool2dParams;
  readonly layout: Layout;
  readonly width: Width;
  readonly threads: number;
}

const pair = (low: number, high: number) =>
  fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }));

const usable = widths.flatMap(([feature, width]) => (has(feature) ? [width] : []));

const cases = (): fc.Arbitrary<Case> =>
  fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      blocks: fc.integer({ min: 1, max: 6 }),
      size: pair(1, 19),
      kernel: pair(1, 4),
      stride: pair(1, 4),
      pads: fc.tuple(pair(0, 3), pair(0, 3)),
      layout: fc.constantFrom<Layout>('blocked', 'channelsLast'),
      width: fc.constantFrom(...usable),
      threads: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ batch, blocks, size, kernel, stride, pads, layout, width, threads }) => {
      const before = pads.map(([pad], i) => Math.min(pad, kernel[i] - 1));
      const after = pads.map(([, pad], i) => Math.min(pad, kernel[i] - 1));
      const outputs = size.map((n, i) => Math.floor((n + before[i] + after[i] - kernel[i]) / stride[i]) + 1);
      const params = { kernel, stride, padding: [before[0], after[0], before[1], after[1]] } as const;
      const channels = width[1] * blocks;
      return { x: [batch, channels, ...size], y: [batch, channels, ...outputs], params, layout, width, threads };
    })
    .filter(({ y }) => y.every((n) => n > 0));

function reference({ x, y, params }: Case, values: Float32Array, gradient: Float32Array) {
  const array = (shape: Shape, data: Float32Array | Int32Array, dtype: 'float32' | 'opaque' = 'float32') => ({
    shape,
    dtype,
    data,
  });
  const value = (shape: Shape, dtype: 'float32' | 'opaque' = 'float32') => new GraphValue(shape, dtype, null, 0);
  const specs = [value(y), value(y, 'opaque')];
  const size = y.reduce((product, n) => product * n, 1);
  const [pooled, argmax, dx] = [new Float32Array(size), new Int32Array(size), new Float32Array(values.length)];
  const forward = new GraphNode('maxPool2d', params, [value(x)], specs);
  runKernel(forward as GraphNode, [array(x, values)], [array(y, pooled), array(y, argmax, 'opaque')]);
  const backward = new GraphNode('maxPool2dBackward', { ...params, inputShape: x } as never, specs, [value(x)]);
  runKernel(backward as GraphNode, [array(y, gradient), array(y, argmax, 'opaque')], [array(x, dx)]);
  return { pooled, dx };
}

describeWith('avx2', 'max pooling in code of our own', () => {
  it('gives what the reference does, in every layout and type, with any window', () => {
    fc.assert(
      fc.property(cases(), fc.integer({ min: 0, max: 1000 }), (example, seed) => {
        const { x, y, params, layout, width, threads } = example;
        const features = (shape: Shape) => new Features(shape, layout, ...width);
        const [input, dx] = [features(x).fill(seed), features(x)];
        const [output, dy] = [features(y), features(y).fill(seed + 1)];
        const pooling = MaxPooling.of({ x: input.features, y: output.features, params }) as MaxPooling;
        const positions = { memory: new NativeMemory(pooling.positions.size) };
        run(pooling.forward(true), [output, input, positions], threads);
        run(pooling.backward(), [dx, dy, positions], threads);
        const expected = reference(example, input.read(), dy.read());
        expectSame(output.read(), expected.pooled);
        output.fill(seed + 2);
        run(pooling.forward(false), [output, input], threads);
        expectSame(output.read(), expected.pooled);
        // Sums of up to 16 eighths below 3: exact in bfloat16 too.
        expectSame(dx.read(), expected.dx);
        for (const { memory } of [input, dx, output, dy, positions]) memory.free();
      }),
      { numRuns: 75 * usable.length },
    );
  });

  it('is not there for other layouts, and for larger windows', () => {
    const params = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } as const;
    const plain = [MemoryDesc.plain([1, 16, 4, 4], 'float32'), MemoryDesc.plain([1, 16, 2, 2], 'float32')] as const;
    expect(MaxPooling.create(...plain, params)).toBeNull();
    const odd = [
      MemoryDesc.channelsLast([1, 20, 4, 4], 'float32'),
      MemoryDesc.channelsLast([1, 20, 2, 2], 'float32'),
    ] as const;
    expect(MaxPooling.create(...odd, params)).toBeNull();
    const wide = [
      MemoryDesc.channelsLast([1, 16, 5, 5], 'float32'),
      MemoryDesc.channelsLast([1, 16, 1, 1], 'float32'),
    ] as const;
    expect(MaxPooling.create(...wide, { ...params, kernel: [5, 5] })).toBeNull();
    expect(MaxPooling.create(...wide, { ...params, kernel: [4, 4] })).not.toBeNull();
  });
});

describe('max pooling behind a convolution', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  // Sizes differ, since programs are cached.
  it.each([
    ['1', 12],
    ['0', 13],
  ])('with FOVEA_CODE=%s agrees with the reference', async (allowed, size) => {
    vi.stubEnv('FOVEA_CODE', allowed);
    const build: Build = (x, weight) => F.maxPool2d(F.conv2d(x, weight, null), 3, { stride: 2, padding: 1 });
    const inputs = [noise([2, 16, size, size]), noise([32, 16, 3, 3], 2, 0.2)];
    const kernels = await kernelsOf('maxPool', () => checkOp(build, inputs));
    expect(kernels.length).toBeGreaterThan(0);
    const isOurs = codeRunsWith(allowed);
    expect(kernels.every((kernel) => kernel.includes(' code:') === isOurs)).toBe(true);
  });
});
