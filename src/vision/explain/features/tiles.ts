import { InputError } from '../../../errors.js';
import { colorMap, scaleFor } from '../overlay.js';
import type { TilePicture } from './filters.js';
import type { FeatureMaps } from './layers.js';

/** Pixels between two pictures of a grid. */
const gap = 2;
/** A pixel of a map becomes this many at most. */
const mostScale = 16;

export interface TileOptions {
  /** Pictures in a row. Default: such that the grid is about a square. */
  readonly columns?: number | undefined;
  /** Least edge of a picture, in pixels; smaller ones are magnified by a whole number (96). */
  readonly size?: number | undefined;
}

/**
 * Pictures of one size in rows and columns, on white: `[3, H, W]` from 0 to 1, for `images.encodePng`. Small
 * pictures are magnified by repeating pixels, so that each weight and each place can be seen.
 *
 * @throws {InputError} without a picture, or with pictures of several sizes
 */
export function tiles(pictures: readonly TilePicture[], options: TileOptions = {}): TilePicture {
  const [first] = pictures;
  if (first === undefined) throw new InputError('[features] pictures: expected at least one, got none');
  const [, height, width] = first.shape;
  if (pictures.some(({ shape }) => shape[1] !== height || shape[2] !== width)) {
    throw new InputError('[features] pictures: expected pictures of one size, got several sizes');
  }
  const { columns = Math.ceil(Math.sqrt(pictures.length)), size = 96 } = options;
  const scale = Math.min(mostScale, Math.max(1, Math.ceil(size / Math.max(height, width))));
  const across = Math.min(columns, pictures.length);
  const rows = Math.ceil(pictures.length / across);
  const [cellHeight, cellWidth] = [height * scale + gap, width * scale + gap];
  const [wholeHeight, wholeWidth] = [rows * cellHeight + gap, across * cellWidth + gap];
  const whole = new Float32Array(3 * wholeHeight * wholeWidth).fill(1);
  for (const [i, { values, shape }] of pictures.entries()) {
    const top = gap + Math.floor(i / across) * cellHeight;
    const left = gap + (i % across) * cellWidth;
    for (let c = 0; c < 3; c++) {
      const plane = shape[0] === 1 ? 0 : c * height * width;
      for (let y = 0; y < height * scale; y++) {
        const from = plane + Math.floor(y / scale) * width;
        const to = (c * wholeHeight + top + y) * wholeWidth + left;
        for (let x = 0; x < width * scale; x++) whole[to + x] = values[from + Math.floor(x / scale)];
      }
    }
  }
  return { values: whole, shape: [3, wholeHeight, wholeWidth] };
}

/**
 * The channels of one image in a layer as pictures, with one scale of colours for the layer: dark blue is 0;
 * with negative values, blue is negative and red positive. A channel that gives nothing stays dark.
 *
 * @param maps with features `[N, C, H, W]`, or `[N, C]`, which become pictures of one pixel
 * @param options.image number of the image (0)
 * @param options.channels most channels to show (64)
 */
export function channelPictures(
  { values, shape }: Pick<FeatureMaps, 'values' | 'shape'>,
  options: { readonly image?: number | undefined; readonly channels?: number | undefined } = {},
): TilePicture[] {
  const { image = 0, channels: most = 64 } = options;
  const [count, channels, height = 1, width = 1] = shape;
  if (!(Number.isInteger(image) && image >= 0 && image < count)) {
    throw new InputError(`[features] image: expected a number from 0 to ${count - 1}, got ${image}`);
  }
  const plane = height * width;
  const shown = Math.min(most, channels);
  const own = values.subarray(image * channels * plane, (image + 1) * channels * plane);
  const scale = scaleFor([own]);
  return Array.from({ length: shown }, (_, c) => ({
    values: colorMap(own.subarray(c * plane, (c + 1) * plane), scale),
    shape: [3, height, width],
  }));
}
