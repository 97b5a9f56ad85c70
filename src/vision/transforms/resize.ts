import { InputError } from '../../errors.js';
import type { RGBImage } from './image.js';

export interface ResizeOptions {
  /**
   * Average over all source pixels that an output pixel covers when an image is reduced, as Pillow does (false: weigh
   * the four nearest source pixels, as OpenCV does).
   */
  readonly antialias?: boolean;
}

/** One axis of a bilinear resize: two neighbours and their weights for each output position. */
export interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** In 1/2048. */
  readonly firstWeight: Int32Array;
  readonly secondWeight: Int32Array;
}

/**
 * Resizes with linear interpolation between pixel centres.
 *
 * Without antialiasing the result is that of OpenCV's `resize` with INTER_LINEAR on bytes, in its fixed-point
 * arithmetic (where OpenCV takes another path, as for rows of one pixel, one grey level off). With antialiasing it is
 * that of Pillow's `resize` with BILINEAR.
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

export function requireSize(name: string, size: number): void {
  if (!Number.isSafeInteger(size) || size < 1 || size > 65_535) {
    throw new InputError(`[resize] ${name}: expected an integer from 1 to 65535, got ${size}`);
  }
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

/** Where the pixel in row y and column x is: `origin + y · down + x · right`. */
export interface PixelLayout {
  readonly origin: number;
  readonly down: number;
  readonly right: number;
}

/** Output rows from `top` and columns from `left`; `bottom` and `right` are the first ones beyond. */
export interface Region {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Computes a region of the output, of `width` pixels a row; what it does not need of the source is not read. */
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
        // OpenCV's order of shifts, which decides about the last grey level.
        output[at + c] = (((upperWeight * (above >> 4)) >> 16) + ((lowerWeight * (below >> 4)) >> 16) + 2) >> 2;
      }
    }
  }
}

/** Resize with antialiasing that takes the source row by row, from the top, in as many parts as one likes. */
export class AreaResizer {
  readonly #columns: readonly Window[];
  readonly #rows: readonly Window[];
  readonly #line: Float64Array;
  readonly #sums: Float64Array;

  constructor(
    readonly fromHeight: number,
    readonly fromWidth: number,
    readonly height: number,
    readonly width: number,
  ) {
    this.#columns = triangleWindows(fromWidth, width);
    this.#rows = triangleWindows(fromHeight, height);
    this.#line = new Float64Array(3 * width);
    this.#sums = new Float64Array(3 * width * height);
  }

  /** Adds `count` source rows from row `first` on. Each row has to come once. */
  add(data: Uint8Array, first: number, count: number): void {
    for (let row = first; row < first + count; row++) {
      this.#reduce(data, 3 * this.fromWidth * (row - first));
      // A source row counts for the few output rows around its own place.
      const middle = Math.floor(((row + 0.5) * this.height) / this.fromHeight);
      const reach = Math.ceil(this.height / this.fromHeight) + 1;
      for (let y = Math.max(0, middle - reach); y <= Math.min(this.height - 1, middle + reach); y++) {
        const weight = this.#rows[y].weights[row - this.#rows[y].first];
        if (weight === undefined) continue;
        const at = y * this.#line.length;
        for (let i = 0; i < this.#line.length; i++) this.#sums[at + i] += weight * this.#line[i];
      }
    }
  }

  result(): RGBImage {
    return { data: Uint8Array.from(this.#sums, toByte), height: this.height, width: this.width };
  }

  /** One source row, reduced in width; rounded to bytes, as Pillow does between its two passes. */
  #reduce(data: Uint8Array, start: number): void {
    this.#columns.forEach(({ first, weights }, x) => {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let i = 0, at = start + 3 * first; i < weights.length; i++, at += 3) {
        red += weights[i] * data[at];
        green += weights[i] * data[at + 1];
        blue += weights[i] * data[at + 2];
      }
      this.#line[3 * x] = toByte(red);
      this.#line[3 * x + 1] = toByte(green);
      this.#line[3 * x + 2] = toByte(blue);
    });
  }
}

function toByte(value: number): number {
  return Math.min(255, Math.floor(value + 0.5));
}

/** Source positions that an output position covers, and their weights, which add up to 1. */
interface Window {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Pillow's windows: a triangle as wide as two output pixels, or two source pixels if those are wider. */
function triangleWindows(from: number, to: number): Window[] {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(from, Math.trunc(centre + reach + 0.5));
    const weights = Float64Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k + 0.5 - centre) / reach)),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}
