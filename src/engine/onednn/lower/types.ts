import type { GraphValue } from '../../../compiler/graph.js';
import type { StoredDType } from '../../../graph/dtype.js';

/** Types of a product's operands; backward, those of their gradients. */
export interface OperandTypes {
  readonly src: StoredDType;
  readonly weights: StoredDType;
  readonly dst: StoredDType;
}

export const float32: OperandTypes = { src: 'float32', weights: 'float32', dst: 'float32' };
const bfloat16: OperandTypes = { src: 'bfloat16', weights: 'bfloat16', dst: 'bfloat16' };

/** Types of the forward product that a backward one is derived from: the library knows none that mixes its operands' types. */
export const forwardTypes = (types: OperandTypes): OperandTypes => (types === float32 ? float32 : bfloat16);

/**
 * A product runs on bfloat16 as soon as one of its features is to be that.
 *
 * @param features what decides
 * @param result the operand that the kernel writes: as exact as the compiler has decided
 */
export function typesFor(
  features: readonly GraphValue[],
  result: Partial<Record<keyof OperandTypes, GraphValue>>,
): OperandTypes {
  if (features.every(({ dtype }) => dtype !== 'bfloat16')) return float32;
  const own = Object.entries(result).map(([name, { dtype }]) => [name, dtype]);
  return { ...bfloat16, ...Object.fromEntries(own) };
}
