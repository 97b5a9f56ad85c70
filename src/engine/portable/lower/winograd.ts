import { takesConvolution, tilesOf } from '../../kernels/winogradConv.js';
import type { Convolution } from './geometry.js';

type Direction = 'forward' | 'backwardData' | 'backwardWeights';

/** With a smaller gain, the model is not sure enough. */
const worthwhile = 1.15;

/**
 * Whether Winograd's kernels compute a convolution, and faster than the direct ones. It depends on shapes
 * alone.
 */
export function suitsWinograd(conv: Convolution, direction: Direction, keepsWeights = false): boolean {
  return takesConvolution(conv.weight, conv.params) && gain(conv, direction, keepsWeights) >= worthwhile;
}

/**
 * Costs by direction, in products of the direct kernel: of a product, of the transforms of a feature, and of
 * those of a weight. Fitted to processor times of both kernels for 16 shapes of one to ten images, with 8 to
 * 512 channels and 7×7 to 56×56 pixels; predictions differ from these times by up to a quarter.
 */
const costs = {
  forward: [1.03, 5.5, 3],
  backwardData: [0.98, 7.1, 3.2],
  backwardWeights: [0.97, 9.4, 7.1],
} as const satisfies Readonly<Record<Direction, readonly number[]>>;

/**
 * The expected speed as a multiple of the direct kernel's. A tile of 4×4 results takes 36 products in place
 * of 144. Each feature is transformed once for all channels on the other side, each weight for all tiles.
 */
function gain({ x, weight, y }: Convolution, direction: Direction, keepsWeights: boolean): number {
  const [outChannels, inChannels] = weight;
  if (Math.min(outChannels, inChannels) < 8) return 0;
  const result = direction === 'backwardData' ? x : y;
  const [rows, columns] = tilesOf({ images: x[0], output: [result[2], result[3]] });
  const tiles = rows * columns;
  const [product, ofFeature, ofWeight] = costs[direction];
  const ofWeights = keepsWeights ? 0 : ofWeight / tiles;
  const cost = product + ofFeature * (1 / inChannels + 1 / outChannels) + ofWeights;
  return (result[0] * result[2] * result[3] * 9) / (tiles * 36) / cost;
}
