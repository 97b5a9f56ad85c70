import { createHash } from 'node:crypto';
import { FileError } from '../errors.js';
import { type Dataset, readBatch } from '../io/data/dataset.js';
import { reasonOf } from '../io/files/atomic.js';
import { fingerprint } from '../io/files/fingerprint.js';
import type { OpenedSplit, OpenOptions } from './catalog/datasets.js';
import { LookIndex, lookOf } from './looks.js';

/** Checksums find pictures that were seen before, under any path. */

/**
 * SHA-256 of each file, in order.
 *
 * @param sha256Of of one of them; default: of the file as it is
 */
export async function fileChecksums(
  files: OpenedSplit['files'],
  onFile?: (done: number) => void,
  sha256Of: OpenedSplit['sha256Of'] = async (path) => (await fingerprint(path)).sha256,
): Promise<string[]> {
  const checksums: string[] = [];
  for (const { path } of files) {
    const sha256 = await sha256Of(path).catch((error: unknown) => {
      if (error instanceof FileError) throw error;
      throw new FileError(`[run] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
    });
    checksums.push(sha256);
    onFile?.(checksums.length);
  }
  return checksums;
}

/** One digest of all files, in order, and of their labels. It does not depend on their folder. */
export function combinedChecksum(files: OpenedSplit['files'], checksums: readonly string[]): string {
  const hash = createHash('sha256');
  for (const [i, { label }] of files.entries()) hash.update(`${checksums[i]} ${label ?? ''}\n`);
  return hash.digest('hex');
}

/** Images read at a time. */
const batchSize = 64;

/** The pixels of images in a few bytes each. */
export interface PixelFacts {
  /** A picture that was saved again without loss has the same checksum. */
  readonly checksums: readonly string[];
  readonly looks: readonly Uint8Array[];
}

/**
 * SHA-256 and look of the pixels of each image, as the network's data set has them without transforms.
 *
 * @throws {FileError} for a picture that cannot be read
 */
export async function pixelFacts(dataset: Dataset, onProgress?: OpenOptions['onProgress']): Promise<PixelFacts> {
  const checksums: string[] = [];
  const looks: Uint8Array[] = [];
  for (let begin = 0; begin < dataset.length; begin += batchSize) {
    const count = Math.min(batchSize, dataset.length - begin);
    const { images, shape } = await readBatch(
      dataset,
      Uint32Array.from({ length: count }, (_, i) => begin + i),
    );
    const size = images.length / count;
    for (let i = 0; i < count; i++) {
      const image = images.subarray(i * size, (i + 1) * size);
      checksums.push(pixelChecksum(image));
      looks.push(lookOf(image, shape.slice(1)));
    }
    onProgress?.({ stage: 'comparing pixels', done: begin + count, total: dataset.length });
  }
  return { checksums, looks };
}

/** SHA-256 of the pixels of one image. */
export function pixelChecksum({ buffer, byteOffset, byteLength }: Float32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

/** Bytes of each checksum that are stored: enough to distinguish a hundred million pictures. */
const keptBytes = 8;
const shortened = (checksum: string) => checksum.slice(0, 2 * keptBytes);

/** Checksums as a run folder keeps them: the first bytes of each, together as base64. */
export function packChecksums(checksums: readonly string[]): string {
  return Buffer.from(checksums.map(shortened).join(''), 'hex').toString('base64');
}

/** Reads what {@link packChecksums} has made. */
export function unpackChecksums(packed: string): string[] {
  return (
    Buffer.from(packed, 'base64')
      .toString('hex')
      .match(new RegExp(`.{${2 * keptBytes}}`, 'g')) ?? []
  );
}

/** Checksums that can be asked whether one is among them. */
export class ChecksumIndex {
  readonly #known: ReadonlySet<string>;

  constructor(checksums: Iterable<string>) {
    this.#known = new Set(Array.from(checksums, shortened));
  }

  /** Reads what {@link packChecksums} has made. */
  static unpack(packed: string): ChecksumIndex {
    return new ChecksumIndex(unpackChecksums(packed));
  }

  has(checksum: string): boolean {
    return this.#known.has(shortened(checksum));
  }
}

/**
 * Checksums and looks of a part of a data set: null if files are not single images, or if pixels were not
 * read yet. Older runs have no looks.
 */
export interface SplitChecksums {
  readonly files: string | null;
  readonly pixels: string | null;
  readonly looks?: string | null | undefined;
}

/** Finds copies of the images of one part of a run's data. */
export class SeenPictures {
  readonly #files: ChecksumIndex | null;
  readonly #pixels: ChecksumIndex | null;
  readonly #looks: LookIndex | null;

  constructor({ files, pixels, looks = null }: SplitChecksums) {
    this.#looks = looks === null ? null : LookIndex.unpack(looks);
    this.#files = files === null ? null : ChecksumIndex.unpack(files);
    this.#pixels = pixels === null ? null : ChecksumIndex.unpack(pixels);
  }

  /** Whether a picture has the bytes or pixels of one of them; those that are null are not compared. */
  has(file: string | null, pixels: string | null): boolean {
    return (
      (file !== null && this.#files?.has(file) === true) || (pixels !== null && this.#pixels?.has(pixels) === true)
    );
  }

  /** Whether a picture looks like one of them, as after it was saved with loss or resized. */
  looksLike(look: Uint8Array): boolean {
    return this.#looks !== null && this.#looks.find(look) !== null;
  }

  /** Whether pixels are known to compare with. */
  get comparesPixels(): boolean {
    return this.#pixels !== null;
  }
}
