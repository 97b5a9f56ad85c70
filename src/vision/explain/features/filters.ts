import { InputError } from '../../../errors.js';
import type { Layer } from '../../../nn/layer.js';
import { Conv2D } from '../../../nn/parametric.js';

/** The weights of a convolution. */
export interface Filters {
  /** Dotted name of the layer. */
  readonly layer: string;
  /** In row-major order. */
  readonly values: Float32Array;
  /** `[filters, channels, height, width]` */
  readonly shape: readonly [filters: number, channels: number, height: number, width: number];
}

/**
 * The filters of the first convolution of a network: the only ones that look at pixels, so that they can be
 * looked at as pictures.
 *
 * @throws {InputError} for a network without a convolution
 */
export async function firstFilters(network: Layer): Promise<Filters> {
  for (const [layer, conv] of network.namedSublayers()) {
    if (!(conv instanceof Conv2D)) continue;
    const { weight } = conv;
    const [filters, channels, height, width] = weight.shape;
    return { layer, values: await weight.data('float32'), shape: [filters, channels, height, width] };
  }
  throw new InputError('[features] network: expected a convolution, whose filters can be shown, got none');
}

/**
 * Filters as pictures from 0 to 1 with one scale for all, in which 0 is grey (0.5), positive weights are
 * brighter and negative ones darker. Filters of three channels are in colour, of others grey: the mean over
 * the channels.
 *
 * @param options.blueFirst whether the network takes blue, green, red. Default false
 * @returns one picture a filter, `[1 or 3, height, width]`
 */
export function filterPictures(
  { values, shape }: Filters,
  options: { readonly blueFirst?: boolean } = {},
): TilePicture[] {
  const [filters, channels, height, width] = shape;
  const { blueFirst = false } = options;
  const plane = height * width;
  const planes = channels === 3 ? 3 : 1;
  const shown = new Float32Array(filters * planes * plane);
  for (let f = 0; f < filters; f++) {
    for (let c = 0; c < channels; c++) {
      const to = planes === 3 ? (blueFirst ? 2 - c : c) : 0;
      for (let p = 0; p < plane; p++) {
        shown[(f * planes + to) * plane + p] += values[(f * channels + c) * plane + p] / (planes === 3 ? 1 : channels);
      }
    }
  }
  let most = 0;
  for (const value of shown) most = Math.max(most, Math.abs(value));
  const scaled = shown.map((value) => (most === 0 ? 0.5 : 0.5 + value / (2 * most)));
  return Array.from({ length: filters }, (_, f) => ({
    values: scaled.subarray(f * planes * plane, (f + 1) * planes * plane),
    shape: [planes, height, width],
  }));
}

/** A picture among others of a grid: values from 0 to 1, `[1 or 3, height, width]`. */
export interface TilePicture {
  readonly values: Float32Array;
  readonly shape: readonly [channels: number, height: number, width: number];
}
