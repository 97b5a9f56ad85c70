import { stat } from 'node:fs/promises';
import { FileError } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { cameraOf } from './exif.js';
import { loadSharp } from './sharp.js';

/** Facts of a picture's file, and a small version of its pixels. */
export interface PictureFacts {
  readonly bytes: number;
  readonly format: string;
  /** Pixels of the displayed picture. */
  readonly width: number;
  readonly height: number;
  /** Maker and model; null if the file does not say them. */
  readonly camera: string | null;
  readonly small: SmallPicture;
}

/** A small version: red, green and blue of each pixel, row by row, from 0 to 255. */
export interface SmallPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Longest edge of the small version. Smaller pictures stay as they are. */
const edge = 256;

/**
 * Reads the facts of a picture. Large JPEG files are decoded at a fraction of their size.
 *
 * @throws {FileError} for a file that is no intact picture
 */
export async function pictureFacts(path: string): Promise<PictureFacts> {
  const sharp = await loadSharp();
  try {
    const { size } = await stat(path);
    const picture = sharp(path, { limitInputPixels: false, sequentialRead: true });
    const metadata = await picture.metadata();
    const { data, info } = await picture
      .autoOrient()
      .resize(edge, edge, { fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const isTurned = (metadata.orientation ?? 1) >= 5;
    const [width, height] = isTurned ? [metadata.height, metadata.width] : [metadata.width, metadata.height];
    return {
      bytes: size,
      format: metadata.format,
      width,
      height,
      camera: cameraOf(metadata.exif),
      small: { data: inColours(data, info.channels), width: info.width, height: info.height },
    };
  } catch (error) {
    const got = reasonOf(error).split('\n')[0];
    throw new FileError(`[pictures] ${path}: expected an intact picture, got ${got}`, { cause: error });
  }
}

/** Three values a pixel, of one or three. */
function inColours(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  return Uint8Array.from({ length: (3 * data.length) / channels }, (_, i) => data[channels * Math.floor(i / 3)]);
}
