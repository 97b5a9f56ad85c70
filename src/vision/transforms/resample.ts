import { blank, inHWC, premultiplied, type Raster, type RasterData, requireSize } from './raster.js';

/**
 * The way to compute values between pixels, by Pillow's names. When an image is reduced, all but 'nearest'
 * average.
 */
export type Interpolation = 'nearest' | 'bilinear' | 'bicubic' | 'box' | 'hamming' | 'lanczos';

/** A resampling filter: its half width, and its weight at a distance. */
interface Filter {
  readonly support: number;
  weight(x: number): number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

const filters: Readonly<Record<Exclude<Interpolation, 'nearest'>, Filter>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI))),
  },
  bicubic: {
    support: 2,
    weight: (at) => {
      const x = Math.abs(at);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** The source positions that contribute to an output position, from `first` on, and their weights. */
export interface WeightWindow {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Pillow's weights of bytes are multiples of 2^-22. */
const bits = 22;
/** Start of sums of weighted bytes, so that {@link byteOf} rounds. */
export const halfByte = 1 << (bits - 1);

/** The byte of a sum of bytes with integer weights. */
export function byteOf(sum: number): number {
  return Math.min(255, Math.max(0, sum >> bits));
}

/** Windows of 'bilinear' for bytes, with integer weights, for resizing with antialiasing. */
export function bilinearWindows(from: number, to: number): WeightWindow[] {
  return windowsOf(from, to, filters.bilinear, true);
}

/**
 * Resizes an image, also of floats, as Pillow's `resize` does. Bytes are the same as Pillow's, or differ by
 * one grey level where newer versions of Pillow begin with the columns because that is cheaper.
 *
 * @throws {InputError} for sizes that are no integers from 1 to 65,535
 */
export function resample(image: Raster, height: number, width: number, interpolation: Interpolation): Raster {
  requireSize('height', height);
  requireSize('width', width);
  if (image.height === height && image.width === width) return image;
  if (interpolation === 'nearest') return inHWC(image, (source) => pick(source, height, width));
  return premultiplied(image, (source) => {
    const filter = filters[interpolation];
    const { channels } = source;
    let { data } = source;
    const isBytes = data instanceof Uint8Array;
    if (source.width !== width) {
      const windows = windowsOf(source.width, width, filter, isBytes);
      const lines = source.height;
      data = along(data, blank(data, lines * width * channels), windows, lines, channels);
    }
    if (source.height !== height) {
      const windows = windowsOf(source.height, height, filter, isBytes);
      data = along(data, blank(data, height * width * channels), windows, 1, width * channels);
    }
    return { ...source, data, height, width };
  });
}

/**
 * Computes weighted sums along one axis: its positions come `lines` times, and each of them has `size`
 * values.
 */
function along(
  data: RasterData,
  result: RasterData,
  windows: readonly WeightWindow[],
  lines: number,
  size: number,
): RasterData {
  const isBytes = data instanceof Uint8Array;
  const length = data.length / (lines * size);
  for (let line = 0, to = 0; line < lines; line++) {
    const start = line * length * size;
    for (const { first, weights } of windows) {
      const begin = start + first * size;
      for (let i = 0; i < size; i++, to++) {
        let sum = isBytes ? halfByte : 0;
        for (let k = 0, at = begin + i; k < weights.length; k++, at += size) sum += weights[k] * data[at];
        result[to] = isBytes ? byteOf(sum) : sum;
      }
    }
  }
  return result;
}

function windowsOf(from: number, to: number, { support, weight }: Filter, isBytes: boolean): WeightWindow[] {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(from, Math.trunc(centre + reach + 0.5));
    const weights = Float64Array.from({ length: end - first }, (_, k) => weight((first + k - centre + 0.5) / stretch));
    const sum = weights.reduce((total, w) => total + w, 0);
    const whole = (w: number) => Math.trunc(w * 2 ** bits + Math.sign(w) * 0.5);
    return { first, weights: weights.map((w) => (isBytes ? whole(w / sum) : w / sum)) };
  });
}

/** The nearest source pixel for each output pixel. */
function pick(source: Raster, height: number, width: number): Raster {
  const { data, channels } = source;
  const result = blank(data, height * width * channels);
  const [rows, columns] = [places(source.height, height), places(source.width, width)];
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      const from = (row * source.width + column) * channels;
      for (let c = 0; c < channels; c++) result[to++] = data[from + c];
    }
  }
  return { ...source, data: result, height, width };
}

/** The positions are added up as Pillow does it, which decides ties. */
function places(from: number, to: number): Int32Array {
  const scale = from / to;
  let position = 0.5 * scale;
  return new Int32Array(to).map(() => {
    const place = Math.min(from - 1, Math.trunc(position));
    position += scale;
    return place;
  });
}
