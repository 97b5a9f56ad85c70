import { InputError, ShapeError } from '../../errors.js';

/** Where the channels of an image are: last, as in pictures, or first, as networks want them. */
export type Layout = 'HWC' | 'CHW';

export type RasterData = Uint8Array | Float32Array;

/** The pixels of an image: bytes from 0 to 255, or floats. Three channels are red, green and blue. Row by row. */
export interface Raster {
  /** height·width·channels values. */
  readonly data: RasterData;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly layout: Layout;
}

/** As many values of the same kind, all 0. */
export function blank(data: RasterData, length: number): RasterData {
  return data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
}

/** Distances between neighbours in the data: one row down, one pixel to the right, the next channel. */
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

/** Works on an image with channels last, and gives the result in the image's own layout. */
export function inHWC(image: Raster, work: (image: Raster) => Raster): Raster {
  return withLayout(work(withLayout(image, 'HWC')), image.layout);
}

/** @throws ShapeError if the sizes do not fit the data */
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

/** Colours are defined for bytes of one channel or three. @throws InputError for others */
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

/** One value a channel. @throws ShapeError for a list of another length */
export function perChannel(where: string, value: number | readonly number[], channels: number): readonly number[] {
  const values = typeof value === 'number' ? [value] : value;
  if (values.length === channels) return values;
  if (values.length === 1) return new Array<number>(channels).fill(values[0]);
  throw new ShapeError(`[transforms] ${where}: expected 1 or ${channels} values, got ${values.length}`);
}
