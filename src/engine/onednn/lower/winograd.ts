import type { Conv2dParams } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import { takesConvolution } from '../../kernels/winogradConv.js';
import type { Lanes } from '../code/assembler.js';
import type { ConvAlgorithm } from '../ffi.js';

export type ConvDirection = 'forward' | 'backwardData' | 'backwardWeights';

/**
 * The kernels of convolutions. `direct`: direct kernels only. `auto`: Winograd's kernels too, where they
 * should be faster. `winograd`: Winograd's wherever the library has them, for tests and measurements.
 */
export type ConvChoice = 'auto' | 'direct' | 'winograd';

/** Winograd's kernels of the library, or those of our own code with so many lanes. */
export type WinogradKernels = 'library' | Lanes;

/**
 * A convolution in one direction. `result` is the shape [N, C, H, W] of the array that is computed in tiles
 * (forward: y).
 */
export interface ConvShape {
  readonly direction: ConvDirection;
  readonly result: Shape;
  /** [O, C/groups, kh, kw] */
  readonly weight: Shape;
  readonly params: Conv2dParams;
  /** Whether many runs use the same transformed weights. */
  readonly keepsWeights?: boolean;
}

/** With a smaller gain, the model is not sure enough. */
const worthwhile = 1.25;

/** The algorithms to ask the library for, best first. */
export function algorithmsFor(choice: ConvChoice, conv: ConvShape): readonly ConvAlgorithm[] {
  const tries = choice === 'winograd' ? isEligible(conv) : choice === 'auto' && winogradGain(conv) >= worthwhile;
  return tries ? ['winograd', 'direct'] : ['direct'];
}

/** Whether our own kernels compute it. */
export function suitsCode(choice: ConvChoice, lanes: Lanes, conv: ConvShape): boolean {
  if (choice === 'direct') return false;
  const gain = codeGain(lanes, conv);
  return choice === 'winograd' ? gain > 0 : gain >= worthwhile;
}

/** The expected speed of a convolution with these kernels, as a multiple of the direct kernel's. */
export function expectedGain(choice: ConvChoice, kernels: WinogradKernels, conv: ConvShape): number {
  if (kernels === 'library') return algorithmsFor(choice, conv)[0] === 'winograd' ? winogradGain(conv) : 1;
  return suitsCode(choice, kernels, conv) ? codeGain(kernels, conv) : 1;
}

function isEligible({ weight, params }: ConvShape): boolean {
  const { stride, dilation, padding, groups } = params;
  return (
    [weight[2], weight[3]].every((size) => size === 3) &&
    [groups, ...stride, ...dilation].every((n) => n === 1) &&
    // oneDNN 2.6 confuses the paddings, and gives wrong gradients where they differ.
    padding.every((n) => n === padding[0])
  );
}

/**
 * The expected speed of Winograd's F(4×4, 3×3), as a multiple of the direct kernel's speed (Lavin & Gray,
 * "Fast Algorithms for Convolutional Neural Networks", 2016). It is 0 where this kernel cannot or should not
 * be used. It depends on shapes alone, so that equal seeds give equal bits on every run.
 *
 * The kernel multiplies a quarter as often as the direct kernel, for whole tiles of 4×4 results. The model
 * has three costs: `product` is the cost of one multiplication, in units of a direct kernel's multiplication.
 * To transform the weights costs as much as `transformedWeights` tiles, and to transform the images as much
 * as `transformedImages` channels. The three were fitted to `npm run bench -- convolutions`.
 */
export function winogradGain(conv: ConvShape): number {
  const { direction, weight, keepsWeights = false } = conv;
  const [out, channels] = weight;
  // With fewer channels than a vector has elements, the kernel would compute padding.
  if (!isEligible(conv) || Math.min(out, channels) < 16) return 0;
  const product = 1.2;
  // Transformed weights that are kept cost something too: they are larger to read.
  const transformedWeights = keepsWeights ? 8 : direction === 'backwardWeights' ? 15 : 27;
  const transformedImages = 7.5;
  const tiles = tilesOf(conv);
  const computed = (16 * tiles) / (conv.result[0] * conv.result[2] * conv.result[3]);
  const cost = product + transformedWeights / tiles + transformedImages * (1 / channels + 1 / out);
  return 4 / (computed * cost);
}

/**
 * Costs of our own kernels by lanes and direction, in products of the direct kernel: of a product, of the
 * transforms of a feature, of those of a weight, and of a weight more if the transformed ones come from
 * memory. Fitted to `npm run bench -- convolutions`.
 */
const codeCosts = {
  8: { forward: [1.14, 4.1, 5, 20], backwardData: [1.17, 4.9, 5, 20], backwardWeights: [1.13, 2.1, 5, 20] },
  16: { forward: [1.1, 8.6, 6, 20], backwardData: [1.15, 5.7, 6, 20], backwardWeights: [1.44, 5.9, 6, 47] },
} as const satisfies Readonly<Record<Lanes, Readonly<Record<ConvDirection, readonly number[]>>>>;

/** Numbers of weights from which transformed ones leave the caches, and of which none stays there. */
const [cached, uncached] = [256 * 256, 512 * 512];

/** {@link winogradGain} for our own kernels. */
export function codeGain(lanes: Lanes, conv: ConvShape): number {
  const { direction, result, weight, params, keepsWeights = false } = conv;
  const [out, channels] = weight;
  if (!takesConvolution(weight, params) || [out, channels].some((n) => n % lanes !== 0)) return 0;
  const tiles = tilesOf(conv);
  const [product, ofFeature, ofWeight, ofUncached] = codeCosts[lanes][direction];
  const share = Math.min(1, Math.max(0, (out * channels - cached) / (uncached - cached)));
  // Transformed weights that are kept are read from memory too.
  const ofWeights = keepsWeights ? ofWeight * share : ofWeight + ofUncached * share;
  const cost = product + ofFeature * (1 / channels + 1 / out) + ofWeights / tiles;
  return (9 * result[0] * result[2] * result[3]) / (36 * tiles) / cost;
}

/** Number of tiles of 4×4 results in all images. */
function tilesOf({ result: [images, , height, width] }: ConvShape): number {
  return images * Math.ceil(height / 4) * Math.ceil(width / 4);
}

/**
 * Whether F(2×2, 3×3) is faster than the direct kernel. The library uses it for single images with kept
 * weights.
 */
export function isSmall(conv: ConvShape): boolean {
  return tilesOf(conv) <= 64;
}
