import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SharpOptions } from 'sharp';
import { FileError, messageOf } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readStart } from '../../io/files/input.js';
import { decodePicture, nameOf, PictureFile, type PictureSource, pathOf } from './decode.js';
import { type Digit, digitOf, type Grey, onPaper, type ScaleInk } from './digitForm.js';
import { formatBytes, pictureFormat } from './formats.js';
import { decoderReason } from './refusal.js';
import { loadSharp } from './sharp.js';

/**
 * Larger pictures are scaled down first: no detail of a digit is lost, and a photograph of 50 MB costs
 * little.
 */
const maxSide = 800;
/**
 * Reads a picture of one digit (JPEG, PNG, WebP, GIF, TIFF, AVIF, SVG) and makes it similar to MNIST's
 * digits.
 *
 * The picture is turned by its EXIF data, put on paper where it is transparent, and made grey. If its border
 * is light it is inverted, since MNIST's digits are white on black. The next steps are those of MNIST's
 * authors (LeCun et al., 1998): the picture is cut to the ink, scaled to 20×20 with its proportions, and
 * placed with its center of mass in the middle of 28×28. A picture of 28×28 with a dark border is used as it
 * is.
 *
 * @param name for messages; default: the path, or the number of bytes
 * @throws {FileError} if the file is missing, is no picture, or shows nothing that stands out from its
 *   background
 *
 * @example
 * ```ts
 * const { image, note } = await vision.images.readDigit('seven.jpg');
 * console.log(note, image.length); // 784 values
 * ```
 */
export async function readDigit(source: PictureSource, name = nameOf(source)): Promise<Digit> {
  const grey = await readGrey(source, name);
  return digitOf(grey, scaleInk, name);
}

const scaleInk: ScaleInk = async (ink, { width, height }, to) => {
  const sharp = await loadSharp();
  return sharp(ink, { raw: { width, height, channels: 1 } })
    .resize(to.width, to.height, { fit: 'fill', kernel: 'linear' })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
};

async function readGrey(source: PictureSource, name: string): Promise<Grey> {
  if (!(source instanceof Uint8Array)) {
    const file = await stat(source).catch((error: unknown) => {
      throw new FileError(`[digit] ${name}: expected a picture, got ${reasonOf(error)}`, { cause: error });
    });
    if (!file.isFile()) throw new FileError(`[digit] ${name}: expected a picture, got a folder or device`);
  }
  // A missing decoder is no error of the picture.
  await loadSharp();
  // Here sharp decodes directly, since it reads more formats, and large pictures at a reduced size.
  const picture = await PictureFile.open(source, name).catch(() => null);
  if (picture?.isDeep) return reduced(...(await pixelsOf(picture)));
  try {
    return await reduced(source instanceof URL ? fileURLToPath(source) : source);
  } catch (error) {
    const pixels = picture === null ? null : await pixelsOf(picture).catch(() => null);
    if (pixels !== null) return reduced(...pixels);
    throw new FileError(
      `[digit] ${name}: expected a picture (JPEG, PNG, WebP, GIF, TIFF, AVIF, SVG), got ${await gotOf(error, source, name)}`,
      { cause: error },
    );
  }
}

async function pixelsOf(picture: PictureFile): Promise<[data: Uint8Array, options: SharpOptions]> {
  const { data, height, width } = await decodePicture(picture);
  return [data, { raw: { width, height, channels: 3 } }];
}

async function reduced(input: string | Uint8Array, options?: SharpOptions): Promise<Grey> {
  const sharp = await loadSharp();
  const { data, info } = await sharp(input, options)
    .autoOrient()
    .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data: onPaper(data), width: info.width, height: info.height };
}

/** The reason why a file could not be decoded. */
async function gotOf(error: unknown, source: PictureSource, name: string): Promise<string> {
  if (/unsupported image format/.test(messageOf(error))) return 'a file of another kind';
  const start = source instanceof Uint8Array ? source : await readStart(pathOf(source), formatBytes).catch(() => null);
  return decoderReason(error, start === null ? null : (pictureFormat(start, name)?.name ?? null));
}
