import type { Sharp } from 'sharp';
import { type Area, decoded } from './decoded.js';
import { pictureFormat, readFormats } from './formats.js';
import { type Header, headerOf, metadataOf, requireReadableValues, requireSizes } from './header.js';
import { withoutOddities } from './jpeg.js';
import { decoderReason, hex, refusal } from './refusal.js';
import { withFieldsInOrder, withUnsignedValues } from './tiff.js';
import {
  halvesOf,
  invertFirst,
  type NativeValues,
  overWhite,
  rangeOf,
  scaleOf,
  toBytes,
  type ValueScale,
} from './values.js';

/** Bytes of values that are read together to find their range. */
const maxPartBytes = 2 ** 27;

/** Fixes files that are odd but not damaged, by format; null if there is nothing to fix. */
const mending: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array | null>> = {
  JPEG: withoutOddities,
  TIFF: withFieldsInOrder,
};

/** The decoder's names for types of values. */
const types: Readonly<Record<string, (buffer: ArrayBuffer) => NativeValues>> = {
  uchar: (buffer) => new Uint8Array(buffer),
  char: (buffer) => new Int8Array(buffer),
  ushort: (buffer) => new Uint16Array(buffer),
  uint: (buffer) => new Uint32Array(buffer),
  int: (buffer) => new Int32Array(buffer),
  float: (buffer) => new Float32Array(buffer),
};

/**
 * The contents of a picture's file, and its pixels in the orientation of the file, converted to red, green
 * and blue.
 */
export class PictureData {
  readonly header: Header;
  #bytes: Uint8Array;
  #isMended: boolean;
  /** The conversion of values to bytes; null until all values have been read. */
  #scale: ValueScale | null = null;
  /** The values of the whole picture, if it is small and its values are not bytes. */
  #whole: NativeValues | null = null;

  private constructor(
    readonly name: string,
    header: Header,
    bytes: Uint8Array,
    isMended: boolean,
  ) {
    this.header = header;
    this.#bytes = bytes;
    this.#isMended = isMended;
  }

  /** @throws {FileError} if it is no picture, its header is damaged, or it is too large */
  static async open(name: string, given: Uint8Array): Promise<PictureData> {
    // Other kinds of pictures never reach the decoder.
    const kind = pictureFormat(given, name);
    if (kind === null || !kind.isRead) {
      const start = given.length === 0 ? 'an empty file' : `a file that begins with ${hex(given.subarray(0, 8))}`;
      throw refusal(name, `a picture (${readFormats.join(', ')})`, kind === null ? start : kind.name);
    }
    const format = kind.name;
    let bytes = given;
    let isMended = false;
    if (format === 'TIFF') requireReadableValues(name, given);
    const metadata = await metadataOf(given).catch(async (error: unknown) => {
      const mended = mending[format]?.(given) ?? null;
      const found = mended === null ? null : await metadataOf(mended).catch(() => null);
      if (mended === null || found === null) {
        throw refusal(name, `an intact ${format} picture`, decoderReason(error, format), error);
      }
      [bytes, isMended] = [mended, true];
      return found;
    });
    const header = headerOf(format, metadata, bytes);
    requireSizes(name, header, metadata);
    return new PictureData(name, header, header.bitsOf === null ? bytes : withUnsignedValues(bytes), isMended);
  }

  /** Whether its values are not bytes. */
  get isDeep(): boolean {
    return this.header.depth !== 'uchar' && this.header.space !== 'cmyk';
  }

  /** Memory of a pixel while it is decoded: its red, green and blue, and its original values. */
  get pixelBytes(): number {
    const { channels, hasAlpha } = this.header;
    return this.isDeep ? 3 + 5 * channels : hasAlpha ? 7 : 3;
  }

  /** Bytes of the file. */
  get length(): number {
    return this.#bytes.length;
  }

