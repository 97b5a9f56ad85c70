import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../../src/graph/dtype.js';
import type { ReduceFn } from '../../../src/graph/op.js';
import { anySeed, anyShape, array, expectClose, forAll, noise, reader, run, tabulate } from './support.js';

const folds: Record<ReduceFn, (values: number[]) => number> = {
  sum: (values) => values.reduce((a, b) => a + b),
  mean: (values) => values.reduce((a, b) => a + b) / values.length,
  max: (values) => [...values].sort((a, b) => b - a)[0],
  min: (values) => [...values].sort((a, b) => a - b)[0],
};

describe('reduce', () => {
  it.each(Object.keys(folds) as ReduceFn[])('%s over any axes', (fn) => {
    const cases = anyShape(0, 5, 4).chain((shape) =>
      fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()]), fc.boolean(), anySeed),
    );
    forAll(cases, ([shape, axes, keepdim, seed]) => {
      const x = noise(shape, seed);
      const read = reader(x);
      const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
      const spans = shape.map((n, axis) => (axes.includes(axis) ? n : 1));
      const expected = tabulate(kept, (...at) =>
        folds[fn](tabulate(spans, (...shift) => read(...at.map((i, axis) => i + shift[axis])))),
      );
      const out = keepdim ? kept : shape.filter((_, axis) => !axes.includes(axis));
      expectClose(run('reduce', { fn, axes, keepdim }, [x], out)[0], expected);
    });
  });

  it('keeps NaN in max and min', () => {
    const x = array([2, 3], [1, Number.NaN, 5, 1, 2, 3]);
    expectClose(run('reduce', { fn: 'max', axes: [1], keepdim: false }, [x], [2])[0], [Number.NaN, 3]);
    expectClose(run('reduce', { fn: 'min', axes: [1], keepdim: false }, [x], [2])[0], [Number.NaN, 1]);
  });

  it('sums in float64', () => {
    const x = array([3], [1e8, 1, -1e8]);
    expectClose(run('reduce', { fn: 'sum', axes: [0], keepdim: false }, [x], [])[0], [1]);
  });
});

/** Shapes with an axis, and few different values, so that ties are common. */
const ranked = anyShape(1, 4, 6).chain((shape) =>
  fc.tuple(fc.constant(shape), fc.nat(shape.length - 1), fc.constantFrom<DType>('float32', 'int32'), anySeed),
);

/** The values along the axis at every position, each with its index, largest first. */
function rankings(x: ReturnType<typeof noise>, axis: number): (...at: number[]) => { value: number; i: number }[] {
  const read = reader(x);
  return (...at) =>
    Array.from({ length: x.shape[axis] }, (_, i) => ({ value: read(...at.with(axis, i)), i })).sort(
      (a, b) => b.value - a.value || a.i - b.i,
    );
}

function roundedNoise(shape: readonly number[], seed: number, dtype: DType) {
  const x = noise(shape, seed, dtype);
  for (let i = 0; i < x.data.length; i++) x.data[i] = Math.round(x.data[i] / 2);
  return x;
}

describe('ranking', () => {
  it('argmax takes the first of equal elements', () => {
    forAll(ranked, ([shape, axis, dtype, seed]) => {
      const x = roundedNoise(shape, seed, dtype);
      const best = rankings(x, axis);
      const kept = shape.with(axis, 1);
      const [y] = run('argmax', { axis, keepdim: true }, [x], { shape: kept, dtype: 'int32' });
      expect([...y.data]).toEqual(tabulate(kept, (...at) => best(...at)[0].i));
    });
  });

  it('topk sorts and prefers the lower index among equals', () => {
    forAll(fc.tuple(ranked, fc.double({ min: 0, max: 1, noNaN: true })), ([[shape, axis, dtype, seed], part]) => {
      const x = roundedNoise(shape, seed, dtype);
      const best = rankings(x, axis);
      const k = 1 + Math.floor(part * (shape[axis] - 1));
      const out = shape.with(axis, k);
      const [values, indices] = run('topk', { k, axis }, [x], { shape: out, dtype }, { shape: out, dtype: 'int32' });
      expect([...values.data]).toEqual(tabulate(out, (...at) => best(...at)[at[axis]].value));
      expect([...indices.data]).toEqual(tabulate(out, (...at) => best(...at)[at[axis]].i));
    });
  });

  it('ranks NaN first', () => {
    const x = array([4], [1, Number.NaN, 3, Number.NaN]);
    expect(run('argmax', { axis: 0, keepdim: false }, [x], { shape: [], dtype: 'int32' })[0].data[0]).toBe(1);
    const [values, indices] = run('topk', { k: 3, axis: 0 }, [x], [3], { shape: [3], dtype: 'int32' });
    expect([...values.data]).toEqual([Number.NaN, Number.NaN, 3]);
    expect([...indices.data]).toEqual([1, 3, 2]);
  });
});
