import type { RGBImage } from './image.js';
import { requireSize } from './raster.js';
import { bilinearWindows, byteOf, halfByte, type WeightWindow } from './resample.js';

export interface ResizeOptions {
  /**
   * When an image is reduced, average over all source pixels that an output pixel covers, as Pillow does
   * (false: use the four nearest source pixels, as OpenCV does).
   */
  readonly antialias?: boolean;
}

/** One axis of a bilinear resize: two neighbours and their weights for each output position. */
export interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** First weight in units of 1/2048. */
  readonly firstWeight: Int32Array;
  readonly secondWeight: Int32Array;
}

/**
 * Resizes with linear interpolation between pixel centres.
 *
 * Without antialiasing the result equals that of OpenCV's `resize` with INTER_LINEAR on bytes, in its
 * fixed-point arithmetic. It differs by one grey level where OpenCV uses other code, as for rows of one
 * pixel. With antialiasing it equals that of Pillow's `resize` with BILINEAR.
 */
export function resizeBilinear(
  image: RGBImage,
  height: number,
  width: number,
  { antialias = false }: ResizeOptions = {},
): RGBImage {
  requireSize('height', height);
  requireSize('width', width);
  if (antialias) {
    const resizer = new AreaResizer(image.height, image.width, height, width);
    resizer.add(image.data, 0, image.height);
    return resizer.result();
  }
  const data = new Uint8Array(3 * height * width);
  const [rows, columns] = [bilinearTaps(image.height, height), bilinearTaps(image.width, width)];
  const whole = { top: 0, bottom: height, left: 0, right: width };
  sampleBilinear(image.data, { origin: 0, down: 3 * image.width, right: 3 }, rows, columns, whole, data, width);
  return { data, height, width };
}

/** OpenCV's positions and weights: centres at half pixels, float32 positions, weights rounded to 1/2048. */
export function bilinearTaps(from: number, to: number): Taps {
  const scale = 1 / (to / from);
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const firstWeight = new Int32Array(to);
  const secondWeight = new Int32Array(to);
  for (let i = 0; i < to; i++) {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    let near = Math.floor(position);
    let share = Math.fround(position - near);
    if (near < 0) [near, share] = [0, 0];
    if (near >= from - 1) [near, share] = [from - 1, 0];
    first[i] = near;
    second[i] = Math.min(near + 1, from - 1);
    firstWeight[i] = roundHalfEven(Math.fround(Math.fround(1 - share) * 2048));
    secondWeight[i] = roundHalfEven(share * 2048);
  }
  return { first, second, firstWeight, secondWeight };
}

export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** Position of the pixel in row y and column x: `origin + y · down + x · right`. */
export interface PixelLayout {
  readonly origin: number;
  readonly down: number;
  readonly right: number;
}

/** Output rows from `top` and columns from `left`; `bottom` and `right` are the first ones outside. */
export interface Region {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/**
 * Computes a region of the output, with `width` pixels in each row. It reads only the source pixels that the
 * region needs.
 */
export function sampleBilinear(
  source: Uint8Array,
  { origin, down, right: step }: PixelLayout,
  rows: Taps,
  columns: Taps,
  { top, bottom, left, right }: Region,
  output: Uint8Array,
  width: number,
): void {
  for (let y = top; y < bottom; y++) {
    const upper = origin + rows.first[y] * down;
    const lower = origin + rows.second[y] * down;
    const upperWeight = rows.firstWeight[y];
    const lowerWeight = rows.secondWeight[y];
    let at = 3 * (y * width + left);
    for (let x = left; x < right; x++, at += 3) {
      const near = columns.first[x] * step;
      const far = columns.second[x] * step;
      const nearWeight = columns.firstWeight[x];
      const farWeight = columns.secondWeight[x];
      for (let c = 0; c < 3; c++) {
        const above = source[upper + near + c] * nearWeight + source[upper + far + c] * farWeight;
        const below = source[lower + near + c] * nearWeight + source[lower + far + c] * farWeight;
        // The order of shifts is OpenCV's; it affects the last grey level.
        output[at + c] = (((upperWeight * (above >> 4)) >> 16) + ((lowerWeight * (below >> 4)) >> 16) + 2) >> 2;
      }
    }
  }
}

/**
 * Resizes with antialiasing and takes the source row by row, from the top, in any number of parts. The result
 * equals that of `resample` for the whole picture with 'bilinear', in every byte.
 *
 * The displayed picture is first reduced in width, and rounded to bytes between the two passes. If it is
 * `transposed` in its file, its width runs along the file's columns, so rows are added up before they are
 * reduced.
 */
export class AreaResizer {
  readonly #columns: readonly WeightWindow[];
  readonly #rows: readonly WeightWindow[];
  /** Values of a row between the two passes. */
  readonly #between: number;
  readonly #line: Uint8Array;
  readonly #sums: Int32Array;

  constructor(
    readonly fromHeight: number,
    readonly fromWidth: number,
    readonly height: number,
    readonly width: number,
    readonly transposed = false,
  ) {
    this.#columns = bilinearWindows(fromWidth, width);
    this.#rows = bilinearWindows(fromHeight, height);
    this.#between = 3 * (transposed ? fromWidth : width);
    this.#line = new Uint8Array(3 * width);
    this.#sums = new Int32Array(this.#between * height).fill(halfByte);
  }

  /** Adds `count` source rows, beginning with row `first`. Each row must come exactly once. */
  add(data: Uint8Array, first: number, count: number): void {
    for (let row = first; row < first + count; row++) {
      const start = 3 * this.fromWidth * (row - first);
      const line = this.transposed
        ? data.subarray(start, start + 3 * this.fromWidth)
        : this.#reduced(data, start, this.#line);
      // A source row contributes only to a few output rows around its place.
      const middle = Math.floor(((row + 0.5) * this.height) / this.fromHeight);
      const reach = Math.ceil(this.height / this.fromHeight) + 1;
      for (let y = Math.max(0, middle - reach); y <= Math.min(this.height - 1, middle + reach); y++) {
        const weight = this.#rows[y].weights[row - this.#rows[y].first];
        if (weight === undefined) continue;
        const at = y * line.length;
        for (let i = 0; i < line.length; i++) this.#sums[at + i] += weight * line[i];
      }
    }
  }

  result(): RGBImage {
    const { height, width } = this;
    const data = Uint8Array.from(this.#sums, byteOf);
    if (!this.transposed) return { data, height, width };
    const result = new Uint8Array(3 * height * width);
    for (let y = 0; y < height; y++) {
      this.#reduced(data, y * this.#between, result.subarray(3 * width * y, 3 * width * (y + 1)));
    }
    return { data: result, height, width };
  }

  /** A row, beginning at `start`, reduced in width. */
  #reduced(data: Uint8Array, start: number, line: Uint8Array): Uint8Array {
    this.#columns.forEach(({ first, weights }, x) => {
      let red = halfByte;
      let green = halfByte;
      let blue = halfByte;
      for (let i = 0, at = start + 3 * first; i < weights.length; i++, at += 3) {
        red += weights[i] * data[at];
        green += weights[i] * data[at + 1];
        blue += weights[i] * data[at + 2];
      }
      line[3 * x] = byteOf(red);
      line[3 * x + 1] = byteOf(green);
      line[3 * x + 2] = byteOf(blue);
    });
    return line;
  }
}
