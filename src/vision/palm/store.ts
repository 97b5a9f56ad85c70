import { createHash } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { FileError } from '../../errors.js';
import { replaceFile } from '../../io/files/atomic.js';
import { streamInput } from '../../io/files/input.js';
import { type SourceFile, UnreadableSource } from './sources.js';

export interface Sums {
  readonly bytes: number;
  readonly crc32: string;
  readonly sha256: string;
}

/** Copies a file, unless it is there. When this returns, the copy is complete and on the disk. */
export async function store(source: SourceFile, path: string): Promise<{ sums: Sums; isNew: boolean }> {
  const present = await stat(path).catch(() => null);
  if (present === null) {
    const sums = new Checksums();
    await replaceFile(path, (handle) => writeFile(handle, sums.of(source.read())));
    return { sums: sums.result(), isNew: true };
  }
  const sums = new Checksums();
  if (present.isFile() && present.size === source.bytes) {
    for await (const _ of sums.of(streamInput(path)));
    if (sums.crc === (await source.crc32())) return { sums: sums.result(), isNew: false };
  }
  throw new FileError(
    `[palm] ${path}: expected no such file or ${source.where}, got other contents; import into another folder, or ` +
      'move this file away',
  );
}

/**
 * The entry of a picture that cannot be read, whose size and checksums are unknown. @throws all other errors
 */
export function unreadableSource(error: unknown): { sums: Sums; reason: string } {
  if (!(error instanceof UnreadableSource)) throw error;
  return { sums: { bytes: 0, crc32: '', sha256: '' }, reason: error.reason };
}

/** Computes size and checksums of a stream that passes through. */
class Checksums {
  crc = 0;
  #bytes = 0;
  readonly #hash = createHash('sha256');

  async *of(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.crc = crc32(piece, this.crc);
      this.#bytes += piece.length;
      this.#hash.update(piece);
      yield piece;
    }
  }

  result(): Sums {
    return { bytes: this.#bytes, crc32: this.crc.toString(16).padStart(8, '0'), sha256: this.#hash.digest('hex') };
  }
}
