/** Pixels in memory: height × width × (red, green, blue), one byte each, row by row from the top left. */
export interface RGBImage {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** The largest number of pixels of a picture that is in memory as a whole: 300 MB in colour. */
export const maxPixelsAtOnce = 100_000_000;

/** Whether a picture is small enough to be in memory as a whole. */
export function fitsInMemory(height: number, width: number): boolean {
  return height * width <= maxPixelsAtOnce;
}

/** Order of the colour channels. Networks that were trained on pictures read by OpenCV expect BGR. */
export type ChannelOrder = 'RGB' | 'BGR';

/**
 * Planes instead of pixels: `[3, height, width]` in the wanted order of the colours.
 *
 * @returns 3·height·width bytes
 */
export function toCHW({ data, height, width }: RGBImage, order: ChannelOrder): Uint8Array {
  const plane = height * width;
  const planes = new Uint8Array(3 * plane);
  const red = order === 'RGB' ? 0 : 2 * plane;
  const blue = 2 * plane - red;
  for (let i = 0, at = 0; i < plane; i++, at += 3) {
    planes[red + i] = data[at];
    planes[plane + i] = data[at + 1];
    planes[blue + i] = data[at + 2];
  }
  return planes;
}

/** x / 255 · 2 − 1, rounded to float32 after each operation, as NumPy does it. */
const normalized = Float32Array.from({ length: 256 }, (_, x) => Math.fround(Math.fround(x / 255) * 2) - 1);

/** Range that bytes are converted to as inputs of a network: from 0 to 1, or from −1 to 1. */
export type ByteRange = 'unit' | 'signed';

/** The input for each byte. */
export const inputsOf: Readonly<Record<ByteRange, Float32Array>> = {
  unit: Float32Array.from({ length: 256 }, (_, x) => x / 255),
  signed: normalized,
};

/** Writes bytes from 0 to 255 as float32 from −1 to 1 into `target`, from `offset` on. */
export function normalizeInto(target: Float32Array, offset: number, bytes: Uint8Array): void {
  // This runs for every batch of every epoch. Reading four bytes at a time, the first one in the lowest byte,
  // takes half the time.
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Uint32Array(buffer, byteOffset, length >>> 2);
  for (let i = 0, at = offset; i < words.length; i++, at += 4) {
    const word = words[i];
    target[at] = normalized[word & 255];
    target[at + 1] = normalized[(word >>> 8) & 255];
    target[at + 2] = normalized[(word >>> 16) & 255];
    target[at + 3] = normalized[word >>> 24];
  }
  for (let i = 4 * words.length; i < length; i++) target[offset + i] = normalized[bytes[i]];
}
