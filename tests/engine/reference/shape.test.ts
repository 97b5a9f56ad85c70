import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../../src/graph/dtype.js';
import { anySeed, anyShape, array, forAll, noise, reader, run, tabulate } from './support.js';

const anyDType = fc.constantFrom<DType>('float32', 'int32', 'uint8');

/** Sizes above the length from which rows are copied as blocks, too. */
const shapes = fc.tuple(anyShape(0, 4, 4), fc.constantFrom(1, 3, 70)).map(([shape, last]) => [...shape, last]);

describe('shape ops', () => {
  it('reshape keeps the elements in order', () => {
    const x = noise([2, 6], 1);
    expect(run('reshape', { shape: [3, 4] }, [x], [3, 4])[0].data).toEqual(x.data);
  });

  it('transpose', () => {
    const cases = shapes.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }),
        anyDType,
        anySeed,
      ),
    );
    forAll(cases, ([shape, permutation, dtype, seed]) => {
      const x = noise(shape, seed, dtype);
      const read = reader(x);
      const permuted = permutation.map((axis) => shape[axis]);
      const [y] = run('transpose', { permutation }, [x], { shape: permuted, dtype });
      const expected = tabulate(permuted, (...index) =>
        read(...shape.map((_, axis) => index[permutation.indexOf(axis)])),
      );
      expect([...y.data]).toEqual(expected);
    });
  });

  it('broadcastTo', () => {
    const cases = shapes.chain((shape) =>
      fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()]), fc.nat(shape.length), anyDType, anySeed),
    );
    forAll(cases, ([shape, ones, lead, dtype, seed]) => {
      const x = noise(shape.map((n, axis) => (ones.includes(axis) ? 1 : n)).slice(lead), seed, dtype);
      const read = reader(x);
      const [y] = run('broadcastTo', { shape }, [x], { shape, dtype });
      const expected = tabulate(shape, (...index) =>
        read(...index.slice(lead).map((i, axis) => (x.shape[axis] === 1 ? 0 : i))),
      );
      expect([...y.data]).toEqual(expected);
    });
  });

  it('slice, and pad as its inverse', () => {
    const cases = shapes.chain((shape) => {
      const ends = shape.map((n) => fc.tuple(fc.nat(n - 1), fc.nat(n - 1)).map(([a, b]) => (a < b ? [a, b] : [b, a])));
      return fc.tuple(fc.constant(shape), fc.tuple(...ends), anyDType, anySeed);
    });
    forAll(cases, ([shape, ends, dtype, seed]) => {
      const x = noise(shape, seed, dtype);
      const read = reader(x);
      const starts = ends.map(([first]) => first);
      const sizes = ends.map(([first, last]) => last - first + 1);
      const [cut] = run('slice', { starts, sizes }, [x], { shape: sizes, dtype });
      expect([...cut.data]).toEqual(tabulate(sizes, (...index) => read(...index.map((i, axis) => i + starts[axis]))));
      const after = shape.map((n, axis) => n - ends[axis][1] - 1);
      const [padded] = run('pad', { before: starts, after, value: 9 }, [cut], { shape, dtype });
      const inside = (index: number[]) => index.every((i, axis) => i >= ends[axis][0] && i <= ends[axis][1]);
      expect([...padded.data]).toEqual(tabulate(shape, (...index) => (inside(index) ? read(...index) : 9)));
    });
  });

  it('concat', () => {
    const cases = shapes.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.nat(shape.length - 1),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
        anySeed,
      ),
    );
    forAll(cases, ([shape, axis, lengths, seed]) => {
      const inputs = lengths.map((length, k) =>
        noise(
          shape.map((n, i) => (i === axis ? length : n)),
          seed + k,
        ),
      );
      // For each position along the axis, the input and the place in it.
      const places = lengths.flatMap((length, k) => Array.from({ length }, (_, at) => ({ k, at })));
      const out = shape.map((n, i) => (i === axis ? places.length : n));
      const [y] = run('concat', { axis }, inputs, out);
      const readers = inputs.map((x) => reader(x));
      const expected = tabulate(out, (...index) => {
        const { k, at } = places[index[axis]];
        return readers[k](...index.with(axis, at));
      });
      expect([...y.data]).toEqual(expected);
    });
  });

  it('works on scalars', () => {
    expect(run('transpose', { permutation: [] }, [array([], [5])], [])[0].data[0]).toBe(5);
    expect([...run('broadcastTo', { shape: [2, 2] }, [array([], [5])], [2, 2])[0].data]).toEqual([5, 5, 5, 5]);
  });
});
