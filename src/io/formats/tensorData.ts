import type { DType, TypedArray } from '../../graph/dtype.js';
import type { Shape } from '../../graph/shape.js';

/** A plain array with its shape, in row-major order. */
export interface TensorData {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: TypedArray;
}
