import fc from 'fast-check';
import { expect } from 'vitest';
import type { NDArray } from '../../../src/engine/ndarray.js';
import type { Kernel } from '../../../src/engine/reference/kernel.js';
import { kernels } from '../../../src/engine/reference/kernels.js';
import { allocate, declared, type OutputDType } from '../../../src/graph/dtype.js';
import type { OpName, OpParams, Spec } from '../../../src/graph/op.js';
import { numel, type Shape } from '../../../src/graph/shape.js';

/** An array from values in row-major order. */
export function array(shape: Shape, values: Iterable<number>, dtype: OutputDType = 'float32'): NDArray {
  const { data } = empty({ shape, dtype });
  data.set([...values]);
  return { shape, dtype, data };
}

/** Reproducible values between -2 and 2, different for every seed; integers within -6 and 6 for other dtypes. */
export function noise(shape: Shape, seed: number, dtype: OutputDType = 'float32'): NDArray {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 30 - 2;
  };
  return array(
    shape,
    Array.from({ length: numel(shape) }, dtype === 'float32' ? next : () => Math.round(3 * next())),
    dtype,
  );
}

/** An array whose memory is full of what some other op left there. */
function empty({ shape, dtype }: Spec): NDArray {
  const stored = declared(dtype);
  const data = allocate(stored === 'opaque' ? 'int32' : stored, numel(shape));
  data.fill(dtype === 'float32' ? Number.NaN : 77);
  return { shape, dtype, data };
}

/** Runs one kernel; an output is given by its shape (float32) or its shape and dtype. */
export function run<K extends OpName>(
  op: K,
  params: OpParams[K],
  inputs: readonly NDArray[],
  ...outputs: readonly (Shape | Spec)[]
): NDArray[] {
  const arrays = outputs.map((spec) => empty('dtype' in spec ? spec : { shape: spec, dtype: 'float32' }));
  const kernel: Kernel<K> = kernels[op];
  kernel(params, inputs, arrays);
  return arrays;
}

/** Reads by index; outside the array everything is `outside`. */
export function reader({ shape, data }: NDArray, outside = 0): (...index: number[]) => number {
  return (...index) => {
    let offset = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      if (index[axis] < 0 || index[axis] >= shape[axis]) return outside;
      offset = offset * shape[axis] + index[axis];
    }
    return data[offset];
  };
}

/** All values of a function of the index, in row-major order. */
export function tabulate(shape: Shape, f: (...index: number[]) => number): number[] {
  const values: number[] = [];
  const visit = (index: number[]): void => {
    if (index.length === shape.length) values.push(f(...index));
    else for (let i = 0; i < shape[index.length]; i++) visit([...index, i]);
  };
  visit([]);
  return values;
}

/** Σ f(i) for i from 0 to n − 1. */
export function sum(n: number, f: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += f(i);
  return total;
}

export function dot(a: NDArray, b: NDArray): number {
  expect(a.data.length).toBe(b.data.length);
  return sum(a.data.length, (i) => a.data[i] * b.data[i]);
}

/** Equal but for the rounding of the last bits; NaN equals NaN and the infinities equal themselves. */
export function expectClose(actual: NDArray, expected: ArrayLike<number>, tolerance = 1e-6): void {
  expect(actual.data.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual.data[i], expected[i]];
    const close = Object.is(a, e) || a === e || Math.abs(a - e) <= tolerance * (1 + Math.abs(e));
    if (!close) expect.fail(`element ${i} of [${actual.shape}]: expected ${e}, got ${a}`);
  }
}

/** <A x, y> = <x, Aᵀ y>: the two sides of an operator and its transpose. */
export function expectAdjoint(left: number, right: number): void {
  expect(Math.abs(left - right)).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(left)));
}

/** d f / d x by central differences, in float64. */
export function numericGradient(x: readonly number[], f: (x: readonly number[]) => number, step = 1e-4): number[] {
  return x.map((_, i) => {
    const at = (shift: number) => f(x.map((v, k) => (k === i ? v + shift : v)));
    return (at(step) - at(-step)) / (2 * step);
  });
}

/** Checks a property on random cases that are the same in every run. */
export function forAll<T>(cases: fc.Arbitrary<T>, check: (value: T) => void, numRuns = 60): void {
  fc.assert(fc.property(cases, check), { seed: 20240517, numRuns });
}

export const anySeed = fc.integer({ min: 0, max: 1e6 });

/** A shape of at most `rank` axes. */
export function anyShape(minRank: number, maxRank: number, maxSize = 5): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 1, max: maxSize }), { minLength: minRank, maxLength: maxRank });
}
