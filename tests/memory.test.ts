import { afterEach, expect, test, vi } from 'vitest';
import { setThreads } from '../src/engine/select.js';
import { threadsAsked } from '../src/env.js';
import { InputError, MemoryError } from '../src/errors.js';
import { allocate } from '../src/graph/dtype.js';
import { requireRoom } from '../src/memory.js';
import { Linear } from '../src/nn/index.js';
import { summarize } from '../src/nn/summary.js';
import { largestBatchFor, requireMemoryFor } from '../src/train/batchMemory.js';
import { preprocessing } from '../src/vision/images/preprocess.js';
import { resnet18 } from '../src/vision/models/index.js';
import { CenterCrop, Pad, RandomResizedCrop, Resize } from '../src/vision/transforms/index.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

// None of these may come as far as an allocation: that would end the process, or keep it busy for minutes.
test('sizes beyond sense are refused with what they would need', () => {
  expect(() => allocate('float32', 2 ** 42)).toThrow(MemoryError);
  expect(() => allocate('float32', 2 ** 42)).toThrow(
    /^\[memory\] 4398046511104 elements of float32: .* got 16384 GiB;/,
  );
  expect(() => new Linear(512, 2_000_000_000)).toThrow(MemoryError);
  expect(() => resnet18({ numClasses: 2_000_000_000 })).toThrow(/got 3815 GiB/);
  expect(() => summarize(resnet18(), [1, 3, 100_000, 100_000])).toThrow(MemoryError);
});

test('a batch for which there is no memory is refused without kernels for it', () => {
  const plan = vi.fn((batch: number) => ({ working: batch * 2 ** 20, resident: 0, budget: 2 ** 34 }));
  expect(() => requireMemoryFor('bench', 1, [3, 60_000, 60_000], plan)).toThrow(
    /^\[bench\] image \[3,60000,60000\]: expected to need at most .*; choose a smaller size$/,
  );
  expect(plan).not.toHaveBeenCalled();
  expect(() => requireMemoryFor('bench', 1_000_000, [1, 28, 28], plan)).toThrow(
    /for 1,000,000 images .* the largest batch that fits is 15,\d{3}$/,
  );
  expect(Math.max(...plan.mock.calls.map(([batch]) => batch))).toBeLessThan(100);
});

test('the largest batch follows from two plans, and a third one confirms it', () => {
  const bytes = 2 ** 20;
  const planned = (need: (batch: number) => number, budget: number) =>
    vi.fn((batch: number) => ({ working: need(batch), resident: 10 * bytes, budget }));
  // The memory of the loader's batches is part of the need.
  const linear = planned((batch) => batch * bytes - 3 * batch * 4 * 1000, 110 * bytes);
  expect(largestBatchFor('predict', 400, [1000], linear)).toBe(100);
  expect(linear.mock.calls).toEqual([[400], [1], [100]]);
  // A kernel that takes more from 64 images on: the line is too low there.
  const stepped = planned((batch) => (batch < 64 ? 1 : 1.5) * batch * bytes - 3 * batch * 4 * 1000, 110 * bytes);
  const largest = largestBatchFor('predict', 400, [1000], stepped);
  expect(largest).toBeGreaterThan(60);
  expect(largest).toBeLessThanOrEqual(66);
  expect(stepped.mock.calls.length).toBeLessThan(6);
  expect(largestBatchFor('predict', 80, [1000], linear)).toBe(80);
  expect(() =>
    largestBatchFor(
      'predict',
      400,
      [1000],
      planned(() => 200 * bytes, 110 * bytes),
    ),
  ).toThrow(MemoryError);
});

test('the limit of the environment counts', () => {
  vi.stubEnv('FOVEA_MEMORY_LIMIT', '512M');
  expect(() => requireRoom(2 ** 29, () => 'x')).not.toThrow();
  expect(() => requireRoom(2 ** 29 + 1, () => 'x')).toThrow(
    '[memory] x: expected to need at most 512 MiB, got 513 MiB',
  );
  expect(allocate('uint8', 10)).toEqual(new Uint8Array(10));
});

test('pictures beyond sense are refused before they are made', () => {
  for (const size of [65_535, [20_000, 20_000]] as const) {
    for (const make of [Resize, CenterCrop, RandomResizedCrop]) {
      expect(() => new make(size as number)).toThrow(/at most 100 million pixels/);
    }
    expect(() => preprocessing({ size })).toThrow(/at most 100 million pixels/);
  }
  const raster = { data: new Uint8Array(3), height: 1, width: 1, channels: 3, layout: 'HWC' } as const;
  expect(() => new Pad(40_000).apply(raster)).toThrow(InputError);
});

test('a number of threads that ends the runtime is refused', () => {
  expect(() => setThreads(4000)).toThrow('[engine] threads: expected an integer from 1 to 1024, got 4000');
  vi.stubEnv('OMP_NUM_THREADS', '100000');
  expect(threadsAsked).toThrow('[env] OMP_NUM_THREADS: expected an integer from 1 to 1024');
});
