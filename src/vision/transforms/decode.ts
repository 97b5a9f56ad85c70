import { readFile, stat } from 'node:fs/promises';
import { FileError } from '../../errors.js';
import { reasonOf } from '../../io/atomic.js';
import { pictureFormat, readFormats } from './formats.js';
import type { RGBImage } from './image.js';

/** 20,000 × 20,000. Such a picture is 1.2 GB of pixels, so it is never in memory as a whole. */
const maxPixels = 400_000_000;
/** What may be in memory as a whole, for the caller or because the format has no other way (300 MB). */
const maxPixelsAtOnce = 100_000_000;
const maxFileBytes = 2 ** 30;

/** How the picture in the file has to be turned, by EXIF's orientation: transposed first, then mirrored. */
interface Orientation {
  readonly transposed: boolean;
  /** Left and right change places. */
  readonly mirrored: boolean;
  /** Top and bottom change places. */
  readonly upsideDown: boolean;
}

/** For EXIF's orientations 1 to 8. */
const orientations: readonly Orientation[] = [
  [false, false, false],
  [false, true, false],
  [false, true, true],
  [false, false, true],
  [true, false, false],
  [true, true, false],
  [true, true, true],
  [true, false, true],
].map(([transposed, mirrored, upsideDown]) => ({ transposed, mirrored, upsideDown }));

/**
 * To be called by the main thread before others decode: on some systems a process ends badly if only a thread that is gone
 * had loaded the library. What is wrong with it shows where something is decoded.
 */
export function loadDecoder(): void {
  import('sharp').catch(() => {});
}

/** Version of what turns files into pixels: results that were kept are worth nothing after a change. */
export async function decoderVersion(): Promise<string> {
  const { vips, mozjpeg = 'unknown' } = (await import('sharp')).default.versions;
  return `libvips ${vips}, libjpeg ${mozjpeg}`;
}

/**
 * A picture whose rows can be read in parts. Sizes are those of the picture as it is to be seen, turned by its EXIF
 * orientation; rows are those of the file.
 */
export class PictureFile {
  readonly height: number;
  readonly width: number;

  readonly #bytes: Uint8Array;
  readonly #cmyk: boolean;

  private constructor(
    readonly name: string,
    readonly fileHeight: number,
    readonly fileWidth: number,
    readonly orientation: Orientation,
    bytes: Uint8Array,
    cmyk: boolean,
  ) {
    this.#bytes = bytes;
    this.#cmyk = cmyk;
    [this.height, this.width] = orientation.transposed ? [fileWidth, fileHeight] : [fileHeight, fileWidth];
  }

  /**
   * Reads the file and its header. What kind of picture it is, is seen from its contents, whatever its name.
   *
   * @param source path, or the contents of a file
   * @throws FileError if it cannot be read, is no picture, or is too large
   */
  static async open(source: string | Uint8Array): Promise<PictureFile> {
    const name = typeof source === 'string' ? source : `${source.length} bytes`;
    const bytes = typeof source === 'string' ? await readWhole(source) : source;
    // Other kinds of picture never reach the decoder.
    const kind = pictureFormat(bytes, name);
    if (kind === null || !kind.isRead) {
      const start = bytes.length === 0 ? 'an empty file' : `a file that begins with ${hex(bytes.subarray(0, 8))}`;
      throw refusal(name, `a picture (${readFormats.join(', ')})`, kind === null ? start : `${kind.name}`);
    }
    const format = kind.name;
    const { default: sharp } = await import('sharp');
    const header = await sharp(bytes, { limitInputPixels: false })
      .metadata()
      .catch((error: unknown) => {
        throw refusal(name, `an intact ${format} picture`, decoderReason(error), error);
      });
    const { height, width, orientation = 1, space, isProgressive } = header;
    const size = `${width}×${height} pixels`;
    if (height * width > maxPixels) throw refusal(name, `at most ${maxPixels / 1e6} million pixels`, size);
    // The others are decoded row by row, or tile by tile.
    const whole = isProgressive || format === 'WebP' || format === 'GIF';
    if (whole && height * width > maxPixelsAtOnce) {
      const kind = isProgressive ? `progressive or interlaced ${format}` : format;
      throw refusal(name, `at most ${maxPixelsAtOnce / 1e6} million pixels in a ${kind} picture`, size);
    }
    const turn = orientations[orientation - 1] ?? orientations[0];
    return new PictureFile(name, height, width, turn, bytes, space === 'cmyk');
  }

