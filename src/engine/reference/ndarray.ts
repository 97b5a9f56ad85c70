import type { OutputDType, TypedArray } from '../../graph/dtype.js';
import type { OpName, OpParams } from '../../graph/op.js';
import type { Shape } from '../../graph/shape.js';

/** A plain row-major array. Opaque workspaces are Int32Arrays with one element per element of the shape. */
export interface NDArray {
  readonly shape: Shape;
  readonly dtype: OutputDType;
  readonly data: TypedArray;
}

/**
 * Computes one op into preallocated outputs. It writes every element of them and assumes nothing about their earlier
 * contents. Elementwise ops, updates and `runningAverage` allow an output to be the very array of an input.
 */
export type Kernel<K extends OpName> = (
  params: OpParams[K],
  inputs: readonly NDArray[],
  outputs: readonly NDArray[],
) => void;
