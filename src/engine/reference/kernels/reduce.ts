import type { TypedArray } from '../../../graph/dtype.js';
import type { ReduceFn } from '../../../graph/op.js';
import { stridesOf } from '../../../graph/shape.js';
import type { Kernel } from '../kernel.js';
import { mergeAxes, offsetsOf, splitAt } from './strides.js';

const identities: Readonly<Record<ReduceFn, number>> = { sum: 0, mean: 0, max: -Infinity, min: Infinity };

/** Folds a run of `n` elements into `value`. */
function fold(fn: ReduceFn, value: number, x: TypedArray, start: number, step: number, n: number): number {
  const end = start + n * step;
  let result = value;
  if (fn === 'max') for (let i = start; i < end; i += step) result = Math.max(result, x[i]);
  else if (fn === 'min') for (let i = start; i < end; i += step) result = Math.min(result, x[i]);
  else for (let i = start; i < end; i += step) result += x[i];
  return result;
}

export const reduce: Kernel<'reduce'> = ({ fn, axes }, inputs, outputs) => {
  const { shape, data: x } = inputs[0];
  const y = outputs[0].data;
  const count = x.length / y.length;
  const divisor = fn === 'mean' ? count : 1;
  if (y.length === 1) {
    y[0] = fold(fn, identities[fn], x, 0, 1, count) / divisor;
    return;
  }
  const strides = stridesOf(shape);
  const isReduced = (axis: number) => axes.includes(axis);
  const pick = (list: readonly number[], reduced: boolean) => list.filter((_, axis) => isReduced(axis) === reduced);
  const kept = mergeAxes(pick(shape, false), [pick(strides, false)]);
  const reduced = mergeAxes(pick(shape, true), [pick(strides, true)]);
  const cells = offsetsOf(kept.sizes, kept.strides[0], kept.sizes.length);
  const last = reduced.sizes.length - 1;
  const rows = offsetsOf(reduced.sizes, reduced.strides[0], last);
  const step = reduced.strides[0][last];
  const n = reduced.sizes[last];
  for (let i = 0; i < y.length; i++) {
    let value = identities[fn];
    for (let r = 0; r < rows.length; r++) value = fold(fn, value, x, cells[i] + rows[r], step, n);
    y[i] = value / divisor;
  }
};

/** Whether `a` ranks before an earlier `b`: larger, or the first NaN, which would otherwise go unnoticed. */
function outranks(a: number, b: number): boolean {
  return a > b || (Number.isNaN(a) && !Number.isNaN(b));
}

export const argmax: Kernel<'argmax'> = ({ axis }, inputs, outputs) => {
  const x = inputs[0].data;
  const y = outputs[0].data;
  const { outer, size, inner } = splitAt(inputs[0].shape, axis);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const base = o * size * inner + i;
      let best = x[base];
      let bestIndex = 0;
      for (let s = 1; s < size; s++) {
        const v = x[base + s * inner];
        if (outranks(v, best)) {
          best = v;
          bestIndex = s;
        }
      }
      y[o * inner + i] = bestIndex;
    }
  }
};

export const topk: Kernel<'topk'> = ({ k, axis }, inputs, outputs) => {
  const x = inputs[0].data;
  const values = outputs[0].data;
  const indices = outputs[1].data;
  const { outer, size, inner } = splitAt(inputs[0].shape, axis);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const from = o * size * inner + i;
      const to = o * k * inner + i;
      // Insertion into the sorted list of the best k so far.
      for (let s = 0; s < size; s++) {
        const v = x[from + s * inner];
        let place = Math.min(s, k);
        while (place > 0 && outranks(v, values[to + (place - 1) * inner])) {
          if (place < k) {
            values[to + place * inner] = values[to + (place - 1) * inner];
            indices[to + place * inner] = indices[to + (place - 1) * inner];
          }
          place--;
        }
        if (place < k) {
          values[to + place * inner] = v;
          indices[to + place * inner] = s;
        }
      }
    }
  }
};
