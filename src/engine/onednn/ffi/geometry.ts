import type { Shape } from '../../../graph/shape.js';
import { maxAxes } from './enums.js';
import type { ConvGeometry, PoolGeometry } from './operation.js';

/** An array of sizes as the library reads it. */
export function dims(values: Shape): BigInt64Array {
  const array = new BigInt64Array(maxAxes);
  for (let i = 0; i < values.length; i++) array[i] = BigInt(values[i]);
  return array;
}

/** Strides, dilation and paddings of a convolution, in the library's order. */
export const convArguments = ({ stride, dilation, padBefore, padAfter }: ConvGeometry) =>
  [dims(stride), dims(dilation), dims(padBefore), dims(padAfter)] as const;

/** Strides, sizes, dilation and paddings of a pooling, in the library's order. */
export const poolArguments = ({ kernel, stride, padBefore, padAfter }: PoolGeometry) =>
  [dims(stride), dims(kernel), dims([0, 0]), dims(padBefore), dims(padAfter)] as const;
