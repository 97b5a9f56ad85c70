import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FileError } from '../../errors.js';
import { reasonOf } from './atomic.js';
import { openInput } from './input.js';

export interface TarMember {
  /** Name as in the archive. It may be any text, because nothing is written to a disk. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface TarLimits {
  /** Limit of the unpacked archive, in bytes. Default 1 GiB. */
  readonly maxBytes?: number;
  /** Limit of files and folders. Default 10,000. */
  readonly maxEntries?: number;
}

const block = 512;
/** Limit of a name that does not fit into its header, and of the other records beside it. */
const maxNameBytes = 4096;
/** Types of files. The last one asks for a contiguous place on the disk. */
const regular: readonly string[] = ['0', '\0', '7'];

/**
 * Reads the files of a tar archive (ustar, pax or GNU), gzipped or not, one by one. Only the wanted files are
 * read into memory; other files, folders and links are skipped. The archive is read to its end, so that the
 * checksum of gzip is verified.
 *
 * @param wanted called with the name of each file
 * @throws {FileError} if the file cannot be read, is no archive, is cut or damaged, or exceeds the limits
 */
export async function* readTar(
  path: string,
  wanted: (name: string) => boolean,
  { maxBytes = 2 ** 30, maxEntries = 10_000 }: TarLimits = {},
): AsyncGenerator<TarMember> {
  const refuse = (expected: string, got: string, cause?: unknown) =>
    new FileError(`[tar] ${path}: expected ${expected}, got ${got}; get the archive again`, { cause });
  const source = await openArchive(path).catch((error: unknown) => {
    throw refuse('a readable file', reasonOf(error), error);
  });
  const input = new Input(source, maxBytes, refuse);
  // Facts about the next file that do not fit into its header.
  let longName: string | null = null;
  let longSize: number | null = null;
  try {
    for (let entries = 0; ; entries++) {
      const header = await input.take(block);
      // Two blocks of zeros end the archive.
      if (header.every((byte) => byte === 0)) break;
      if (entries >= maxEntries) throw refuse(`at most ${maxEntries} entries`, 'more');
      const { name, size: shortSize, type } = parseHeader(header, refuse);
      const isExtension = type === 'L' || type === 'x';
      const size: number = isExtension ? shortSize : (longSize ?? shortSize);
      const padding = (block - (size % block)) % block;
      if (isExtension) {
        if (size > maxNameBytes) throw refuse(`names of at most ${maxNameBytes} bytes`, `${size}`);
        const bytes = Buffer.from(await input.take(size));
        if (type === 'L') longName = bytes.toString('utf8').replace(/\0.*$/s, '');
        else {
          const records = parseRecords(bytes, refuse);
          longName = records.get('path') ?? longName;
          longSize = wholeNumber(records.get('size'), refuse) ?? longSize;
        }
        await input.skip(padding);
        continue;
      }
      const own = longName ?? name;
      [longName, longSize] = [null, null];
      if (regular.includes(type) && wanted(own)) {
        yield { name: own, bytes: await input.take(size) };
        await input.skip(padding);
      } else {
        await input.skip(size + padding);
      }
    }
    await input.drain();
  } finally {
    source.destroy();
  }
}

async function openArchive(path: string): Promise<Readable> {
  const handle = await openInput(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    const file = handle.createReadStream({ start: 0, highWaterMark: 2 ** 18 });
    const isGzipped = bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b;
    // An error of either stream reaches the reader of the last one.
    return isGzipped ? pipeline(file, createGunzip({ chunkSize: 2 ** 18 }), () => {}) : file;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

type Refuse = (expected: string, got: string, cause?: unknown) => FileError;

/** A stream, read in pieces of any size. */
class Input {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #maxBytes: number;
  readonly #refuse: Refuse;
  #rest: Uint8Array = new Uint8Array();
  #total = 0;

  constructor(source: Readable, maxBytes: number, refuse: Refuse) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
    this.#refuse = refuse;
  }

  async take(size: number): Promise<Uint8Array> {
    // Checked first, because a header may claim more than the archive has.
    const end = this.#total - this.#rest.length + size;
    if (end > this.#maxBytes) throw this.#refuse(`at most ${this.#maxBytes} bytes unpacked`, `${end} or more`);
    const parts: Uint8Array[] = [];
    await this.#pass(size, (part) => parts.push(part));
    return parts.length === 1 ? parts[0] : Buffer.concat(parts, size);
  }

  skip(size: number): Promise<void> {
    return this.#pass(size, () => {});
  }

  /** Reads the padding behind the end, so that the checksum is verified. */
  async drain(): Promise<void> {
    while (await this.#more());
  }

  async #pass(size: number, use: (part: Uint8Array) => void): Promise<void> {
    for (let left = size; left > 0; ) {
      if (this.#rest.length === 0 && !(await this.#more())) {
        throw this.#refuse('an intact archive', 'its end too early');
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      use(part);
    }
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#chunks.next().catch((error: unknown) => {
      throw this.#refuse('an intact archive', reasonOf(error), error);
    });
    if (done === true) return false;
    this.#rest = value;
    this.#total += value.length;
    if (this.#total <= this.#maxBytes) return true;
    throw this.#refuse(`at most ${this.#maxBytes} bytes unpacked`, 'more');
  }
}

/** The records `LENGTH KEY=VALUE\n` of a pax header (POSIX.1-2001). The length counts all of a record. */
function parseRecords(bytes: Buffer, refuse: Refuse): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(' ', at);
    const length = Number(bytes.toString('latin1', at, Math.max(at, space)));
    const end = at + length;
    const isWhole = Number.isSafeInteger(length) && end <= bytes.length && end > space + 1 && bytes[end - 1] === 0x0a;
    const equals = bytes.indexOf('=', space);
    if (!isWhole || equals < 0 || equals >= end) throw refuse('intact pax records', 'others');
    records.set(bytes.toString('utf8', space + 1, equals), bytes.toString('utf8', equals + 1, end - 1));
    at = end;
  }
  return records;
}

function wholeNumber(text: string | undefined, refuse: Refuse): number | null {
  if (text === undefined || text === '') return null;
  if (!/^\d+$/.test(text)) throw refuse('the size of a file in decimal digits', 'something else');
  return Number(text);
}

/** The 512 bytes in front of each file. POSIX.1-1988 (ustar). */
function parseHeader(header: Uint8Array, refuse: Refuse): { name: string; size: number; type: string } {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.length);
  const text = (begin: number, length: number) => bytes.toString('utf8', begin, begin + length).replace(/\0.*$/s, '');
  const octal = (begin: number, length: number) => {
    const digits = text(begin, length).trim();
    return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  };
  // The checksum itself counts as spaces.
  const sum = bytes.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (octal(148, 8) !== sum) throw refuse('a tar archive', 'a header whose checksum is wrong');
  const size = octal(124, 12);
  if (Number.isNaN(size)) throw refuse('the size of a file in octal digits', 'something else');
  const prefix = text(257, 5) === 'ustar' ? text(345, 155) : '';
  const name = text(0, 100);
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, type: String.fromCharCode(bytes[156]) };
}
