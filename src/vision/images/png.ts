import { FileError, ShapeError } from '../../errors.js';
import { formatShape, numel, type Shape } from '../../graph/shape.js';
import { type Raster, requireRaster, withLayout } from '../transforms/raster.js';
import { loadSharp } from './sharp.js';
import { overWhite, rangeOf, scaleOf, toBytes } from './values.js';

/**
 * A PNG file of an image.
 *
 * @param image values from 0 to 1, `[1, H, W]` (grey) or `[3, H, W]` (red, green, blue)
 */
export async function encodePng(image: Float32Array, shape: Shape): Promise<Uint8Array> {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || (channels !== 1 && channels !== 3) || numel(shape) !== image.length) {
    throw new ShapeError(`[encodePng] image: expected [1,H,W] or [3,H,W], got ${formatShape(shape)}`);
  }
  const bytes = new Uint8Array(image.length);
  const plane = height * width;
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < plane; p++) {
      bytes[p * channels + c] = Math.round(255 * Math.min(1, Math.max(0, image[c * plane + p])));
    }
  }
  const sharp = await loadSharp();
  // sharp would write raw input of one channel as RGB.
  const picture = sharp(bytes, { raw: { width, height, channels } });
  return (channels === 1 ? picture.toColourspace('b-w') : picture).png({ compressionLevel: 9 }).toBuffer();
}

/**
 * An uncompressed PNG file of pixels in memory, converted to bytes by `values.ts`.
 *
 * @param name of the picture in messages
 * @throws {ShapeError} for more than 4 channels
 * @throws {FileError} for floats that are neither from 0 to 1 nor from 0 to 255
 */
export async function fileOf(raster: Raster, name: string): Promise<Uint8Array> {
  requireRaster(name, raster);
  const { data, height, width, channels } = withLayout(raster, 'HWC');
  if (channels > 4) throw new ShapeError(`[image] ${name}: expected 1 to 4 channels, got ${channels}`);
  const hasAlpha = channels === 2 || channels === 4;
  const scale = scaleOf(data, rangeOf(data, channels, hasAlpha), null);
  if (!('factor' in scale)) {
    throw new FileError(`[image] ${name}: expected ${scale.expected}, got ${scale.got}; scale them`);
  }
  const sharp = await loadSharp();
  const pixels = overWhite(toBytes(data, channels, hasAlpha, scale), channels);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer();
}
