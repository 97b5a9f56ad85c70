import type { Shape } from '../../../graph/shape.js';
import { stridesOf } from '../../../graph/shape.js';

/** Axes to walk over, and for each operand its step along every axis. */
interface Axes {
  readonly sizes: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/**
 * Joins neighbouring axes that every operand can walk as one and drops axes of size 1, so that the innermost
 * run, the only part walked without a table, is as long as possible. At least one axis remains.
 */
export function mergeAxes(shape: Shape, strides: readonly (readonly number[])[]): Axes {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis];
    if (size === 1) continue;
    const last = sizes.length - 1;
    let joins = last >= 0;
    for (let k = 0; joins && k < strides.length; k++) joins = merged[k][last] === strides[k][axis] * size;
    if (joins) sizes[last] *= size;
    else sizes.push(size);
    for (let k = 0; k < strides.length; k++) merged[k][sizes.length - 1] = strides[k][axis];
  }
  if (sizes.length === 0) {
    sizes.push(1);
    for (const own of merged) own.push(1);
  }
  return { sizes, strides: merged };
}

/** Offsets of all positions of the first `rank` axes, in row-major order. */
export function offsetsOf(sizes: readonly number[], strides: readonly number[], rank: number): Int32Array {
  let count = 1;
  for (let axis = 0; axis < rank; axis++) count *= sizes[axis];
  const offsets = new Int32Array(count);
  let filled = 1;
  for (let axis = rank - 1; axis >= 0; axis--) {
    const end = filled * sizes[axis];
    // Position p along this axis repeats the block of the inner axes, p strides further.
    for (let i = filled; i < end; i++) offsets[i] = offsets[i - filled] + strides[axis];
    filled = end;
  }
  return offsets;
}

/** Strides that read an array of shape `from` as if it were broadcast to `to`. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : own[i - lead]));
}

/** Splits a shape around one axis: elements before it, along it, after it. */
export function splitAt(shape: Shape, axis: number): { outer: number; size: number; inner: number } {
  let outer = 1;
  let inner = 1;
  for (let i = 0; i < axis; i++) outer *= shape[i];
  for (let i = axis + 1; i < shape.length; i++) inner *= shape[i];
  return { outer, size: shape[axis], inner };
}
