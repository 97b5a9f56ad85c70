import { ShapeError } from '../../errors.js';
import { formatShape, numel, type Shape } from '../../graph/shape.js';

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
  const { default: sharp } = await import('sharp');
  // Raw input of one channel would come out as RGB.
  const picture = sharp(bytes, { raw: { width, height, channels } });
  return (channels === 1 ? picture.toColourspace('b-w') : picture).png({ compressionLevel: 9 }).toBuffer();
}