  /**
   * A part of the picture, red, green and blue, 8 bits each. `values.ts` converts all types of values to
   * bytes: whole numbers keep their upper 8 bits, and transparent pixels are blended with white. Colour
   * profiles are ignored, and CMYK is converted by OpenCV's formula.
   *
   * @throws {FileError} if the picture is truncated or broken, or its values cannot be understood
   */
  async pixels(left: number, top: number, width: number, height: number): Promise<Uint8Array> {
    const { depth, space, hasAlpha, channels } = this.header;
    const area = { left, top, width, height };
    if (space === 'cmyk') {
      return cmykToRGB(await this.#read(area, (picture) => picture.removeAlpha(), 'cmyk', 'uchar', 4));
    }
    if (depth === 'uchar' && !hasAlpha) {
      return this.#read(area, (picture) => picture.removeAlpha(), 'srgb', 'uchar', 3);
    }
    if (depth === 'uchar') {
      return overWhite(await this.#read(area, (picture) => picture, 'srgb', 'uchar', 4), 4);
    }
    const scale = await this.#scaled();
    const values = this.#cut(area) ?? (await this.#values(area));
    const [used, kept] = this.#usedChannels(values);
    const bytes = toBytes(used, kept, hasAlpha, scale);
    if (this.header.isInverted) invertFirst(bytes, kept, 255);
    return overWhite(bytes, channels === 3 ? 3 : kept);
  }

  /**
   * The changes of values before they are bytes of red, green and blue, for people; empty for most pictures.
   *
   * @throws {FileError} as {@link pixels}
   */
  async changes(): Promise<string[]> {
    const { hasAlpha, pages } = this.header;
    return [
      ...(this.isDeep ? [`${(await this.#scaled()).name} made 8`] : []),
      ...(hasAlpha ? ['transparency laid over white'] : []),
      ...(pages > 1 ? ['the first picture of the file taken'] : []),
    ];
  }

  async #scaled(): Promise<ValueScale> {
    if (this.#scale !== null) return this.#scale;
    const { height, width, channels, hasAlpha, largest } = this.header;
    const step = Math.max(1, Math.floor(maxPartBytes / (4 * channels * width)));
    let range: ReturnType<typeof rangeOf> | undefined;
    let values: NativeValues = new Uint8Array(0);
    for (let top = 0; top < height; top += step) {
      values = await this.#values({ left: 0, top, width, height: Math.min(step, height - top) });
      const [used, kept] = this.#usedChannels(values);
      range = rangeOf(used, kept, hasAlpha, range);
    }
    if (step >= height) this.#whole = values;
    const scale = scaleOf(values, range ?? rangeOf(values, 1, false), largest);
    if ('factor' in scale) {
      this.#scale = scale;
      return scale;
    }
    throw refusal(this.name, scale.expected, scale.got, undefined, 'save it with 8 or 16 bits a colour');
  }

  /** A part of the values, if they are in memory already. */
  #cut({ left, top, width, height }: Area): NativeValues | null {
    const [whole, line] = [this.#whole, this.header.width];
    if (whole === null) return null;
    const channels = whole.length / (line * this.header.height);
    if (width === line) return whole.subarray(top * line * channels, (top + height) * line * channels) as NativeValues;
    const part = new (whole.constructor as new (length: number) => NativeValues)(width * height * channels);
    for (let y = 0; y < height; y++) {
      const from = ((top + y) * line + left) * channels;
      part.set(whole.subarray(from, from + width * channels), y * width * channels);
    }
    return part;
  }

  async #values(area: Area): Promise<NativeValues> {
    const { depth, space, bitsOf, channels, isInverted } = this.header;
    const [type, own] = bitsOf === null ? [depth, space] : ['ushort', channels < 3 ? 'grey16' : 'rgb16'];
    const bytes = await this.#read(area, (picture) => picture, own, type, channels);
    const values = types[type](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer);
    // The decoder turns whole numbers over as if all bits were used. Their depth shows in the original ones.
    if (isInverted && type !== 'float') invertFirst(values, channels, 2 ** (8 * values.BYTES_PER_ELEMENT) - 1);
    if (bitsOf === 'half') return halvesOf(values as Uint16Array);
    return bitsOf === 'signed' ? new Int16Array(values.buffer) : values;
  }

  /**
   * The values without a last channel that is neither colour nor transparency, and the number of remaining
   * channels.
   */
  #usedChannels(values: NativeValues): [values: NativeValues, channels: number] {
    const { channels, hasAlpha } = this.header;
    if (hasAlpha || channels === 1 || channels === 3) return [values, channels];
    return [values.filter((_, i) => (i + 1) % channels !== 0) as NativeValues, channels - 1];
  }

  /** Decodes a part. If that fails and the file is only odd, it tries the fixed file. */
  async #read(
    area: Area,
    prepare: (picture: Sharp) => Sharp,
    space: string,
    depth: string,
    channels: number,
  ): Promise<Uint8Array> {
    const decode = () => decoded(this.#bytes, this.header, area, prepare, space, depth);
    const { data, info } = await decode()
      .catch((error: unknown) => {
        const mended = this.#isMended ? null : (mending[this.header.format]?.(this.#bytes) ?? null);
        if (mended === null) throw error;
        const before = this.#bytes;
        [this.#bytes, this.#isMended] = [mended, true];
        return decode().catch(() => {
          this.#bytes = before;
          throw error;
        });
      })
      .catch((error: unknown) => {
        throw refusal(this.name, 'an intact picture', decoderReason(error, this.header.format), error);
      });
    const size = depth === 'uchar' || depth === 'char' ? 1 : depth === 'ushort' ? 2 : 4;
    if (info.channels !== channels || data.length !== area.height * area.width * channels * size) {
      throw refusal(this.name, `${channels} channels`, `${info.channels}`);
    }
    return data;
  }
}

/** OpenCV's conversion, `icvCvt_CMYK2BGR_8u_C4C3R`. There 255 means no ink, here it means full ink. */
function cmykToRGB(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const light = 255 - cmyk[from + 3];
    for (let c = 0; c < 3; c++) rgb[to + c] = light - ((cmyk[from + c] * light) >> 8);
  }
  return rgb;
}
