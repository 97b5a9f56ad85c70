import { type DType, declared, type OutputDType, type StoredDType } from '../../graph/dtype.js';
import type { Spec } from '../../graph/op.js';
import type { Shape } from '../../graph/shape.js';

/**
 * The order and type of the elements of a value in memory; immutable. `L` is the engine's own class of
 * layouts.
 */
export interface Layout<L> {
  /**
   * Axes as kernels see them. They may differ from the value's, with the same elements in row-major order.
   */
  readonly shape: Shape;
  readonly dtype: StoredDType;
  /** Bytes, padding included. */
  readonly size: number;
  equals(other: L): boolean;
  /** Whether the elements are in row-major order without padding. */
  isPlain(): boolean;
  /** Whether only one kind of kernel can read it. Long-lived data never take such a layout. */
  isOpaque(): boolean;
  /** The same order of elements of another type. */
  withType(dtype: StoredDType): L;
  /** For printed programs and profiles. */
  toString(): string;
}

/**
 * The type of a value in plain memory: TypeScript kernels know no bfloat16, and their workspaces are int32.
 */
export function plainType(dtype: OutputDType): DType {
  return dtype === 'opaque' ? 'int32' : (declared(dtype) as DType);
}

/** The row-major layout of a value. */
export function plainLayoutOf<L>(
  backend: { plainLayout(shape: Shape, dtype: StoredDType): L },
  { shape, dtype }: Spec,
): L {
  return backend.plainLayout(shape, plainType(dtype));
}
