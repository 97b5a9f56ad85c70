import type { GraphNode } from '../../../compiler/graph.js';
import { computesInBfloat16 } from '../../../compiler/precision.js';
import type { StoredDType } from '../../../graph/dtype.js';

/** Types of a product's operands; in a backward pass, of their gradients. */
export interface OperandTypes {
  readonly src: StoredDType;
  readonly weights: StoredDType;
  readonly dst: StoredDType;
}

export const float32: OperandTypes = { src: 'float32', weights: 'float32', dst: 'float32' };
export const bfloat16: OperandTypes = { src: 'bfloat16', weights: 'bfloat16', dst: 'bfloat16' };

/** Types of the forward product behind a backward product: the library has no backward with mixed types. */
export const forwardTypes = (types: OperandTypes): OperandTypes => (types === float32 ? float32 : bfloat16);

/**
 * Types of a product's operands.
 *
 * @param result the operand that the kernel writes; the compiler has chosen its type
 */
export function typesFor(product: GraphNode, result: keyof OperandTypes): OperandTypes {
  return computesInBfloat16(product) ? { ...bfloat16, [result]: product.outputs[0].dtype } : float32;
}
