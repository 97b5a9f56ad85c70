import { bytesPerElement, type DType, declared, type OutputDType } from '../../graph/dtype.js';
import type { Spec } from '../../graph/op.js';
import { numel, type Shape } from '../../graph/shape.js';
import { MemoryDesc } from './ffi.js';
import type { ArrayType, Placed } from './steps.js';

/** Row-major. Few kernels know more than five axes, so that longer shapes are seen as one row. */
export function plainDesc({ shape, dtype }: Spec): MemoryDesc {
  return MemoryDesc.plain(shape.length > 5 ? [numel(shape)] : shape, storedAs(dtype));
}

/** TypeScript kernels know no bfloat16, and their workspaces are int32. */
function storedAs(dtype: OutputDType): DType {
  return dtype === 'opaque' ? 'int32' : (declared(dtype) as DType);
}

export function typed(placed: Placed, { shape, dtype }: Spec): Placed & ArrayType {
  return { ...placed, shape, dtype: declared(dtype) };
}

export function bytesOf(shape: Shape, dtype: ArrayType['dtype']): number {
  return numel(shape) * bytesPerElement(storedAs(dtype));
}
