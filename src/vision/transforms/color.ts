import { InputError } from '../../errors.js';
import { inputsOf } from './image.js';
import { perChannel, type Raster, requireBytes, stridesOf, withLayout } from './raster.js';

/**
 * Changes of colours and values, as in `paddle.vision.transforms` with Pillow. All functions return new
 * images.
 */

/** Multiplies by a factor: 0 is black, 1 the image, 2 twice as bright. */
export function adjustBrightness(image: Raster, factor: number): Raster {
  return towards('adjustBrightness', image, factor, 0);
}

/** Scales the difference from the mean grey of the image: 0 is grey, 1 the image. */
export function adjustContrast(image: Raster, factor: number): Raster {
  const grey = greyOf(requireBytes('adjustContrast', image), image);
  const mean = Math.trunc(grey.reduce((sum, value) => sum + value, 0) / grey.length + 0.5);
  return towards('adjustContrast', image, factor, mean);
}

/** Scales the difference from the grey of each pixel: 0 is black and white, 1 the image. */
export function adjustSaturation(image: Raster, factor: number): Raster {
  const source = requireBytes('adjustSaturation', image);
  requireFactor('adjustSaturation', factor);
  if (image.channels === 1) return image;
  const grey = greyOf(source, image);
  const data = new Uint8Array(source.length);
  const { right, deep } = stridesOf(image);
  for (let p = 0, at = 0; p < grey.length; p++, at += right) {
    for (let i = at; i <= at + 2 * deep; i += deep) data[i] = blended(grey[p], source[i], factor);
  }
  return { ...image, data };
}

/**
 * Rotates the circle of hues. Images with one channel stay as they are.
 *
 * @param factor from −0.5 to 0.5, both of which give the complementary colours
 */
export function adjustHue(image: Raster, factor: number): Raster {
  if (!(factor >= -0.5 && factor <= 0.5)) {
    throw new InputError(`[transforms] adjustHue: expected a factor from -0.5 to 0.5, got ${factor}`);
  }
  const data = requireBytes('adjustHue', image).slice();
  if (image.channels === 1) return image;
  const { right, deep } = stridesOf(image);
  const shift = Math.trunc(factor * 255);
  for (let p = 0, at = 0; p < image.height * image.width; p++, at += right) {
    const [r, g, b] = [data[at], data[at + deep], data[at + 2 * deep]];
    const value = Math.max(r, g, b);
    const range = value - Math.min(r, g, b);
    // Grey has no hue.
    if (range === 0) continue;
    const hue = (hueOf(r, g, b, value, range) + shift + 256) % 256;
    const saturation = Math.trunc(Math.fround(range / value) * 255);
    for (let c = 0; c < 3; c++) data[at + c * deep] = fromHsv(hue, saturation, value, c);
  }
  return { ...image, data };
}

/**
 * Grey by the luma of ITU-R BT.601.
 *
 * @param numOutputChannels 1 (default), or 3 equal ones
 */
export function toGrayscale(image: Raster, numOutputChannels: 1 | 3 = 1): Raster & { readonly data: Uint8Array } {
  const grey = greyOf(requireBytes('toGrayscale', image), image);
  if (numOutputChannels === 1) return { ...image, data: grey, channels: 1 };
  const data = new Uint8Array(3 * grey.length);
  const result = { ...image, data, channels: 3 };
  const { right, deep } = stridesOf(result);
  for (let p = 0; p < grey.length; p++) {
    for (let c = 0; c < 3; c++) data[p * right + c * deep] = grey[p];
  }
  return result;
}

