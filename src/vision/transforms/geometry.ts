import { InputError } from '../../errors.js';
import { blank, inHWC, perChannel, type Raster, stridesOf } from './raster.js';
import { type Interpolation, resample } from './resample.js';
import { roundHalfEven } from './resize.js';
import { type AffineMatrix, affineMatrix, radians, type WarpOptions, warp } from './warp.js';

/**
 * Moving, cutting and turning pictures, as in `paddle.vision.transforms` with Pillow. All functions return
 * new images.
 */

/** One length for all, or `[height, width]`. */
export type ImageSize = number | readonly [height: number, width: number];

/** One width for all sides, `[left and right, top and bottom]`, or `[left, top, right, bottom]`. */
export type Padding =
  | number
  | readonly [leftRight: number, topBottom: number]
  | readonly [left: number, top: number, right: number, bottom: number];

/**
 * Contents of the border: 'constant' a value, 'edge' the outermost pixel, 'reflect' and 'symmetric' the
 * mirrored picture (with 'symmetric' its outermost pixel comes twice).
 */
export type PaddingMode = 'constant' | 'edge' | 'reflect' | 'symmetric';

export interface PadOptions {
  /** Value of 'constant' (0): one, or one for each channel. */
  readonly fill?: number | readonly number[];
  /** 'constant' (default), 'edge', 'reflect' or 'symmetric'. */
  readonly paddingMode?: PaddingMode;
}

/** A part of an image. Pixels outside of the image are 0. */
export function crop(image: Raster, top: number, left: number, height: number, width: number): Raster {
  return inHWC(image, (source) => {
    const { data, channels } = source;
    const result = blank(data, height * width * channels);
    const [first, end] = [Math.max(0, -left), Math.min(width, source.width - left)];
    for (let y = Math.max(0, -top); y < Math.min(height, source.height - top) && first < end; y++) {
      const from = ((top + y) * source.width + left) * channels;
      result.set(data.subarray(from + first * channels, from + end * channels), (y * width + first) * channels);
    }
    return { ...source, data: result, height, width };
  });
}

/** The middle of an image. If the image is smaller, it gets a border of 0. */
export function centerCrop(image: Raster, size: ImageSize): Raster {
  const [height, width] = bothSizes(size);
  const top = roundHalfEven((image.height - height) / 2);
  return crop(image, top, roundHalfEven((image.width - width) / 2), height, width);
}

/** Exchanges left and right. */
export function hflip(image: Raster): Raster {
  const { down, right } = stridesOf(image);
  return rearranged(image, image, (image.width - 1) * right, down, -right);
}

/** Exchanges top and bottom. */
export function vflip(image: Raster): Raster {
  const { down, right } = stridesOf(image);
  return rearranged(image, image, (image.height - 1) * down, -down, right);
}

/** Adds a border to an image. */
export function pad(image: Raster, padding: Padding, { fill = 0, paddingMode = 'constant' }: PadOptions = {}): Raster {
  const [left, top, right, bottom] = sides(padding);
  return inHWC(image, (source) => {
    const { data, channels } = source;
    const [height, width] = [source.height + top + bottom, source.width + left + right];
    const result = blank(data, height * width * channels);
    const values = perChannel('fill', fill, channels);
    const columns = borderPlaces(source.width, left, width, paddingMode);
    const rows = borderPlaces(source.height, top, height, paddingMode);
    for (let y = 0, to = 0; y < height; y++) {
      const line = rows[y] * source.width;
      for (let x = 0; x < width; x++) {
        const isOutside = line < 0 || columns[x] < 0;
        const from = (line + columns[x]) * channels;
        for (let c = 0; c < channels; c++, to++) result[to] = isOutside ? values[c] : data[from + c];
      }
    }
    return { ...source, data: result, height, width };
  });
}

/**
 * Resizes an image.
 *
 * @param size `[height, width]`, or the length of the shorter edge, which keeps the proportions
 */
export function resize(image: Raster, size: ImageSize, interpolation: Interpolation = 'bilinear'): Raster {
  if (typeof size !== 'number') return resample(image, size[0], size[1], interpolation);
  const { height, width } = image;
  const longer = Math.trunc((size * Math.max(height, width)) / Math.min(height, width));
  return width < height ? resample(image, longer, size, interpolation) : resample(image, size, longer, interpolation);
}

export interface RotateOptions extends WarpOptions {
  /** Enlarge the result so that the whole turned picture fits (false). */
  readonly expand?: boolean;
  /** Point to turn about, `[x, y]` in pixels from the top left (the middle). */
  readonly center?: readonly [x: number, y: number] | null;
}

/**
 * Turns an image.
 *
 * @param angle degrees, counterclockwise
 */
