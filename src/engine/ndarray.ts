import type { GraphNode } from '../compiler/graph.js';
import { allocate, declared, type OutputDType, type TypedArray } from '../graph/dtype.js';
import type { Spec } from '../graph/op.js';
import { numel, type Shape } from '../graph/shape.js';

/** A plain row-major array. Opaque workspaces are Int32Arrays with one element per element of the shape. */
export interface NDArray {
  readonly shape: Shape;
  readonly dtype: OutputDType;
  readonly data: TypedArray;
}

/** Computes one node over plain arrays; it writes every element of the outputs. */
export type ComputeNode = (node: GraphNode, inputs: readonly NDArray[], outputs: readonly NDArray[]) => void;

/** An array for a value of the graph, filled with zeros. */
export function arrayFor({ shape, dtype }: Spec): NDArray {
  const stored = declared(dtype);
  return { shape, dtype: stored, data: allocate(stored === 'opaque' ? 'int32' : stored, numel(shape)) };
}
