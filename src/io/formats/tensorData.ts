import { rule } from '../../check.js';
import type { DType, TypedArray } from '../../graph/dtype.js';
import type { Shape } from '../../graph/shape.js';

/** A plain array with its shape, in row-major order. */
export interface TensorData {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: TypedArray;
}

/** Whether a value has the fields of a plain array with its shape. */
export function isTensorData(value: unknown): value is TensorData {
  const { shape, dtype, data } = (value ?? {}) as Partial<TensorData>;
  return Array.isArray(shape) && typeof dtype === 'string' && ArrayBuffer.isView(data);
}

/** Plain arrays by name. */
export const tensorsByName = rule<ReadonlyMap<string, TensorData>>(
  'a Map of { shape, dtype, data } by name',
  (x) => x instanceof Map && [...x].every(([name, value]) => typeof name === 'string' && isTensorData(value)),
);

/** Names by other names. */
export const namesByName = rule<ReadonlyMap<string, string>>('a Map of names by names', (x) => {
  return x instanceof Map && [...x].every((pair) => pair.every((name) => typeof name === 'string'));
});
