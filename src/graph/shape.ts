import { shown } from '../check.js';
import { ShapeError } from '../errors.js';

/** Sizes of the axes, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements. */
export function numel(shape: Shape): number {
  let n = 1;
  for (const size of shape) n *= size;
  return n;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `[2,3,28,28]`, as shapes stand in messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/** Throws unless a shape is an array. */
export function checkArray(where: string, shape: unknown): void {
  if (Array.isArray(shape)) return;
  throw new ShapeError(`[${where}] shape: expected an array such as [2, 3], got ${shown(shape)}`);
}

/** Throws unless a shape is an array of positive integers. */
export function checkShape(where: string, shape: Shape): void {
  checkArray(where, shape);
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 1) {
      throw new ShapeError(`[${where}] shape: expected positive integers, got ${shown(shape)}`);
    }
  }
}

/** Shape of two operands under NumPy's broadcasting rule. */
export function broadcastShapes(where: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `[${where}] shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: ` +
          `expected equal sizes or 1 from the last axis backwards, got ${x} and ${y}`,
      );
    }
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Turns a possibly negative axis into its index, or throws. */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(`[${where}] axis: expected an integer from ${-rank} to ${rank - 1}, got ${shown(axis)}`);
  }
  return axis < 0 ? axis + rank : axis;
}
