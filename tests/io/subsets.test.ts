import { describe, expect, it } from 'vitest';
import {
  InputError,
  io,
  normal,
  RandomGenerator,
  rand,
  randint,
  randn,
  randperm,
  ShapeError,
  seed,
  Tensor,
  tensor,
  uniform,
} from '../../src/index.js';

const { ConcatDataset, DataLoader, randomSplit, Subset, TensorDataset } = io;
/** Sample i has the image [i, i + 0.5] and the class i mod 3. */
const numbers = (n: number, from = 0) =>
  new TensorDataset([
    Tensor.fromData(
      Float32Array.from({ length: 2 * n }, (_, i) => from + i / 2),
      [n, 1, 1, 2],
    ),
    Tensor.fromData(
      Int32Array.from({ length: n }, (_, i) => (from + i) % 3),
      [n],
    ),
  ]);
const firsts = async (dataset: io.Dataset) => {
  const all: number[] = [];
  for await (const [images] of new DataLoader(dataset, { batchSize: 4 })) {
    all.push(...[...(await images.data())].filter((_, i) => i % 2 === 0));
  }
  return all;
};

describe('data sets made of others', () => {
  it('TensorDataset gives samples and batches, of lazy tensors too', async () => {
    const images = tensor([[[[1, 2]]], [[[3, 4]]], [[[5, 6]]]]).mul(2);
    const data = new TensorDataset([images, tensor([[2], [0], [1]], 'int32')]);
    expect(data.length).toBe(3);
    expect(await data.get(1)).toEqual({ image: Float32Array.of(6, 8), shape: [1, 1, 2], label: 0 });
    const batches: unknown[] = [];
    for await (const [x, y] of new DataLoader(data, { batchSize: 2 })) batches.push([x.shape, ...(await y.data())]);
    expect(batches).toEqual([
      [[2, 1, 1, 2], 2, 0],
      [[1, 1, 1, 2], 1],
    ]);
    expect(() => data.get(3)).toThrow('[TensorDataset] index: expected an integer from 0 to 2, got 3');
    expect(() => new TensorDataset([images, tensor([0, 1], 'int32')])).toThrow(ShapeError);
    expect(() => new TensorDataset([images, tensor([0, 1, 2])])).toThrow(InputError);
    expect(() => new TensorDataset([images] as never)).toThrow('expected two tensors, [images, labels], got 1 items');
  });

  it('Subset and ConcatDataset keep samples, labels and names', async () => {
    const named = Object.assign(numbers(6), { classNames: ['a', 'b', 'c'], labels: [0, 1, 2, 0, 1, 2] });
    const some = new Subset(named, [5, 0, 5]);
    expect(await firsts(some)).toEqual([5, 0, 5]);
    expect([...(some.labels as Int32Array)]).toEqual([2, 0, 2]);
    expect(some.classNames).toEqual(['a', 'b', 'c']);
    expect(() => new Subset(named, [6])).toThrow('[Subset] index: expected an integer from 0 to 5, got 6');
    const joined = new ConcatDataset([some, numbers(2, 10)]);
    expect(joined.length).toBe(5);
    expect(await firsts(joined)).toEqual([5, 0, 5, 10, 11]);
    expect(joined.labels).toBeUndefined();
    expect(joined.classNames).toEqual(['a', 'b', 'c']);
    expect([...(await io.labelsOf(joined))]).toEqual([2, 0, 2, 1, 2]);
    const other = Object.assign(numbers(1), { classNames: ['b', 'a'] });
    expect(() => new ConcatDataset([some, other])).toThrow(InputError);
    expect(() => new ConcatDataset([])).toThrow(InputError);
  });

  it('randomSplit takes numbers or shares, and samples from the generator', async () => {
    const data = numbers(10);
    const parts = randomSplit(data, [7, 3], { generator: new RandomGenerator(1) });
    expect(parts.map(({ length }) => length)).toEqual([7, 3]);
    expect((await Promise.all(parts.map(firsts))).flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const again = randomSplit(data, [7, 3], { generator: new RandomGenerator(1) });
    expect(again.map(({ indices }) => indices)).toEqual(parts.map(({ indices }) => indices));
    seed(4);
    const seeded = randomSplit(data, [0.5, 0.5])[0].indices;
    seed(4);
    expect(randomSplit(data, [0.5, 0.5])[0].indices).toEqual(seeded);
    const lengths = (samples: number, shares: number[]) =>
      randomSplit(numbers(samples), shares).map(({ length }) => length);
    // As in Paddle, what is left over goes to the first parts.
    expect(lengths(10, [1 / 3, 1 / 3, 1 / 3])).toEqual([4, 3, 3]);
    expect(lengths(100, [0.29, 0.71])).toEqual([29, 71]);
    expect(lengths(11, [0.8, 0.1, 0.1])).toEqual([9, 1, 1]);
    expect(lengths(5, [1])).toEqual([5]);
    expect(lengths(1, [1])).toEqual([1]);
    for (const wrong of [[7, 4], [0.5, 0.4], [-1, 11], [1.5, 8.5], [Number.NaN], []]) {
      expect(() => randomSplit(data, wrong)).toThrow(InputError);
    }
  });
});

describe('random tensors', () => {
  it('have the shape, type and range that was asked for, and follow from the seed', async () => {
    const make = () => [
      rand([3, 4]),
      uniform([100], { min: 2, max: 3 }),
      uniform([50]),
      randn([1000]),
      normal(5, 0.1, [1000]),
      randint(3, 7, [200]),
      randint(2),
      randperm(9),
    ];
    seed(8);
    const first = await Promise.all(make().map((t) => t.data()));
    seed(8);
    const tensors = make();
    expect(await Promise.all(tensors.map((t) => t.data()))).toEqual(first);
    expect(tensors.map(({ shape }) => shape)).toEqual([[3, 4], [100], [50], [1000], [1000], [200], [1], [9]]);
    const within = (values: ArrayLike<number>, low: number, high: number) =>
      Array.from(values).every((x) => x >= low && x < high);
    expect(within(first[0], 0, 1)).toBe(true);
    expect(within(first[1], 2, 3.0000001)).toBe(true);
    expect(within(first[2], -1, 1)).toBe(true);
    const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    expect(mean(first[3])).toBeCloseTo(0, 0);
    expect(mean(first[4])).toBeCloseTo(5, 1);
    expect(new Set(first[5])).toEqual(new Set([3, 4, 5, 6]));
    expect([...first[7]].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(tensors[5].dtype).toBe('int32');
    const own = await rand([2], { generator: new RandomGenerator(3) }).data();
    expect(await rand([2], { generator: new RandomGenerator(3) }).data()).toEqual(own);
  });

  it('refuse what makes no sense', () => {
    for (const wrong of [
      () => rand([0]),
      () => uniform([2], { min: 2, max: 1 }),
      () => normal(0, -1, [2]),
      () => randint(5, 5),
      () => randint(0.5),
      () => randint(0, 2 ** 40),
      () => randperm(0),
      () => randperm(1.5),
    ]) {
      expect(wrong).toThrow(InputError);
    }
  });
});
