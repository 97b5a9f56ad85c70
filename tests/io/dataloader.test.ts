import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { InputError, ShapeError } from '../../src/errors.js';
import { DataLoader, type DataLoaderOptions, type TensorBatch } from '../../src/io/data/dataloader.js';
import type { Batch, Dataset, Sample } from '../../src/io/data/dataset.js';
import { RandomGenerator, seed } from '../../src/random.js';
import type { Tensor } from '../../src/tensor/tensor.js';

/** Sample i is a 1 x 1 x 2 image of i and −i with label i. */
const sampleOf = (i: number): Sample => ({ image: Float32Array.of(i, -i), shape: [1, 1, 2], label: i });

const inMemory = (length: number): Dataset => ({ length, get: sampleOf });

const whole = (length: number): Dataset => ({
  length,
  get: () => expect.unreachable('get() while there is readBatch()'),
  readBatch: (indices): Batch => ({
    images: Float32Array.from(indices, (i) => i),
    shape: [indices.length, 1, 1, 1],
    labels: Int32Array.from(indices),
  }),
});

/** Takes a while for each sample; counts the samples under way. */
function decoding(length: number, milliseconds = (i: number) => (length - i) % 4) {
  const counts = { started: 0, running: 0 };
  const dataset: Dataset = {
    length,
    async get(i) {
      counts.started++;
      counts.running++;
      await sleep(milliseconds(i));
      counts.running--;
      return sampleOf(i);
    },
  };
  return { dataset, counts };
}

const labelsOf = async ([, labels]: TensorBatch) => Array.from(await labels.data());

async function epochOf(batches: AsyncIterable<TensorBatch>): Promise<number[][]> {
  const out: number[][] = [];
  for await (const batch of batches) out.push(await labelsOf(batch));
  return out;
}

