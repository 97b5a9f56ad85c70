import type { OutputInfo } from 'sharp';
import { FileError } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { PictureFile } from './decode.js';
import { loadSharp } from './sharp.js';

/**
 * A picture fitted into a square of `size` pixels.
 *
 * @returns a PNG file
 * @throws {FileError} for a picture that cannot be decoded
 */
export async function thumbnailPng(source: string | Uint8Array, size: number): Promise<Uint8Array> {
  const { data, info } = await thumbnail(source, size);
  const sharp = await loadSharp();
  const { width, height } = info;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Red, green and blue of the displayed picture, fitted into a square. */
export async function thumbnail(
  source: string | Uint8Array,
  size: number,
): Promise<{ data: Buffer; info: OutputInfo }> {
  const { name } = await PictureFile.open(source);
  const sharp = await loadSharp();
  // sharp itself, unlike PictureFile, decodes a large JPEG at a fraction of its size, which is several times
  // as fast.
  return sharp(source, { limitInputPixels: false, sequentialRead: true })
    .autoOrient()
    .resize(size, size, { fit: 'inside' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      const got = reasonOf(error).split('\n')[0];
      throw new FileError(`[pictures] ${name}: expected an intact picture, got ${got}`, { cause: error });
    });
}
