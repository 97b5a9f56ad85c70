import { InputError } from '../../errors.js';
import { type ChannelOrder, fitsInMemory, maxPixelsAtOnce, type RGBImage, toCHW } from '../transforms/image.js';
import { requireSize } from '../transforms/raster.js';
import { resizeBilinear } from '../transforms/resize.js';
import type { Area } from './decoded.js';

/**
 * Treatment of pictures whose proportions differ from the wanted ones: 'squash' changes the proportions,
 * 'crop' cuts off both ends, 'pad' adds black on both sides.
 */
export type Fit = (typeof fits)[number];

export const fits = ['squash', 'crop', 'pad'] as const;

export interface PreprocessOptions {
  /** Edge of the square result, or its `[height, width]` (224). */
  readonly size?: number | readonly [height: number, width: number];
  /** Order of the colour channels. Default 'RGB'; 'BGR' is OpenCV's. */
  readonly order?: ChannelOrder;
  /** Resize with antialiasing (false, as OpenCV does). */
  readonly antialias?: boolean;
  /** Treatment of pictures with other proportions ('squash', which makes an ellipse of a circle). */
  readonly fit?: Fit;
}

/** A picture prepared for a network. */
export interface Preprocessed {
  /** `[3, height, width]`, 0 to 255. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** Size of the displayed picture in the file. */
  readonly sourceHeight: number;
  readonly sourceWidth: number;
}

/** All options, with defaults. */
export interface Preprocessing {
  readonly height: number;
  readonly width: number;
  readonly order: ChannelOrder;
  readonly antialias: boolean;
  readonly fit: Fit;
}

/** @throws {InputError} for sizes that are no positive integers, or an unknown order or fit */
export function preprocessing(options: PreprocessOptions = {}): Preprocessing {
  const { size = 224, order = 'RGB', antialias = false, fit = 'squash' } = options;
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  requireSize('height', height);
  requireSize('width', width);
  if (!fitsInMemory(height, width)) {
    throw new InputError(
      `[preprocess] size: expected at most ${maxPixelsAtOnce / 1e6} million pixels, got ${height}×${width}; choose a smaller size`,
    );
  }
  if (order !== 'RGB' && order !== 'BGR') {
    throw new InputError(`[preprocess] order: expected 'RGB' or 'BGR', got '${order}'`);
  }
  if (!fits.includes(fit)) {
    throw new InputError(`[preprocess] fit: expected ${fits.map((name) => `'${name}'`).join(', ')}, got '${fit}'`);
  }
  return { height, width, order, antialias, fit };
}

/** The options that give these values. */
export function optionsOf({ height, width, ...rest }: Preprocessing): PreprocessOptions {
  return { size: [height, width], ...rest };
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** The largest part of `whole` with the proportions of `shape`, in its middle. */
export function middleOf(whole: Size, shape: Size): Area {
  const height = Math.min(whole.height, Math.max(1, Math.round((whole.width * shape.height) / shape.width)));
  const width = Math.min(whole.width, Math.max(1, Math.round((whole.height * shape.width) / shape.height)));
  return { top: (whole.height - height) >> 1, left: (whole.width - width) >> 1, height, width };
}

/** The image in its place, with black around it. */
export function placed(image: RGBImage, { top, left }: Area, { height, width }: Size): RGBImage {
  const data = new Uint8Array(3 * height * width);
  const line = 3 * image.width;
  for (let y = 0; y < image.height; y++) {
    data.set(image.data.subarray(y * line, (y + 1) * line), 3 * ((top + y) * width + left));
  }
  return { data, height, width };
}

/**
 * Resizes an image in memory, and puts its channels first: the bytes that `preprocess` makes of a file with
 * these pixels.
 */
export function preprocessImage(image: RGBImage, options: PreprocessOptions = {}): Preprocessed {
  const { height, width, order, antialias, fit } = preprocessing(options);
  const size = { height, width };
  const shown = fit === 'crop' ? partOf(image, middleOf(image, size)) : image;
  const place = fit === 'pad' ? middleOf(size, image) : { top: 0, left: 0, ...size };
  const part = resizeBilinear(shown, place.height, place.width, { antialias });
  const whole = place.height === height && place.width === width ? part : placed(part, place, size);
  return { pixels: toCHW(whole, order), ...size, sourceHeight: image.height, sourceWidth: image.width };
}

function partOf({ data, width: stride }: RGBImage, { top, left, height, width }: Area): RGBImage {
  const part = new Uint8Array(3 * height * width);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * stride + left);
    part.set(data.subarray(from, from + 3 * width), 3 * y * width);
  }
  return { data: part, height, width };
}