describe('batches', () => {
  it.each([
    ['from samples', () => inMemory(7)],
    ['from whole batches', () => whole(7)],
    ['from promises', () => decoding(7).dataset],
  ])('%s come in the order of the data set, the last one partial', async (_, dataset) => {
    const loader = new DataLoader(dataset(), { batchSize: 3 });
    expect(loader.length).toBe(3);
    const expected = [[0, 1, 2], [3, 4, 5], [6]];
    expect(await epochOf(loader)).toEqual(expected);
    expect(await epochOf(loader)).toEqual(expected);
  });

  it('hold the images and labels of their samples', async () => {
    for (const dataset of [inMemory(5), decoding(5).dataset]) {
      for await (const [images, labels] of new DataLoader(dataset, { batchSize: 3, shuffle: true })) {
        const classes = await labels.data();
        expect(images.shape).toEqual([classes.length, 1, 1, 2]);
        expect([images.dtype, labels.dtype, labels.shape]).toEqual(['float32', 'int32', [classes.length]]);
        expect(await images.data()).toEqual(Float32Array.from([...classes].flatMap((i) => [i, -i])));
      }
    }
  });

  it('are one sample each by default', async () => {
    expect(await epochOf(new DataLoader(inMemory(2)))).toEqual([[0], [1]]);
  });

  it('can leave out the partial one', async () => {
    const loader = new DataLoader(inMemory(7), { batchSize: 3, dropLast: true });
    expect(loader.length).toBe(2);
    expect(await epochOf(loader)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  it('come without promises where the data set needs none', async () => {
    const seen: number[] = [];
    for (const [, labels] of new DataLoader(whole(5), { batchSize: 2 })) seen.push(...(await labels.data()));
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    const loader = new DataLoader(decoding(5).dataset);
    expect(() => [...loader]).toThrow(/expected samples at once, got promises; write `for await/);
  });

  it('cover every sample once, for all sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        fc.boolean(),
        fc.nat({ max: 4 }),
        fc.boolean(),
        async (length, batchSize, shuffle, dropLast, prefetch, promises) => {
          fc.pre(!dropLast || length >= batchSize);
          const dataset: Dataset = promises ? { length, get: async (i) => sampleOf(i) } : inMemory(length);
          const loader = new DataLoader(dataset, { batchSize, shuffle, dropLast, prefetch });
          const batches = await epochOf(loader);
          expect(batches.length).toBe(loader.length);
          const full = Math.floor(length / batchSize);
          expect(batches.map((batch) => batch.length)).toEqual([
            ...new Array<number>(full).fill(batchSize),
            ...(dropLast || length % batchSize === 0 ? [] : [length % batchSize]),
          ]);
          const seen = batches.flat();
          expect(new Set(seen).size).toBe(seen.length);
          if (!dropLast) expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
        },
      ),
    );
  });
});

describe('shuffling', () => {
  const options = (generator?: RandomGenerator): DataLoaderOptions => ({
    batchSize: 4,
    shuffle: true,
    ...(generator && { generator }),
  });

  it('differs from epoch to epoch and repeats with the seed', async () => {
    const epochs = async (value: number) => {
      const loader = new DataLoader(inMemory(50), options(new RandomGenerator(value)));
      return [await epochOf(loader), await epochOf(loader)];
    };
    const [first, second] = await epochs(1);
    expect(first).not.toEqual(second);
    expect(await epochs(1)).toEqual([first, second]);
    expect(await epochs(2)).not.toEqual([first, second]);
  });

  it('uses the default generator unless there is another', async () => {
    seed(4);
    const first = await epochOf(new DataLoader(inMemory(50), options()));
    expect(await epochOf(new DataLoader(inMemory(50), options(new RandomGenerator(4))))).toEqual(first);
    seed(4);
    expect(await epochOf(new DataLoader(inMemory(50), options()))).toEqual(first);
  });

  it('can be repeated and resumed from the state before the epoch', async () => {
    const generator = new RandomGenerator(7);
    const loader = new DataLoader(inMemory(50), options(generator));
    expect(loader.epochState).toBe(null);
    await epochOf(loader);
    const second = await epochOf(loader);
    const from = JSON.parse(JSON.stringify(loader.epochState));
    await epochOf(loader);

    const resumed = new DataLoader(inMemory(50), options(new RandomGenerator(99)));
    const get = vi.spyOn(resumed.dataset, 'get');
    expect(await epochOf(resumed.epoch({ from, skip: 10 }))).toEqual(second.slice(10));
    expect(get).toHaveBeenCalledTimes(10);
    expect(resumed.epochState).toEqual(from);
    expect(await epochOf(resumed.epoch({ from, skip: 13 }))).toEqual([]);
    // Repeating takes nothing from the loader's own generator.
    const state = generator.state();
    expect(await epochOf(loader.epoch({ from }))).toEqual(second);
    expect(generator.state()).toEqual(state);
  });

  it('samples the order when the epoch begins, not when it is read', async () => {
    const generator = new RandomGenerator(3);
    const loader = new DataLoader(inMemory(50), options(generator));
    const epoch = loader.epoch();
    const after = generator.state();
    generator.nextUint32();
    await epochOf(epoch);
    const expected = new RandomGenerator(3);
    expected.permutation(50);
    expect(after).toEqual(expected.state());
  });

  it('takes nothing from the generator without shuffle', async () => {
    const generator = new RandomGenerator(3);
    await epochOf(new DataLoader(inMemory(5), { generator }));
    expect(generator.state()).toEqual(new RandomGenerator(3).state());
  });
});

describe('reading ahead', () => {
  it('keeps so many batches under way and no more', async () => {
    const { dataset, counts } = decoding(20);
    const epoch = new DataLoader(dataset, { batchSize: 2, prefetch: 3 }).epoch();
    expect(counts.started).toBe(0);
    await epoch.next();
    expect(counts.started).toBe(8);
    await epoch.next();
    expect(counts.started).toBe(10);
  });

  it('can be switched off', async () => {
    const { dataset, counts } = decoding(20);
    await new DataLoader(dataset, { batchSize: 2, prefetch: 0 }).epoch().next();
    expect(counts.started).toBe(2);
  });

  it('ends with the loop', async () => {
    const { dataset, counts } = decoding(20, (i) => 20 * i);
    const loader = new DataLoader(dataset, { batchSize: 2 });
    for await (const batch of loader) {
      expect(await labelsOf(batch)).toEqual([0, 1]);
      break;
    }
    expect(counts).toEqual({ started: 6, running: 0 });
    const epoch = loader.epoch();
    await epoch.next();
    await epoch.return();
    expect(await epoch.next()).toEqual({ done: true, value: undefined });
  });

  it('does not read ahead where nothing is gained', async () => {
    const dataset = inMemory(20);
    const get = vi.spyOn(dataset, 'get');
    await new DataLoader(dataset, { batchSize: 2 }).epoch().next();
    expect(get).toHaveBeenCalledTimes(2);
  });

  it('reports a failure when its turn comes, once', async () => {
    const broken = new Error('sample 5 is no picture');
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const fail = (i: number): Sample => {
      if (i === 5) throw broken;
      return sampleOf(i);
    };
    for (const get of [
      fail,
      async (i: number) => fail(i),
      (i: number) => (i < 5 ? Promise.resolve(fail(i)) : fail(i)),
    ]) {
      const seen: number[] = [];
      const loop = async () => {
        for await (const batch of new DataLoader({ length: 9, get }, { batchSize: 1 })) {
          seen.push(...(await labelsOf(batch)));
          await sleep(1);
        }
      };
      await expect(loop()).rejects.toBe(broken);
      expect(seen).toEqual([0, 1, 2, 3, 4]);
    }
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe('bad input', () => {
  it.each([0, -1, 1.5, Number.NaN, Infinity])('refuses batchSize %s', (batchSize) => {
    const make = () => new DataLoader(inMemory(3), { batchSize });
    expect(make).toThrow(InputError);
    expect(make).toThrow(`[dataloader] batchSize: expected a positive integer, got ${batchSize}`);
  });

  it('refuses what else makes no sense', () => {
    expect(() => new DataLoader(inMemory(3), { prefetch: -1 })).toThrow(/prefetch: expected an integer from 0 on/);
    expect(() => new DataLoader(inMemory(0))).toThrow(/dataset: expected at least one sample, got 0/);
    expect(() => new DataLoader(inMemory(3), { batchSize: 4, dropLast: true })).toThrow(
      /dataset: expected at least one batch of 4 samples, got 3/,
    );
    const loader = new DataLoader(inMemory(3));
    expect(() => loader.epoch({ skip: 0.5 })).toThrow(/skip: expected an integer from 0 on, got 0.5/);
    expect(() => loader.epoch({ from: {} as never })).toThrow(/\[random\] state/);
  });

  it.each<[string, (i: number) => Sample, typeof InputError, RegExp]>([
    [
      'images of different sizes',
      (i) => ({ image: new Float32Array(i + 1), shape: [1, 1, i + 1], label: 0 }),
      ShapeError,
      /sample 1: expected 1 values of shape \[1,1,1\] \(as in sample 0\), got 2 of \[1,1,2\]; resize/,
    ],
    [
      'images that are not of their shape',
      () => ({ image: new Float32Array(3), shape: [1, 2, 2], label: 0 }),
      ShapeError,
      /sample 0: expected 4 values .*got 3/,
    ],
    [
      'labels that are no integers',
      (i) => ({ ...sampleOf(0), label: i / 2 }),
      InputError,
      /sample 1: label: expected an int32, got 0.5/,
    ],
  ])('refuses %s', async (_, get, type, message) => {
    for (const dataset of [
      { length: 2, get },
      { length: 2, get: async (i: number) => get(i) },
    ]) {
      const error = await epochOf(new DataLoader(dataset, { batchSize: 2 })).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(type);
      expect((error as Error).message).toMatch(message);
    }
  });
});

describe('reuse', () => {
  /** Answers at once or later, in the memory that it is given. */
  const dataset = (later: boolean) => {
    const given = new Set<Float32Array>();
    let fresh = 0;
    const readBatch = (indices: ArrayLike<number>, _: unknown, memory?: Float32Array) => {
      if (memory !== undefined) given.add(memory);
      if (memory?.length !== indices.length) fresh++;
      const images = memory?.length === indices.length ? memory : new Float32Array(indices.length);
      for (let i = 0; i < indices.length; i++) images[i] = indices[i];
      const batch = { images, shape: [indices.length, 1, 1, 1], labels: new Int32Array(indices.length) };
      return later ? Promise.resolve(batch) : batch;
    };
    const get = () => expect.fail('no sample alone');
    return { length: 23, get, readBatch, given, fresh: () => fresh };
  };

  it.each([false, true])(
    'fills the same memory again, once the next batch is asked for (promises: %s)',
    async (later) => {
      const data = dataset(later);
      const seen: number[] = [];
      for await (const [images] of new DataLoader(data, { batchSize: 4, reuse: true })) {
        seen.push(...(await images.data('float32')));
      }
      expect(seen).toEqual(Array.from({ length: 23 }, (_, i) => i));
      // One for the batch in hand, one for each that is read ahead, one for the short batch at the end.
      expect(data.fresh()).toBe(later ? 4 : 2);
    },
  );

  it('is not done without being asked for', async () => {
    const data = dataset(false);
    const tensors: Tensor[] = [];
    for await (const [images] of new DataLoader(data, { batchSize: 4 })) tensors.push(images);
    expect(data.given.size).toBe(0);
    expect(await tensors[0].data()).toEqual(Float32Array.of(0, 1, 2, 3));
  });
});
