import { tilesOf } from '../kernels/winogradConv.js';
import type { Convolution } from './geometry.js';

type Direction = 'forward' | 'backwardData' | 'backwardWeights';

/** With a smaller gain, the model is not sure enough. */
const worthwhile = 1.15;

/**
 * Whether Winograd's kernels compute a convolution, and faster than the direct ones. It depends on shapes
 * alone.
 */
export function suitsWinograd(conv: Convolution, direction: Direction, keepsWeights = false): boolean {
  const { weight, params } = conv;
  const { stride, dilation, padding, groups } = params;
  const isEligible =
    [weight[2], weight[3]].every((size) => size === 3) &&
    [groups, ...stride, ...dilation].every((n) => n === 1) &&
    padding.every((n) => n <= 2);
  return isEligible && gain(conv, direction, keepsWeights) >= worthwhile;
}

/**
 * The expected speed as a multiple of the direct kernel's. A tile of 4×4 results takes 36 products in place
 * of 144. Transforms cost as much as so many channels, those of weights as much as so many tiles. The numbers
 * were fitted to `npm run bench -- portable`.
 */
function gain({ x, weight, y }: Convolution, direction: Direction, keepsWeights: boolean): number {
  const [outChannels, inChannels] = weight;
  if (Math.min(outChannels, inChannels) < 8) return 0;
  const result = direction === 'backwardData' ? x : y;
  const [rows, columns] = tilesOf({ images: x[0], output: [result[2], result[3]] });
  const tiles = rows * columns;
  const [product, ofFeatures] = [1.05, 8];
  const ofWeights = keepsWeights ? 2 : 20;
  const cost = product + ofFeatures * (1 / inChannels + 1 / outChannels) + ofWeights / tiles;
  return (result[0] * result[2] * result[3] * 9) / (tiles * 36) / cost;
}
