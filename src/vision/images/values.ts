/**
 * Conversion of values of any depth, and of transparency, to bytes of red, green and blue. All parts of the
 * library use it.
 */

/** Numbers as a decoder gives them. */
export type NativeValues = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array;

/** The range of a picture's values, after all of them have been read. */
export interface ValueRange {
  /** The smallest value of the colours. */
  readonly least: number;
  readonly largest: number;
  /** The largest value of the alpha channel; 0 if there is none. */
  readonly largestAlpha: number;
  readonly hasNaN: boolean;
}

/**
 * The factor that converts a value to a byte. The product is rounded for floats, and truncated for whole
 * numbers.
 */
export interface ValueScale {
  readonly factor: number;
  readonly alphaFactor: number;
  readonly rounds: boolean;
  /** Name for people, such as `12 bits in 16`. */
  readonly name: string;
}

/** Values that cannot be converted to bytes without more information. */
export interface UnclearValues {
  readonly expected: string;
  readonly got: string;
}

const emptyRange: ValueRange = { least: Infinity, largest: -Infinity, largestAlpha: 0, hasNaN: false };

/**
 * The range of values with `channels` for each pixel, of which the last one is transparency if `hasAlpha`. It
 * extends the range of earlier rows.
 */
export function rangeOf(values: NativeValues, channels: number, hasAlpha: boolean, range = emptyRange): ValueRange {
  let { least, largest, largestAlpha, hasNaN } = range;
  const colours = hasAlpha ? channels - 1 : channels;
  for (let at = 0; at < values.length; at += channels) {
    for (let c = 0; c < colours; c++) {
      const value = values[at + c];
      if (value < least) least = value;
      if (value > largest) largest = value;
      // biome-ignore lint/suspicious/noSelfCompare: the quickest way to find NaN, which is in no range
      if (value !== value) hasNaN = true;
    }
    if (hasAlpha && values[at + colours] > largestAlpha) largestAlpha = values[at + colours];
  }
  return { least, largest, largestAlpha, hasNaN };
}

/** Usual depths of files whose values are stored in the next larger type. */
const usualBits = [8, 12];
/** Resampled floats may be slightly above 1. */
const unitLimit = 1.01;

/**
 * The conversion of values to bytes.
 *
 * Whole numbers keep their upper 8 bits. The file may say how many bits they have; else the largest value
 * decides: up to 255 means 8 bits, up to 4095 means 12, and a larger one means as many as the type has.
 * Floats are from 0 to 1, or else from 0 to 255.
 *
 * @param type of the values
 * @param promised the largest value according to the file
 */
export function scaleOf(type: NativeValues, range: ValueRange, promised: number | null): ValueScale | UnclearValues {
  const { least, largest, largestAlpha, hasNaN } = range;
  if (hasNaN) return { expected: 'a number for each pixel', got: 'NaN' };
  if (type instanceof Float32Array) return scaleOfFloats(range);
  if (least < 0) return { expected: 'values from 0 on', got: `values from ${least} to ${largest}` };
  const size = 8 * type.BYTES_PER_ELEMENT;
  const full = type instanceof Int8Array || type instanceof Int16Array || type instanceof Int32Array ? size - 1 : size;
  // Only the upper bits of 32 affect a colour. Values that fit in the lower 16 bits have 16 bits.
  const possible = [...usualBits, ...(size === 32 ? [16] : []), full];
  const named = promised !== null && promised >= largest && promised > 255 ? Math.ceil(Math.log2(promised + 1)) : null;
  const fitting = (value: number) => possible.find((bits) => value < 2 ** bits) ?? full;
  const bits = Math.min(full, named ?? fitting(largest));
  if (size === 32 && bits === full && largest < 2 ** (full - 8)) {
    return { expected: `values up to 65,535, or of ${full} bits`, got: `values up to ${largest}` };
  }
  const alphaBits = Math.max(bits, fitting(largestAlpha));
  const name = bits === size ? `${size} bits` : `${bits} bits in ${size}`;
  return { factor: 2 ** (8 - bits), alphaFactor: 2 ** (8 - alphaBits), rounds: false, name };
}

function scaleOfFloats({ least, largest, largestAlpha }: ValueRange): ValueScale | UnclearValues {
  const isUnit = largest <= unitLimit;
  const isBytes = largest >= 16 && largest < 256;
  if (least < 1 - unitLimit || !(isUnit || isBytes)) {
    return { expected: 'floats from 0 to 1, or from 0 to 255', got: `floats from ${least} to ${largest}` };
  }
  const factor = isUnit ? 255 : 1;
  const alphaFactor = largestAlpha <= unitLimit ? 255 : 1;
  return { factor, alphaFactor, rounds: true, name: `floats from 0 to ${isUnit ? 1 : 255}` };
}

/** Converts values to bytes, each channel alone. */
export function toBytes(
  values: NativeValues,
  channels: number,
  hasAlpha: boolean,
  { factor, alphaFactor, rounds }: ValueScale,
): Uint8Array {
  const bytes = new Uint8Array(values.length);
  const half = rounds ? 0.5 : 0;
  for (let i = 0; i < values.length; i++) {
    const isAlpha = hasAlpha && (i + 1) % channels === 0;
    const value = values[i] * (isAlpha ? alphaFactor : factor) + half;
    bytes[i] = Math.min(255, Math.max(0, value));
  }
  return bytes;
}

/** Turns the values of the first channel over: `largest` becomes 0. */
export function invertFirst(values: NativeValues, channels: number, largest: number): void {
  for (let i = 0; i < values.length; i += channels) values[i] = largest - values[i];
}

/**
 * Red, green and blue of pixels with 1 to 4 channels (grey; grey and alpha; colours; colours and alpha),
 * blended with white.
 */
export function overWhite(bytes: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return bytes;
  const pixels = bytes.length / channels;
  const result = new Uint8Array(3 * pixels);
  const colours = channels > 2 ? 3 : 1;
  for (let p = 0, from = 0, to = 0; p < pixels; p++, from += channels, to += 3) {
    const alpha = channels === colours ? 255 : bytes[from + colours];
    for (let c = 0; c < 3; c++) {
      const value = bytes[from + (colours === 1 ? 0 : c)];
      result[to + c] = alpha === 255 ? value : Math.round((value * alpha) / 255 + (255 - alpha));
    }
  }
  return result;
}

/** Half floats from their bits. */
export function halvesOf(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
