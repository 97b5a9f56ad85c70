import { fileURLToPath } from 'node:url';
import { InputError } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readInput } from '../../io/files/input.js';
import { fitsInMemory, maxPixelsAtOnce, type RGBImage } from '../transforms/image.js';
import { decoding } from './budget.js';
import type { Area } from './decoded.js';
import { PictureData } from './pictureData.js';
import { refusal } from './refusal.js';
import { loadSharp } from './sharp.js';

const maxFileBytes = 2 ** 30;

/** How to turn the picture of a file, by its EXIF orientation: transposed first, then mirrored. */
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
 * Loads the decoder. The main thread calls it before other threads decode: on some systems a process crashes
 * at its end if only a thread that has ended had loaded the library. Errors of loading appear later, when a
 * picture is decoded.
 */
export function loadDecoder(): void {
  loadSharp().catch(() => {});
}

/** Version of the code that turns files into pixels: a change makes stored results invalid. */
export async function decoderVersion(): Promise<string> {
  const { vips, mozjpeg = 'unknown' } = (await loadSharp()).versions;
  return `libvips ${vips}, libjpeg ${mozjpeg}`;
}

/** Path or `file:` URL of a picture, or the contents of its file. */
export type PictureSource = string | URL | Uint8Array;

/**
 * A picture, or a part of one, whose rows can be read in parts. Sizes are those of the displayed picture,
 * turned by its EXIF orientation; rows are those of the file.
 */
export class PictureFile {
  readonly height: number;
  readonly width: number;
  readonly #data: PictureData;

  private constructor(
    data: PictureData,
    readonly orientation: Orientation,
    /** The part that is read, in the file's rows and columns. */
    readonly area: Area,
  ) {
    this.#data = data;
    const { height, width } = area;
    [this.height, this.width] = orientation.transposed ? [width, height] : [height, width];
  }

  /**
   * Reads the file and its header. The contents show the kind of picture; the name does not matter.
   *
   * @param name for messages; default: the path, or the number of bytes
   * @throws {FileError} if it cannot be read, is no picture, or is too large
   */
  static async open(source: PictureSource, name = nameOf(source)): Promise<PictureFile> {
    const bytes = source instanceof Uint8Array ? source : await readWhole(pathOf(source), name);
    const data = await PictureData.open(name, bytes);
    const { height, width, orientation } = data.header;
    const turn = orientations[orientation - 1] ?? orientations[0];
    return new PictureFile(data, turn, { top: 0, left: 0, height, width });
  }

  get name(): string {
    return this.#data.name;
  }

  /** Memory of each pixel while it is decoded. */
  get pixelBytes(): number {
    return this.#data.pixelBytes;
  }

  /** Size of the file. */
  get bytes(): number {
    return this.#data.length;
  }

  /** Whether its values are not bytes. */
  get isDeep(): boolean {
    return this.#data.isDeep;
  }

  get fileHeight(): number {
    return this.area.height;
  }

  get fileWidth(): number {
    return this.area.width;
  }

  /** A part of the displayed picture. */
  within({ top, left, height, width }: Area): PictureFile {
    const { transposed, mirrored, upsideDown } = this.orientation;
    const y = upsideDown ? this.height - top - height : top;
    const x = mirrored ? this.width - left - width : left;
    const { area } = this;
    const part = transposed
      ? { top: area.top + x, left: area.left + y, height: width, width: height }
      : { top: area.top + y, left: area.left + x, height, width };
    return new PictureFile(this.#data, this.orientation, part);
  }

  /**
   * Rows of the file, red, green and blue, 8 bits each, converted by `values.ts` and
   * {@link PictureData.pixels}.
   *
   * @throws {FileError} if the picture is truncated or broken
   */
  readRows(first: number, count: number): Promise<Uint8Array> {
    const { top, left, width } = this.area;
    return this.#data.pixels(left, top + first, width, count);
  }

  /**
   * The changes of values and transparency, for people; empty for most pictures. @throws {FileError} as
   * readRows
   */
  changes(): Promise<string[]> {
    return this.#data.changes();
  }
}

/**
 * Decodes a picture as OpenCV's `imread` does (8 bits, three colours, turned by EXIF), with three
 * differences: the order is RGB, transparent pixels are blended with white, and values of other depths are
 * scaled to 8 bits.
 *
 * @param source path, or the contents of a file: JPEG, PNG, WebP, TIFF or GIF (its first picture), recognized
 *   by the contents
 * @throws {FileError} if it cannot be read, is no picture, is truncated or broken, or has more than 100
 *   million pixels
 *
 * @example
 * ```ts
 * const { data, height, width } = await vision.images.decodeImage('photo.jpg');
 * console.log(data.length === 3 * height * width); // true
 * ```
 */
export async function decodeImage(source: PictureSource): Promise<RGBImage> {
  return decodePicture(await PictureFile.open(source));
}

/**
 * The whole displayed picture. @throws {FileError} if it is truncated or broken, or has more than 100 million
 * pixels
 */
export async function decodePicture(picture: PictureFile): Promise<RGBImage> {
  const { name, height, width, fileHeight } = picture;
  if (!fitsInMemory(height, width)) {
    throw refusal(name, `at most ${maxPixelsAtOnce / 1e6} million pixels`, `${width}×${height}`);
  }
  const data = await decoding.use(picture.bytes + picture.pixelBytes * height * width, () =>
    picture.readRows(0, fileHeight),
  );
  return turned({ data, height: fileHeight, width: picture.fileWidth }, picture.orientation);
}

/** The image as it is displayed. */
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

/** @throws {InputError} for a URL that is not of a file */
export function pathOf(source: string | URL): string {
  if (typeof source === 'string') return source;
  if (source.protocol === 'file:') return fileURLToPath(source);
  throw new InputError(
    `[image] ${source.href}: expected a path or a file: URL, got another; fetch it, and give its bytes`,
  );
}

/** Name in messages for a picture that has no other name. */
export function nameOf(source: PictureSource): string {
  return source instanceof Uint8Array ? `${source.length} bytes` : pathOf(source);
}

async function readWhole(path: string, name: string): Promise<Uint8Array> {
  try {
    return await readInput(path, maxFileBytes);
  } catch (error) {
    throw refusal(name, 'a readable picture', reasonOf(error), error);
  }
}
