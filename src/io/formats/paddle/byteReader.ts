import { FileError } from '../../../errors.js';
import { latin1Text } from '../bytes.js';

/**
 * Longer bytes are moved into alignment; longer texts stay bytes, since only arrays of protocol 2 are so
 * long.
 */
const longBytes = 1024;
const longText = 2 ** 16;
/** Limit of the module or name of a function. */
const maxLine = 1000;

const alignment = 4;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the numbers and texts of a pickle, never beyond its end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string;
  position = 0;

  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
  }

  get left(): number {
    return this.#bytes.length - this.position;
  }

  /** Throws unless `count` more bytes follow. */
  need(count: number): void {
    if (count > this.left) {
      throw new FileError(
        `[pickle] ${this.#where}: expected ${count} bytes from byte ${this.position} on, got ${this.left}; ` +
          'the file is truncated or damaged, copy it again',
      );
    }
  }

  byte(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  short(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A 64-bit integer; rounded beyond 2^53, more than any file has. */
  long(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  double(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** Text in ASCII up to a line feed. */
  line(): string {
    const end = this.#bytes.subarray(this.position, this.position + maxLine).indexOf(0x0a);
    if (end < 0) this.need(this.left < maxLine ? this.left + 1 : Number.POSITIVE_INFINITY);
    const start = this.#advance(end + 1);
    return latin1Text(this.#bytes.subarray(start, start + end));
  }

  /**
   * A view of the next bytes. Long ones are moved back by up to three bytes, over their own length in front
   * of them, so that arrays can be views of them.
   */
  bytes(count: number): Uint8Array {
    const start = this.#advance(count);
    if (count < longBytes) return this.#bytes.subarray(start, start + count);
    const to = this.#alignedBefore(start);
    this.#bytes.copyWithin(to, start, start + count);
    return this.#bytes.subarray(to, to + count);
  }

  unicode(count: number): string | Latin1Text {
    const start = this.#advance(count);
    if (count > longText) return new Latin1Text(() => this.#encode(start, start + count));
    try {
      return utf8.decode(this.#bytes.subarray(start, start + count));
    } catch (error) {
      throw new FileError(`[pickle] ${this.#where}: expected text in UTF-8 at byte ${start}, got other bytes`, {
        cause: error,
      });
    }
  }

  /** Text of Python 2. */
  latin1(count: number): string | Latin1Text {
    if (count > longText) {
      const bytes = this.bytes(count);
      return new Latin1Text(() => bytes);
    }
    const start = this.#advance(count);
    return latin1Text(this.#bytes.subarray(start, start + count));
  }

  #advance(count: number): number {
    this.need(count);
    const { position } = this;
    this.position += count;
    return position;
  }

  #alignedBefore(start: number): number {
    return start - ((this.#bytes.byteOffset + start) % alignment);
  }

  /** UTF-8 to Latin-1, in place: it gets no longer. */
  #encode(start: number, end: number): Uint8Array {
    const bytes = this.#bytes;
    const first = this.#alignedBefore(start);
    let to = first;
    for (let from = start; from < end; ) {
      const byte = bytes[from++];
      if (byte < 0x80) bytes[to++] = byte;
      else if ((byte === 0xc2 || byte === 0xc3) && from < end && (bytes[from] & 0xc0) === 0x80) {
        bytes[to++] = ((byte & 3) << 6) | (bytes[from++] & 0x3f);
      } else {
        throw new FileError(`[pickle] ${this.#where}: expected Latin-1 text at byte ${from - 1}, got other characters`);
      }
    }
    return bytes.subarray(first, to);
  }
}

/** A text too long for a string of JavaScript: the contents of an array, in protocol 2 or by Python 2. */
export class Latin1Text {
  readonly #make: () => Uint8Array;
  #bytes: Uint8Array | null = null;

  constructor(make: () => Uint8Array) {
    this.#make = make;
  }

  toBytes(): Uint8Array {
    this.#bytes ??= this.#make();
    return this.#bytes;
  }
}
