import { FileError, InputError, messageOf } from '../../errors.js';
import { fitsInMemory, maxPixelsAtOnce, type RGBImage } from '../transforms/image.js';
import { resample } from '../transforms/resample.js';
import { type Digit, digitOf, onPaper, type ScaleInk } from './digitForm.js';
import { type Preprocessed, type PreprocessOptions, preprocessImage } from './preprocessing.js';
import { overWhite } from './values.js';

/** A file that the visitor chose, an answer of `fetch` as a blob, or another blob. */
interface BlobLike {
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** A canvas, an image or video element, an `ImageBitmap` or `ImageData`. */
interface Drawable {
  readonly width: number;
  readonly height: number;
}

/**
 * A picture in a page or a worker: a file or blob, the bytes of a file, a canvas, an image element, a video
 * element (the frame that it shows now: the camera), an `ImageBitmap` or `ImageData`.
 */
export type PagePicture = BlobLike | Uint8Array | Drawable;

/** Red, green, blue and alpha, row by row. */
interface Pixels extends Drawable {
  readonly data: Uint8ClampedArray;
}

/** The parts of a browser that this module uses: the project has no types of the DOM. */
interface Browser {
  readonly Blob: new (parts: readonly unknown[]) => BlobLike;
  readonly OffscreenCanvas: new (
    width: number,
    height: number,
  ) => {
    getContext(
      kind: '2d',
      options: object,
    ): {
      drawImage(picture: Drawable, x: number, y: number): void;
      getImageData(x: number, y: number, width: number, height: number): Pixels;
    } | null;
  };
  createImageBitmap(source: unknown, options: object): Promise<Drawable & { close(): void }>;
}

const browser = globalThis as unknown as Browser;

const isBlob = (source: PagePicture): source is BlobLike => 'arrayBuffer' in source;
const hasPixels = (source: PagePicture): source is Pixels =>
  'data' in source && source.data instanceof Uint8ClampedArray;

/** Pictures for {@link readDigit} are made smaller first, as in Node. */
const maxSide = 800;

/**
 * Decodes a picture to red, green and blue as Node's `decodeImage` does: turned by EXIF, transparent pixels
 * blended with white, color profiles ignored. PNG and WebP without loss give the same bytes as in Node. For
 * JPEG, decoders differ by a few levels. The browser fills up truncated files without an error.
 *
 * @throws {FileError} for bytes that the browser cannot decode, and for more than 100 million pixels
 */
export async function decodeImage(source: PagePicture): Promise<RGBImage> {
  const { data, height, width } = await pixelsOf('image', source);
  return { data: overWhite(new Uint8Array(data.buffer, data.byteOffset, data.length), 4), height, width };
}

/**
 * Decodes and resizes a picture, and puts its channels first, with the arithmetic of Node's `preprocess`.
 *
 * @throws {FileError} as {@link decodeImage}
 * @throws {InputError} for a size, an order or a fit that does not exist
 */
export async function preprocess(source: PagePicture, options: PreprocessOptions = {}): Promise<Preprocessed> {
  return preprocessImage(await decodeImage(source), options);
}

/**
 * Makes a picture of one digit similar to MNIST's digits: 28×28, white ink on black, cut to the ink,
 * centered. Node's `readDigit` does the same; its resizing differs a little at edges.
 *
 * @param name for messages
 * @throws {FileError} as {@link decodeImage}, and if nothing stands out from the background
 */
export async function readDigit(source: PagePicture, name = 'picture'): Promise<Digit> {
  const { data, height, width } = await pixelsOf('digit', source);
  const grey = { data: onPaper(data), height, width };
  const share = maxSide / Math.max(height, width);
  if (share >= 1) return digitOf(grey, scaleInk, name);
  const size = { height: Math.max(1, Math.round(height * share)), width: Math.max(1, Math.round(width * share)) };
  const small = scaleInk(Uint8Array.from(grey.data, Math.round), grey, size) as Uint8Array;
  return digitOf({ data: Float32Array.from(small), ...size }, scaleInk, name);
}

const scaleInk: ScaleInk = (ink, from, { height, width }) =>
  resample({ data: ink, ...from, channels: 1, layout: 'HWC' }, height, width, 'bilinear').data as Uint8Array;

async function pixelsOf(where: string, source: PagePicture): Promise<Pixels> {
  if (typeof source !== 'object' || source === null) {
    throw new InputError(
      `[${where}] source: expected a blob, bytes, a canvas, an image, a video or ImageData, got ${typeof source}`,
    );
  }
  if (hasPixels(source)) return source;
  const picture = source instanceof Uint8Array ? new browser.Blob([source]) : source;
  const options = { imageOrientation: 'from-image', colorSpaceConversion: 'none', premultiplyAlpha: 'none' };
  const bitmap = await browser.createImageBitmap(picture, options).catch((error: unknown) => {
    const got = isBlob(picture) ? `${picture.size} bytes that this browser cannot decode` : messageOf(error);
    throw new FileError(`[${where}] source: expected a picture, got ${got}`, { cause: error });
  });
  try {
    const { height, width } = bitmap;
    if (!fitsInMemory(height, width)) {
      throw new FileError(
        `[${where}] source: expected at most ${maxPixelsAtOnce / 1e6} million pixels, got ${width}×${height}`,
      );
    }
    const context = new browser.OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (context === null)
      throw new FileError(`[${where}] source: expected memory for ${width}×${height} pixels, got none`);
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, width, height);
  } finally {
    bitmap.close();
  }
}
