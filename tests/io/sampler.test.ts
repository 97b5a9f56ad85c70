import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { DataLoader } from '../../src/io/data/dataloader.js';
import { labelsOf } from '../../src/io/data/dataset.js';
import { BalancedSampler, StratifiedSampler } from '../../src/io/data/sampler.js';
import { type GeneratorState, RandomGenerator } from '../../src/random.js';

const labels = Array.from({ length: 23 }, (_, i) => (i < 17 ? 0 : i < 20 ? 2 : 5));

function dataset() {
  return {
    length: labels.length,
    get: (index: number) => ({ image: Float32Array.of(index), shape: [1], label: labels[index] }),
  };
}

test('a balanced sampler gives each class its share, and no sample twice before the others', () => {
  const sampler = new BalancedSampler(labels);
  expect(sampler.length).toBe(23);
  const generator = new RandomGenerator(4);
  const epochs = Array.from({ length: 20 }, () => [...sampler.sample(generator)]);
  expect(new Set(epochs.map(String)).size).toBe(20);
  const extra = [0, 0, 0];
  for (const epoch of epochs) {
    const counts = [0, 2, 5].map((label) => epoch.filter((i) => labels[i] === label).length);
    expect([...counts].sort()).toEqual([7, 8, 8]);
    counts.forEach((count, i) => {
      extra[i] += count - 7;
    });
    const times = Array.from(labels, (_, i) => epoch.filter((j) => j === i).length);
    for (const [label, least] of [
      [0, 0],
      [2, 2],
      [5, 2],
    ]) {
      const own = times.filter((_, i) => labels[i] === label);
      expect(Math.min(...own)).toBe(least);
      expect(Math.max(...own)).toBeLessThanOrEqual(least + 1);
    }
  }
  // Two of three classes get one more each time, others each time.
  for (const count of extra) expect(count).toBeGreaterThan(5);
  expect([...sampler.sample(new RandomGenerator(4))]).toEqual(epochs[0]);
});

test('a stratified sampler takes every sample once, and of each class its share in every batch', () => {
  const many = Array.from({ length: 407 }, (_, i) => (i < 190 ? 1 : i < 390 ? 0 : 3));
  const sampler = new StratifiedSampler(many);
  const generator = new RandomGenerator(4);
  const epochs = Array.from({ length: 50 }, () => [...sampler.sample(generator)]);
  expect(new Set(epochs.map(String)).size).toBe(50);
  let most = 0;
  for (const epoch of epochs) {
    expect(new Set(epoch).size).toBe(407);
    for (let begin = 0; begin + 10 <= 407; begin++) {
      const batch = epoch.slice(begin, begin + 10);
      for (const [label, members] of [
        [0, 200],
        [1, 190],
        [3, 17],
      ]) {
        const share = (10 * members) / 407;
        most = Math.max(most, Math.abs(batch.filter((i) => many[i] === label).length - share));
      }
    }
  }
  // Two parts of the epoch may be cut by the ends of a batch, for each class.
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThan(3.5);
  expect([...sampler.sample(new RandomGenerator(4))]).toEqual(epochs[0]);
});

test('a loader takes the samples of a sampler, and repeats an epoch', async () => {
  const sampler = new BalancedSampler(await labelsOf(dataset()));
  const loader = new DataLoader(dataset(), {
    batchSize: 5,
    sampler,
    dropLast: true,
    generator: new RandomGenerator(1),
  });
  expect([loader.length, loader.samples]).toEqual([4, 20]);
  const read = async (epoch: AsyncIterable<[{ data(): Promise<ArrayLike<number>> }, unknown]>) => {
    const indices: number[] = [];
    for await (const [images] of epoch) indices.push(...Array.from(await images.data()));
    return indices;
  };
  const first = await read(loader.epoch());
  const from = loader.epochState as GeneratorState;
  expect(await read(loader.epoch())).not.toEqual(first);
  expect(await read(loader.epoch({ from, skip: 2 }))).toEqual(first.slice(10));
  expect(() => new DataLoader(dataset(), { sampler, shuffle: true })).toThrow(InputError);
  for (const Sampler of [BalancedSampler, StratifiedSampler]) expect(() => new Sampler([])).toThrow(InputError);
});