export function rotate(image: Raster, angle: number, options: RotateOptions = {}): Raster {
  const { expand = false, center = null, ...rest } = options;
  const { height, width } = image;
  const turn = ((angle % 360) + 360) % 360;
  if (center === null) {
    if (turn === 0) return image;
    if (turn === 180) return vflip(hflip(image));
    if ((turn === 90 || turn === 270) && (expand || width === height)) return quarterTurn(image, turn);
  }
  const [cx, cy] = center ?? [width / 2, height / 2];
  const [cos, sin] = [Math.cos(radians(-turn)), Math.sin(radians(-turn))].map((x) => Number(x.toFixed(15)));
  const at = (x: number, y: number): [number, number] => [cos * x + sin * y, -sin * x + cos * y];
  let [c, f] = at(-cx, -cy);
  c += cx;
  f += cy;
  let size = { height, width };
  if (expand) {
    const corners = [at(0, 0), at(width, 0), at(width, height), at(0, height)];
    const extent = (axis: 0 | 1, offset: number) => {
      const places = corners.map((corner) => corner[axis] + offset);
      return Math.ceil(Math.max(...places)) - Math.floor(Math.min(...places));
    };
    size = { width: extent(0, c), height: extent(1, f) };
    const [x, y] = at(-(size.width - width) / 2, -(size.height - height) / 2);
    c += x;
    f += y;
  }
  return warp(image, [cos, sin, c, -sin, cos, f] satisfies AffineMatrix, size, rest);
}

export interface AffineOptions extends WarpOptions {
  /** Pixels to the right and down ([0, 0]). */
  readonly translate?: readonly [x: number, y: number];
  /** Positive (1). */
  readonly scale?: number;
  /** Degrees along x and y, from −180 to 180 ([0, 0]). */
  readonly shear?: readonly [x: number, y: number];
  /** Fixed point, `[x, y]` in pixels from the top left (the middle). */
  readonly center?: readonly [x: number, y: number] | null;
}

/**
 * Turns, moves, scales and shears an image; its size stays.
 *
 * @param angle degrees, clockwise
 */
export function affine(image: Raster, angle: number, options: AffineOptions = {}): Raster {
  const { translate = [0, 0], scale = 1, shear = [0, 0], center = null, ...rest } = options;
  if (!(scale > 0 && scale < Infinity)) {
    throw new InputError(`[transforms] scale: expected a positive number, got ${scale}`);
  }
  const { height, width } = image;
  return warp(image, affineMatrix(center ?? [width / 2, height / 2], angle, translate, scale, shear), image, rest);
}

/**
 * Replaces a rectangle.
 *
 * @param value one value, one for each channel, or a function that returns the next value
 */
export function erase(
  image: Raster,
  top: number,
  left: number,
  height: number,
  width: number,
  value: number | readonly number[] | (() => number),
): Raster {
  const data = image.data.slice();
  const { down, right, deep } = stridesOf(image);
  const values = typeof value === 'function' ? null : perChannel('value', value, image.channels);
  for (let y = top; y < Math.min(image.height, top + height); y++) {
    for (let x = left; x < Math.min(image.width, left + width); x++) {
      for (let c = 0; c < image.channels; c++) {
        data[y * down + x * right + c * deep] = values?.[c] ?? (value as () => number)();
      }
    }
  }
  return { ...image, data };
}

export function bothSizes(size: ImageSize): readonly [height: number, width: number] {
  return typeof size === 'number' ? [size, size] : size;
}

function sides(padding: Padding): readonly [left: number, top: number, right: number, bottom: number] {
  if (typeof padding === 'number') return [padding, padding, padding, padding];
  const [left, top, right = left, bottom = top] = padding;
  return [left, top, right, bottom];
}

/** For each position of the padded axis, the position in the image; −1 for none. */
function borderPlaces(length: number, before: number, total: number, mode: PaddingMode): Int32Array {
  const period = mode === 'reflect' ? Math.max(1, 2 * (length - 1)) : 2 * length;
  return new Int32Array(total).map((_, i) => {
    const at = i - before;
    if (at >= 0 && at < length) return at;
    if (mode === 'constant') return -1;
    if (mode === 'edge') return at < 0 ? 0 : length - 1;
    const folded = ((at % period) + period) % period;
    if (folded < length) return folded;
    return mode === 'reflect' ? period - folded : period - 1 - folded;
  });
}

/** 90 or 270 degrees counterclockwise, without loss. */
function quarterTurn(image: Raster, turn: number): Raster {
  const { down, right } = stridesOf(image);
  const size = { height: image.width, width: image.height };
  return turn === 90
    ? rearranged(image, size, (image.width - 1) * right, -right, down)
    : rearranged(image, size, (image.height - 1) * down, right, -down);
}

/**
 * The pixel in row y and column x of the result is the one at `origin + y · acrossRow + x · alongRow` of the
 * image.
 */
function rearranged(
  image: Raster,
  { height, width }: { readonly height: number; readonly width: number },
  origin: number,
  acrossRow: number,
  alongRow: number,
): Raster {
  const { data: source, channels } = image;
  const data = blank(source, source.length);
  const result: Raster = { ...image, height, width, data };
  const { deep: from } = stridesOf(image);
  const { down, right, deep } = stridesOf(result);
  for (let y = 0; y < height; y++) {
    let at = origin + y * acrossRow;
    for (let x = 0, to = y * down; x < width; x++, at += alongRow, to += right) {
      for (let c = 0; c < channels; c++) data[to + c * deep] = source[at + c * from];
    }
  }
  return result;
}
