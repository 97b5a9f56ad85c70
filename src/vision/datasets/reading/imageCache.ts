import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '../../../errors.js';
import { makeFolder, moveFile, reasonOf } from '../../../io/files/atomic.js';
import { cacheFolder } from '../../../platform/node/cacheFolder.js';
import type { Preprocessed } from '../../images/preprocess.js';

export interface ImageCacheOptions {
  /** Folder of the entries (`images` in the cache folder). Other files in it are not touched. */
  readonly folder?: string;
  /** Limit for all entries together (4 GiB). Beyond it the least recently used ones are removed. */
  readonly maxBytes?: number;
}

export interface ImageCacheStatistics {
  hits: number;
  misses: number;
  /** Entries that did not match their checksum; they are also counted as misses. */
  damaged: number;
  /** Why the last entry that could not be written failed. */
  failure: string | null;
}

const magic = 'FOVEAIM1';
const checksumBytes = 32;
const headerBytes = magic.length + checksumBytes + 16;
const entryName = /^[0-9a-f]{64}\.img$/;
const temporaryName = /^[0-9a-f]{64}\.[0-9a-f]{12}\.tmp$/;
/** A temporary file of this age belongs to a process that has ended. */
const abandonedMs = 3_600_000;
/** Share of the limit that is still used after clearing up, so that there is room for a while. */
const clearTo = 0.9;
/** Number of written entries after which the cache counts those of other processes and threads. */
const lookEvery = 256;

/**
 * Decoded and resized pictures on disk: one file each, named by the hash of its key.
 *
 * Several processes may share a folder. Entries appear whole, by renaming, and carry a checksum: a damaged
 * one counts as missing. A failure here costs time but never changes a result, so nothing throws.
 */
export class ImageCache {
  readonly folder: string;
  readonly maxBytes: number;
  readonly statistics: ImageCacheStatistics = { hits: 0, misses: 0, damaged: 0, failure: null };
  /** Bytes in the folder, as far as this object knows. */
  #bytes = 0;
  #written = 0;
  #clearing: Promise<void> | null = null;

  /** @throws {InputError} for a limit that is no number from 0 on */
  constructor({ folder = join(cacheFolder(), 'images'), maxBytes = 2 ** 32 }: ImageCacheOptions = {}) {
    if (!(maxBytes >= 0)) {
      throw new InputError(`[image cache] maxBytes: expected a number from 0 on, got ${maxBytes}`);
    }
    this.folder = resolve(folder);
    this.maxBytes = maxBytes;
  }

  async get(key: string): Promise<Preprocessed | null> {
    const { name, hash } = identity(key);
    const path = join(this.folder, name);
    let handle: FileHandle | undefined;
    try {
      handle = await open(path);
      const entry = await handle.readFile();
      const found = decode(entry, hash);
      if (found !== null) {
        // The file's time records its latest use, for clearing up.
        const now = new Date();
        await handle.utimes(now, now).catch(() => {});
        this.statistics.hits++;
        return found;
      }
      this.statistics.damaged++;
      await rm(path, { force: true });
    } catch {
      // The entry does not exist or cannot be read; then the caller reads the picture itself.
    } finally {
      await handle?.close();
    }
    this.statistics.misses++;
    return null;
  }

  async put(key: string, image: Preprocessed): Promise<void> {
    const { name, hash } = identity(key);
    const size = headerBytes + image.pixels.length;
    if (size > this.maxBytes) return;
    const path = join(this.folder, name);
    const temporary = path.replace(/img$/, `${randomBytes(6).toString('hex')}.tmp`);
    try {
      await makeFolder(this.folder);
      if (this.#written++ % lookEvery === 0) {
        this.#bytes = (await this.#list()).reduce((sum, entry) => sum + entry.bytes, 0);
      }
      // It is not flushed to the disk: a file that a power failure damages does not match its checksum.
      await writeFile(temporary, encode(image, hash), { flag: 'wx' });
      await moveFile(temporary, path);
      this.#bytes += size;
    } catch (error) {
      this.statistics.failure = reasonOf(error);
      await rm(temporary, { force: true }).catch(() => {});
      return;
    }
    if (this.#bytes > this.maxBytes) {
      this.#clearing ??= this.#clear().finally(() => {
        this.#clearing = null;
      });
      await this.#clearing;
    }
  }

  /** Removes the least recently used entries. */
  async #clear(): Promise<void> {
    const entries = (await this.#list()).sort((a, b) => a.usedMs - b.usedMs);
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    for (const entry of entries) {
      if (bytes <= clearTo * this.maxBytes) break;
      await rm(entry.path, { force: true }).catch(() => {});
      bytes -= entry.bytes;
    }
    this.#bytes = bytes;
  }

  /** Lists the entries, after removing unfinished files of other processes. */
  async #list(): Promise<{ path: string; bytes: number; usedMs: number }[]> {
    const names = await readdir(this.folder).catch(() => []);
    const found = await Promise.all(
      names.map(async (name) => {
        const isTemporary = temporaryName.test(name);
        if (!isTemporary && !entryName.test(name)) return null;
        const path = join(this.folder, name);
        const info = await stat(path).catch(() => null);
        if (info === null) return null;
        if (!isTemporary) return { path, bytes: info.size, usedMs: info.mtimeMs };
        if (Date.now() - info.mtimeMs > abandonedMs) await rm(path, { force: true }).catch(() => {});
        return null;
      }),
    );
    return found.filter((entry) => entry !== null);
  }
}

function identity(key: string): { name: string; hash: Buffer } {
  const hash = createHash('sha256').update(key).digest();
  return { name: `${hash.toString('hex')}.img`, hash };
}

/** Layout: magic, checksum of all that follows and of the key, four sizes (uint32, little-endian), pixels. */
function encode({ pixels, height, width, sourceHeight, sourceWidth }: Preprocessed, hash: Uint8Array): Uint8Array {
  const entry = Buffer.alloc(headerBytes + pixels.length);
  entry.write(magic, 'latin1');
  const sizes = magic.length + checksumBytes;
  [height, width, sourceHeight, sourceWidth].forEach((size, i) => {
    entry.writeUInt32LE(size, sizes + 4 * i);
  });
  entry.set(pixels, headerBytes);
  entry.set(checksum(hash, entry.subarray(sizes)), magic.length);
  return entry;
}

function decode(entry: Buffer, hash: Uint8Array): Preprocessed | null {
  const sizes = magic.length + checksumBytes;
  if (entry.length < headerBytes || entry.toString('latin1', 0, magic.length) !== magic) return null;
  if (!checksum(hash, entry.subarray(sizes)).equals(entry.subarray(magic.length, sizes))) return null;
  const [height, width, sourceHeight, sourceWidth] = [0, 4, 8, 12].map((at) => entry.readUInt32LE(sizes + at));
  return { pixels: new Uint8Array(entry.subarray(headerBytes)), height, width, sourceHeight, sourceWidth };
}

function checksum(hash: Uint8Array, contents: Uint8Array): Buffer {
  return createHash('sha256').update(hash).update(contents).digest();
}
