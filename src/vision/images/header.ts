import type { Metadata } from 'sharp';
import { maxPixelsAtOnce } from '../transforms/image.js';
import { refusal } from './refusal.js';
import { loadSharp } from './sharp.js';
import { tiffValues } from './tiff.js';

/** 20,000 × 20,000. Such a picture has 1.2 GB of pixels, so it is never in memory as a whole. */
export const maxPixels = 400_000_000;

/** The facts of a picture that its header gives. */
export interface Header {
  readonly format: string;
  readonly height: number;
  readonly width: number;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
  readonly depth: string;
  readonly space: string;
  readonly channels: number;
  readonly hasAlpha: boolean;
  /** Set for 16-bit values of a TIFF that the decoder would clip. It then reads them as unsigned ones. */
  readonly bitsOf: 'signed' | 'half' | null;
  /** Whether 0 is white, and the decoder does not or must not turn the values over. */
  readonly isInverted: boolean;
  /** The largest value according to the file. */
  readonly largest: number | null;
  readonly pages: number;
}

export async function metadataOf(bytes: Uint8Array): Promise<Metadata> {
  const sharp = await loadSharp();
  return sharp(bytes, { limitInputPixels: false }).metadata();
}

export function headerOf(format: string, metadata: Metadata, bytes: Uint8Array): Header {
  const { height, width, orientation = 1, space = '', depth = 'uchar', channels = 3, hasAlpha = false } = metadata;
  const values = format === 'TIFF' ? tiffValues(bytes) : null;
  const isCut = values?.bits === 16 && (values.format === 'signed' || values.format === 'float');
  return {
    format,
    height,
    width,
    orientation,
    depth,
    space,
    channels,
    hasAlpha: hasAlpha && values?.hasOtherChannel !== true,
    bitsOf: isCut ? (values.format === 'float' ? 'half' : 'signed') : null,
    isInverted: values?.isInverted === true && depth !== 'uchar',
    largest: values?.largest ?? null,
    pages: metadata.pages ?? 1,
  };
}

/** @throws {FileError} for a TIFF with values that no type of JavaScript has, or with unusual colours */
export function requireReadableValues(name: string, bytes: Uint8Array): void {
  const values = tiffValues(bytes);
  if (values === null) return;
  const { unread } = values;
  const todo = 'save it as grey or RGB with 8 or 16 bits a colour';
  if (unread !== null) throw refusal(name, unread.expected, unread.got, undefined, todo);
  if (values.bits <= 32 && values.format !== 'other') return;
  const got = values.format === 'other' ? 'complex numbers, or of no known kind' : `values of ${values.bits} bits`;
  throw refusal(name, 'values of at most 32 bits', got, undefined, 'save it with 8 or 16 bits a colour');
}

/** @throws {FileError} for too many pixels or channels */
export function requireSizes(
  name: string,
  { format, height, width, channels, space }: Header,
  metadata: Metadata,
): void {
  const size = `${width}×${height} pixels`;
  if (height * width > maxPixels) throw refusal(name, `at most ${maxPixels / 1e6} million pixels`, size);
  // Other formats are decoded row by row, or tile by tile.
  const whole = metadata.isProgressive || format === 'WebP' || format === 'GIF';
  if (whole && height * width > maxPixelsAtOnce) {
    const kind = metadata.isProgressive ? `progressive or interlaced ${format}` : format;
    throw refusal(name, `at most ${maxPixelsAtOnce / 1e6} million pixels in a ${kind} picture`, size);
  }
  if (channels > 4 && space !== 'cmyk') throw refusal(name, 'at most 4 channels', `${channels}`);
}
