import { ShapeError } from '../errors.js';
import { checkArray, checkShape, formatShape, normalizeAxis, numel, type Shape } from '../graph/shape.js';

/** The shape of a reshape, with the size that -1 stands for. */
export function inferSize(from: Shape, to: Shape): Shape {
  checkArray('reshape', to);
  const open = to.indexOf(-1);
  if (open < 0) {
    checkShape('reshape', to);
    return to;
  }
  const known = to.reduce((product, size, i) => (i === open ? product : product * size), 1);
  const rest = numel(from) / known;
  const shape = to.map((size, i) => (i === open ? rest : size));
  if (shape.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new ShapeError(
      `[reshape] shape: expected one whose sizes divide ${numel(from)} (tensor ${formatShape(from)}), ` +
        `got ${formatShape(to)}`,
    );
  }
  return shape;
}

/** The shape with the axes from `startAxis` to `stopAxis`, inclusive, joined into one. */
export function flattened(shape: Shape, startAxis: number, stopAxis: number): Shape {
  const start = normalizeAxis('flatten', startAxis, shape.length);
  const stop = normalizeAxis('flatten', stopAxis, shape.length);
  if (start > stop) {
    throw new ShapeError(
      `[flatten] axes: expected startAxis <= stopAxis, got ${startAxis} and ${stopAxis} (tensor ${formatShape(shape)})`,
    );
  }
  return [...shape.slice(0, start), numel(shape.slice(start, stop + 1)), ...shape.slice(stop + 1)];
}

/** The shape without axes of size 1: those that `axis` names, or all. */
export function squeezed(shape: Shape, axis: number | readonly number[] | undefined): Shape {
  const named = axis === undefined ? shape.map((_, i) => i) : [axis].flat();
  const dropped = new Set(named.map((a) => normalizeAxis('squeeze', a, shape.length)));
  return shape.filter((size, i) => size !== 1 || !dropped.has(i));
}

/** The shape with a new axis of size 1. */
export function unsqueezed(shape: Shape, axis: number): Shape {
  const place = normalizeAxis('unsqueeze', axis, shape.length + 1);
  return [...shape.slice(0, place), 1, ...shape.slice(place)];
}

/** Where a slice begins on each axis, and its sizes; negative bounds count from the end. */
export function sliceRange(shape: Shape, starts: readonly number[], ends: readonly number[]) {
  if (starts.length > shape.length || ends.length > shape.length) {
    throw new ShapeError(
      `[slice] range: expected at most ${shape.length} axes (tensor ${formatShape(shape)}), ` +
        `got ${Math.max(starts.length, ends.length)}`,
    );
  }
  const bound = (n: number, size: number) => (n < 0 ? n + size : n);
  const from = shape.map((size, i) => bound(starts[i] ?? 0, size));
  const sizes = shape.map((size, i) => bound(ends[i] ?? size, size) - from[i]);
  return { from, sizes };
}
