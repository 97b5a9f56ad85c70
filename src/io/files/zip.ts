import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { FileError } from '../../errors.js';
import { option } from '../../text/option.js';
import { reasonOf } from './atomic.js';

/** Limits of an archive, so that a small file cannot fill the disk. */
export interface ZipLimits {
  /** Files in all archives together. Default 20,000. */
  readonly maxEntries?: number | undefined;
  /** Unpacked bytes in all archives together. Default 8 GiB. */
  readonly maxBytes?: number | undefined;
  /** Ratio of unpacked to packed bytes of an entry of more than 1 MiB. Default 100. */
  readonly maxRatio?: number | undefined;
}

/** Limits that several archives share. */
export class ZipBudget {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxRatio: number;
  #used = 0;
  #entries = 0;

  /** @param todo advice for an archive beyond the limits, if they cannot be raised */
  constructor(
    { maxEntries = 20_000, maxBytes = 2 ** 33, maxRatio = 100 }: ZipLimits = {},
    readonly todo?: string,
  ) {
    this.maxEntries = maxEntries;
    this.maxBytes = maxBytes;
    this.maxRatio = maxRatio;
  }

  /** Counts one more file; returns whether the limit allows it. */
  takeEntry(): boolean {
    return ++this.#entries <= this.maxEntries;
  }

  /** Counts unpacked bytes; returns whether the limit allows them. */
  take(bytes: number): boolean {
    this.#used += bytes;
    return this.#used <= this.maxBytes;
  }
}

/** A file in an archive. */
export interface ZipEntry {
  /** Path with `/` between folders; never absolute, never with `..`. */
  readonly name: string;
  readonly bytes: number;
  readonly crc32: number;
  /**
   * Reads the contents in pieces, and verifies size and checksum.
   *
   * @throws {FileError} if the entry is broken, protected by a password, a link, or beyond the limits
   */
  read(): AsyncGenerator<Uint8Array>;
}

const symbolicLink = 0o120000;
const fileKind = 0o170000;
const ratioCounts = 2 ** 20;
/** Messages of yauzl about names that lead out of the folder. */
const leadsOut = /^(invalid relative path|absolute path|invalid characters in fileName)\b/;
const hostile = 'such an archive is made to do harm';
const unpackIt = 'if you trust it, unpack it yourself and give the folder';

/** A zip archive on disk. The list of entries is in memory, the contents are not. */
export class ZipArchive {
  readonly #zip: ZipFile;
  readonly #title: string;
  readonly #budget: ZipBudget;

  private constructor(
    zip: ZipFile,
    title: string,
    budget: ZipBudget,
    readonly entries: readonly ZipEntry[],
  ) {
    this.#zip = zip;
    this.#title = title;
    this.#budget = budget;
  }

  /**
   * Opens an archive and lists its entries.
   *
   * @param title names the archive in messages
   * @throws {FileError} if it is no intact archive, or has names that lead out of the folder that it is
   * unpacked to
   */
  static async open(path: string, budget = new ZipBudget(), title = path): Promise<ZipArchive> {
    const broken = (error: unknown) => {
      const reason = reasonOf(error);
      return leadsOut.test(reason)
        ? refusal(
            title,
            'names inside the folder that it is unpacked to',
            reason,
            `do not unpack it: ${hostile}`,
            error,
          )
        : refusal(title, 'an intact zip archive', damageOf(error), 'get it again, or unpack it yourself', error);
    };
    const { openPromise } = await import('yauzl');
    const zip = await openPromise(path, { autoClose: false }).catch((error: unknown) => {
      throw broken(error);
    });
    const entries: ZipEntry[] = [];
    const archive = new ZipArchive(zip, title, budget, entries);
    try {
      let packed = 0;
      for await (const entry of zip.eachEntry()) {
        if (entry.fileName.endsWith('/')) continue;
        packed += entry.compressedSize;
        if (!budget.takeEntry()) {
          const got = `${zip.entryCount} of them in this archive`;
          throw refusal(title, `at most ${budget.maxEntries} files in all`, got, raise('maxEntries', budget));
        }
        entries.push({
          name: entry.fileName,
          bytes: entry.uncompressedSize,
          crc32: entry.crc32,
          read: () => archive.#read(entry),
        });
      }
      if (packed > zip.fileSize) {
        const got = `${packed}: they overlap`;
        throw refusal(title, `at most ${zip.fileSize} bytes of contents`, got, `do not unpack it: ${hostile}`);
      }
    } catch (error) {
      archive.close();
      throw error instanceof FileError ? error : broken(error);
    }
    return archive;
  }

  close(): void {
    this.#zip.close();
  }

  async *#read(entry: Entry): AsyncGenerator<Uint8Array> {
    const { fileName, compressedSize, uncompressedSize, compressionMethod } = entry;
    const { maxRatio, maxBytes } = this.#budget;
    const where = `${this.#title}: ${fileName}`;
    if (((entry.externalFileAttributes >>> 16) & fileKind) === symbolicLink) {
      throw refusal(where, 'a file', 'a symbolic link', unpackIt);
    }
    if (entry.isEncrypted()) {
      throw refusal(where, 'contents without a password', 'encrypted ones', unpackIt);
    }
    if (compressionMethod !== 0 && compressionMethod !== 8) {
      throw refusal(where, 'stored or deflated contents', `compression method ${compressionMethod}`, unpackIt);
    }
    if (uncompressedSize > ratioCounts && uncompressedSize > maxRatio * compressedSize) {
      const got = `${compressedSize} bytes that unpack to ${uncompressedSize}`;
      throw refusal(where, `at most ${maxRatio} times its packed size`, got, raise('maxRatio', this.#budget));
    }
    if (!this.#budget.take(uncompressedSize)) {
      throw refusal(where, `at most ${maxBytes} bytes unpacked in all`, 'more', raise('maxBytes', this.#budget));
    }
    let crc = 0;
    try {
      for await (const piece of await this.#zip.openReadStreamPromise(entry)) {
        crc = crc32(piece, crc);
        yield piece;
      }
    } catch (error) {
      const todo = 'get the archive again';
      throw refusal(where, 'intact contents', damageOf(error), todo, error);
    }
    if (crc !== entry.crc32) {
      const got = `${hex(crc)}`;
      throw refusal(where, `checksum ${hex(entry.crc32)}`, got, 'get the archive again');
    }
  }
}

function refusal(where: string, expected: string, got: string, todo: string, cause?: unknown): FileError {
  return new FileError(`[zip] ${where}: expected ${expected}, got ${got}; ${todo}`, { cause });
}

/** The system's reason, else a plain `damaged`: messages of the unpacking packages mean nothing to users. */
function damageOf(error: unknown): string {
  const isSystem = (error as NodeJS.ErrnoException | null)?.syscall !== undefined;
  return isSystem ? reasonOf(error) : 'damaged or cut data';
}

function raise(limit: 'maxEntries' | 'maxBytes' | 'maxRatio', { todo }: ZipBudget): string {
  return todo ?? `if you trust it, raise ${option(limit)}`;
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
