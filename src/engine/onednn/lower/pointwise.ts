import type { Conv2dParams } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import { type Bfloat16Unit, describe, MemoryDesc, Primitive } from '../ffi.js';
import { bfloat16Unit } from '../processor.js';
import { biasDesc } from './common.js';

/** A convolution whose weight gradient is wanted. */
export interface WeightGradient {
  /** `[N, C, H, W]` */
  readonly x: Shape;
  /** `[O, C, kh, kw]` */
  readonly weight: Shape;
  readonly params: Conv2dParams;
  readonly bias: boolean;
}

/** A product of two matrices with a row for each pixel: this is the memory of channels-last features. */
export interface PointwiseProduct {
  readonly primitive: Primitive;
  readonly src: MemoryDesc;
  readonly diffDst: MemoryDesc;
  /** The gradient with the product's axes, `[O, C]`. */
  readonly diffWeights: MemoryDesc;
  /** The same with the convolution's axes, `[O, C, 1, 1]`. */
  readonly layout: MemoryDesc;
}

/**
 * On AMX the convolution's own kernel for weight gradients sums over one row of pixels at a time, up to 32
 * pixels at once. With shorter rows a part of the unit is idle. The product of the same matrices is four
 * times as fast with rows of 7 pixels, twice with 14, about as fast with 28, and a little slower with 56 (for
 * batches from 2 to 64).
 */
const longestRow = 28;

/**
 * Whether a product of matrices gives the gradient of the convolution's weights, and is faster. It depends on
 * shapes and processor alone.
 */
export function isPointwiseProduct(
  { x, weight, params }: Omit<WeightGradient, 'bias'>,
  unit: Bfloat16Unit | null = bfloat16Unit(),
): boolean {
  const { stride, padding, groups } = params;
  const [, , ...kernel] = weight;
  const isPointwise = [...kernel, ...stride, groups].every((n) => n === 1) && padding.every((n) => n === 0);
  return isPointwise && x[3] <= longestRow && unit === 'AMX';
}

/**
 * The product that is the gradient of a 1×1 convolution's weights, in bfloat16; `null` where the library has
 * no such kernel.
 *
 * @param own takes the primitive that the kernel is derived from
 */
export function pointwiseWeightGradient(
  { x, weight, bias }: WeightGradient,
  own: (primitive: Primitive) => Primitive,
): PointwiseProduct | null {
  const [out, channels] = weight;
  const pixels = x[0] * x[2] * x[3];
  const src = MemoryDesc.plain([pixels, channels], 'bfloat16');
  const diffDst = MemoryDesc.plain([pixels, out], 'bfloat16');
  const descs = (weights: 'float32' | 'bfloat16') => [
    src,
    MemoryDesc.any([out, channels], weights),
    biasDesc(out, bias),
    diffDst,
  ];
  const forward = Primitive.create(describe.linearForward('training', descs('bfloat16')));
  if (forward === null) return null;
  const primitive = Primitive.create(describe.linearBackwardWeights(descs('float32')), {}, own(forward));
  // The library's plain matrix product is slower than the convolution.
  if (primitive === null || primitive.family !== 'batchedProduct') {
    primitive?.destroy();
    return null;
  }
  const diffWeights = primitive.layout('diffWeights');
  return { primitive, src, diffDst, diffWeights, layout: diffWeights.reshaped([out, channels, 1, 1]) };
}