  /**
   * Rows of the file, red, green and blue, 8 bits each. As OpenCV's imread has it: the upper byte of 16 bits, grey as
   * three equal colours, transparency dropped, colour profiles disregarded, CMYK by OpenCV's formula.
   *
   * @throws FileError if the picture is truncated or broken
   */
  async readRows(first: number, count: number): Promise<Uint8Array> {
    const { fileHeight, fileWidth } = this;
    const space = this.#cmyk ? 'cmyk' : 'srgb';
    const { default: sharp } = await import('sharp');
    let pipeline = sharp(this.#bytes, {
      // Anything the decoder has doubts about: a truncated picture would be filled up with grey otherwise.
      failOn: 'warning',
      limitInputPixels: maxPixels,
      ignoreIcc: true,
      sequentialRead: true,
    });
    if (this.#cmyk) pipeline = pipeline.pipelineColourspace('cmyk');
    if (count < fileHeight) pipeline = pipeline.extract({ left: 0, top: first, width: fileWidth, height: count });
    const { data, info } = await pipeline
      .toColourspace(space)
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
      .catch((error: unknown) => {
        throw refusal(this.name, 'an intact picture', decoderReason(error), error);
      });
    const channels = this.#cmyk ? 4 : 3;
    if (info.channels !== channels || data.length !== count * fileWidth * channels) {
      throw refusal(this.name, `${channels} colour channels`, `${info.channels}`);
    }
    return this.#cmyk ? cmykToRGB(data) : data;
  }
}

/**
 * Decodes a picture: OpenCV's `imread` (8 bits, three colours, turned by EXIF), except that the order is RGB.
 *
 * @param source path, or the contents of a file: JPEG, PNG, WebP, TIFF or GIF (its first picture), seen from the contents
 * @throws FileError if it cannot be read, is no picture, is truncated or broken, or has more than 100 million pixels
 */
export async function decodeImage(source: string | Uint8Array): Promise<RGBImage> {
  const picture = await PictureFile.open(source);
  const { name, height, width, fileHeight } = picture;
  if (height * width > maxPixelsAtOnce) {
    throw refusal(name, `at most ${maxPixelsAtOnce / 1e6} million pixels`, `${width}×${height}`);
  }
  const data = await picture.readRows(0, fileHeight);
  return turned({ data, height: fileHeight, width: picture.fileWidth }, picture.orientation);
}

/** The image as it is to be seen. */
export function turned(image: RGBImage, { transposed, mirrored, upsideDown }: Orientation): RGBImage {
  if (!transposed && !mirrored && !upsideDown) return image;
  const [height, width] = transposed ? [image.width, image.height] : [image.height, image.width];
  const data = new Uint8Array(image.data.length);
  let [acrossRow, alongRow] = [3 * image.width, 3];
  if (transposed) [acrossRow, alongRow] = [alongRow, acrossRow];
  const origin = (upsideDown ? (height - 1) * acrossRow : 0) + (mirrored ? (width - 1) * alongRow : 0);
  const [down, right] = [upsideDown ? -acrossRow : acrossRow, mirrored ? -alongRow : alongRow];
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0, from = origin + y * down; x < width; x++, from += right, to += 3) {
      data[to] = image.data[from];
      data[to + 1] = image.data[from + 1];
      data[to + 2] = image.data[from + 2];
    }
  }
  return { data, height, width };
}

/** OpenCV's conversion, `icvCvt_CMYK2BGR_8u_C4C3R`. There 255 is no ink, here it is full ink. */
function cmykToRGB(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const light = 255 - cmyk[from + 3];
    for (let c = 0; c < 3; c++) rgb[to + c] = light - ((cmyk[from + c] * light) >> 8);
  }
  return rgb;
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    // A pipe would be waited for without end.
    if (!found.isFile()) throw refusal(path, 'a picture', 'something that is no file');
    if (found.size > maxFileBytes) throw refusal(path, `at most ${maxFileBytes / 2 ** 20} MB`, `${found.size} bytes`);
    return await readFile(path);
  } catch (error) {
    throw error instanceof FileError ? error : refusal(path, 'a readable picture', reasonOf(error), error);
  }
}

function refusal(name: string, expected: string, got: string, cause?: unknown): FileError {
  return new FileError(`[image] ${name}: expected ${expected}, got ${got}; replace it or leave it out`, { cause });
}

/** libvips writes a line for each complaint; the first one says what happened. */
function decoderReason(error: unknown): string {
  return reasonOf(error).split('\n')[0].trim();
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