/** (x − mean) / std for each channel, in float32. */
export function normalize(
  image: Raster,
  mean: number | readonly number[],
  std: number | readonly number[],
  { toRgb = false }: { readonly toRgb?: boolean } = {},
): Raster {
  const { data: source, channels } = image;
  const [means, deviations] = [perChannel('mean', mean, channels), perChannel('std', std, channels)];
  const data = new Float32Array(source.length);
  const { right, deep } = stridesOf(image);
  for (let c = 0; c < channels; c++) {
    const from = (toRgb ? channels - 1 - c : c) * deep;
    const [m, s] = [Math.fround(means[c]), Math.fround(deviations[c])];
    for (let p = 0, at = 0; p < image.height * image.width; p++, at += right) {
      data[at + c * deep] = Math.fround(source[at + from] - m) / s;
    }
  }
  return { ...image, data };
}

/**
 * Converts bytes to float32 from 0 to 1; floats keep their values. The channels come first, unless 'HWC' is
 * requested.
 */
export function toTensor(image: Raster, dataFormat: 'CHW' | 'HWC' = 'CHW'): Raster {
  const { data, ...rest } = withLayout(image, dataFormat);
  if (!(data instanceof Uint8Array)) return { ...rest, data };
  const { unit } = inputsOf;
  const inputs = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) inputs[i] = unit[data[i]];
  return { ...rest, data: inputs };
}

/** Interpolates between an image of one value (factor 0) and the image itself (1), or extrapolates. */
function towards(where: string, image: Raster, factor: number, value: number): Raster {
  const source = requireBytes(where, image);
  requireFactor(where, factor);
  const table = Uint8Array.from({ length: 256 }, (_, x) => blended(value, x, factor));
  const data = new Uint8Array(source.length);
  for (let i = 0; i < source.length; i++) data[i] = table[source[i]];
  return { ...image, data };
}

function requireFactor(where: string, factor: number): void {
  if (factor >= 0 && factor < Infinity) return;
  throw new InputError(`[transforms] ${where}: expected a factor from 0 on, got ${factor}`);
}

/** The result in float32, truncated to a byte as in Pillow's `blend`. */
function blended(from: number, to: number, factor: number): number {
  // An infinite factor would make NaN of equal values.
  const finite = Math.fround(Math.min(factor, 3.4e38));
  const value = Math.fround(from + Math.fround(finite * (to - from)));
  return value >= 255 ? 255 : value > 0 ? Math.trunc(value) : 0;
}

function greyOf(data: Uint8Array, image: Raster): Uint8Array {
  if (image.channels === 1) return data;
  const { right, deep } = stridesOf(image);
  const grey = new Uint8Array(image.height * image.width);
  for (let p = 0, at = 0; p < grey.length; p++, at += right) {
    grey[p] = (data[at] * 19595 + data[at + deep] * 38470 + data[at + 2 * deep] * 7471 + 0x8000) >> 16;
  }
  return grey;
}

/** Hue on a scale of 255, rounded as in Pillow's `rgb2hsv`. */
function hueOf(r: number, g: number, b: number, value: number, range: number): number {
  const part = (x: number) => Math.fround((value - x) / range);
  const place = r === value ? part(b) - part(g) : g === value ? 2 + part(r) - part(b) : 4 + part(g) - part(r);
  return Math.trunc(Math.fround((Math.fround(place) / 6 + 1) % 1) * 255);
}

/** For each sixth of the circle: whether red, green and blue are value (0), p (1), q (2) or t (3). */
const sixths = Uint8Array.of(0, 3, 1, 2, 0, 1, 1, 0, 3, 1, 2, 0, 3, 1, 0, 0, 1, 2);

/** A channel of Pillow's `hsv2rgb`. */
function fromHsv(hue: number, saturation: number, value: number, channel: number): number {
  const sixth = Math.floor((hue * 6) / 255);
  const f = Math.fround((hue * 6) / 255 - sixth);
  const s = Math.fround(saturation / 255);
  switch (sixths[3 * (sixth % 6) + channel]) {
    case 0:
      return value;
    case 1:
      return Math.round(value * (1 - s));
    case 2:
      return Math.round(value * (1 - s * f));
    default:
      return Math.round(value * (1 - s * (1 - f)));
  }
}
