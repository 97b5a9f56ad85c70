import { shown } from '../check.js';
import { DTypeError, ShapeError } from '../errors.js';
import { allocate, checkDType, type DType } from '../graph/dtype.js';
import { numel } from '../graph/shape.js';
import { Tensor } from './tensor.js';

/** Nested arrays of numbers, all of equal length at each depth. */
export type NestedNumbers = number | readonly NestedNumbers[];

/**
 * A tensor from nested arrays: `tensor([[1, 2], [3, 4]])`.
 *
 * @throws {DTypeError} for an unknown type, and for values that are no numbers, such as text;
 *   ShapeError for arrays of different lengths, or empty ones
 *
 * @example
 * ```ts
 * const labels = tensor([0, 1], 'int32');
 * ```
 */
export function tensor(values: NestedNumbers, dtype: DType = 'float32'): Tensor {
  checkDType('tensor', dtype);
  const shape: number[] = [];
  for (let level = values; typeof level !== 'number'; level = level[0]) {
    requireNumbers(level);
    if (level.length === 0) throw new ShapeError('[tensor] values: expected at least one number, got an empty array');
    shape.push(level.length);
  }
  const data = allocate(dtype, numel(shape));
  let place = 0;
  const fill = (level: NestedNumbers, depth: number) => {
    if (typeof level !== 'number') requireNumbers(level);
    if ((typeof level === 'number') !== (depth === shape.length)) {
      throw new ShapeError(`[tensor] values: expected nesting of depth ${shape.length} everywhere`);
    }
    if (typeof level === 'number') data[place++] = level;
    else {
      if (level.length !== shape[depth]) {
        throw new ShapeError(
          `[tensor] values: expected arrays of ${shape[depth]} at depth ${depth}, got one of ${level.length}`,
        );
      }
      for (const inner of level) fill(inner, depth + 1);
    }
  };
  fill(values, 0);
  return Tensor.fromData(data, shape);
}

/** @throws {DTypeError} for anything but an array */
function requireNumbers(level: unknown): void {
  if (Array.isArray(level) || ArrayBuffer.isView(level)) return;
  throw new DTypeError(
    `[tensor] values: expected numbers in arrays, got ${shown(level)}; convert it, as with Number()`,
  );
}
