import { InputError, ShapeError } from '../../errors.js';
import { maxPixelsAtOnce } from './image.js';

/** Place of an image's channels: last, as in pictures, or first, as networks need them. */
export type Layout = 'HWC' | 'CHW';

export type RasterData = Uint8Array | Float32Array;

/**
 * The pixels of an image, row by row: bytes from 0 to 255, or floats. Three channels are red, green and blue.
 */
export interface Raster {
  /** height·width·channels values. */
  readonly data: RasterData;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly layout: Layout;
}

/** The largest number of values of an image in memory: 100 million pixels in colour. */
const maxValues = 3 * maxPixelsAtOnce;

/**
 * An array of the same type with `length` values, all 0.
 *
 * @throws {InputError} for an image that is too large for memory
 */
export function blank(data: RasterData, length: number): RasterData {
  if (length > maxValues) {
    throw new InputError(
      `[transforms] result: expected at most ${maxValues / 1e6} million values, got ${length}; choose a smaller size`,
    );
  }
  return data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
}

/** Distances in the data: one row down, one pixel to the right, the next channel. */
export function stridesOf({ height, width, channels, layout }: Omit<Raster, 'data'>) {
  return layout === 'HWC'
    ? { down: width * channels, right: channels, deep: 1 }
    : { down: width, right: 1, deep: height * width };
}

/** The same image with its channels where `layout` says. */
export function withLayout(image: Raster, layout: Layout): Raster {
  if (image.layout === layout) return image;
  if (image.channels === 1) return { ...image, layout };
  const { data, height, width, channels } = image;
  const result = blank(data, data.length);
  const plane = height * width;
  if (layout === 'HWC') {
    for (let c = 0; c < channels; c++) {
      for (let p = 0, to = c; p < plane; p++, to += channels) result[to] = data[c * plane + p];
    }
  } else {
    for (let c = 0; c < channels; c++) {
      for (let p = 0, from = c; p < plane; p++, from += channels) result[c * plane + p] = data[from];
    }
  }
  return { ...image, data: result, layout };
}

/** Runs `work` on the image with channels last, and returns the result in the image's own layout. */
export function inHWC(image: Raster, work: (image: Raster) => Raster): Raster {
  return withLayout(work(withLayout(image, 'HWC')), image.layout);
}

/**
 * Like {@link inHWC}, for work that averages neighbours. In bytes with 2 or 4 channels the last one is
 * transparency, as in Pillow. Colours are weighted with it, so that those of invisible pixels do not affect
 * their neighbours.
 */
export function premultiplied(image: Raster, work: (image: Raster) => Raster): Raster {
  const { data, channels } = image;
  if (!(data instanceof Uint8Array) || (channels !== 2 && channels !== 4)) return inHWC(image, work);
  return inHWC(image, (source) => {
    const result = work({ ...source, data: eachColour(source, (value, alpha) => overByte(value * alpha)) });
    const apart = (value: number, alpha: number) =>
      alpha === 0 || alpha === 255 ? value : Math.min(255, Math.trunc((255 * value) / alpha));
    return { ...result, data: eachColour(result, apart) };
  });
}

/** Changes the colours of pixels, channels last, depending on their last channel. */
function eachColour({ data, channels }: Raster, change: (value: number, alpha: number) => number): Uint8Array {
  const result = Uint8Array.from(data);
  for (let at = 0; at < result.length; at += channels) {
    const alpha = result[at + channels - 1];
    for (let c = 0; c < channels - 1; c++) result[at + c] = change(result[at + c], alpha);
  }
  return result;
}

/** A product of two bytes divided by 255, rounded as in Pillow. */
function overByte(product: number): number {
  const value = product + 128;
  return ((value >> 8) + value) >> 8;
}

/** @throws {ShapeError} if the sizes do not fit the data */
export function requireRaster(where: string, image: Raster): void {
  const { data, height, width, channels, layout } = image ?? {};
  const isData = data instanceof Uint8Array || data instanceof Float32Array;
  const positive = [height, width, channels].every((size) => Number.isSafeInteger(size) && size > 0);
  if (isData && positive && data.length === height * width * channels && (layout === 'HWC' || layout === 'CHW')) return;
  throw new ShapeError(
    `[transforms] ${where}: expected an image with bytes or float32 values for height × width × channels, ` +
      `got ${isData ? `${data.length} values` : 'no such data'} for ${height} × ${width} × ${channels} (${layout})`,
  );
}

/** Requires bytes with one or three channels, which colours need. @throws {InputError} for others */
export function requireBytes(where: string, image: Raster): Uint8Array {
  const { data, channels } = image;
  if (!(data instanceof Uint8Array)) {
    throw new InputError(`[transforms] ${where}: expected bytes, got floats; put it before ToTensor and Normalize`);
  }
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError(`[transforms] ${where}: expected 1 or 3 channels, got ${channels}`);
  }
  return data;
}

/** One value for each channel. @throws {ShapeError} for a list of another length */
export function perChannel(where: string, value: number | readonly number[], channels: number): readonly number[] {
  const values = typeof value === 'number' ? [value] : value;
  if (values.length === channels) return values;
  if (values.length === 1) return new Array<number>(channels).fill(values[0]);
  throw new ShapeError(`[transforms] ${where}: expected 1 or ${channels} values, got ${values.length}`);
}

/** @throws {InputError} for an edge that is no integer from 1 to 65,535 */
export function requireSize(name: string, size: number): void {
  if (!Number.isSafeInteger(size) || size < 1 || size > 65_535) {
    throw new InputError(`[resize] ${name}: expected an integer from 1 to 65535, got ${size}`);
  }
}
