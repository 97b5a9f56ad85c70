import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { FileError } from '../../errors.js';
import { formatShape, numel, type Shape } from '../../graph/shape.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readInput } from '../../io/files/input.js';

/** Bytes in an array of any rank. */
export interface IdxArray {
  readonly shape: Shape;
  readonly data: Uint8Array;
}

/** Twenty times the size of the largest data set in this format. */
const maxBytes = 2 ** 30;
/** Deflate packs at most 1032 bytes into one. */
const maxRatio = 1032;

/**
 * Reads a file of unsigned bytes in the IDX format of MNIST: the magic number 0x800 + rank, one 32-bit size
 * for each axis (big-endian), then the bytes. The contents show whether the file is gzipped; its name does
 * not matter.
 *
 * @param rank 1 for labels (0x801), 3 for images (0x803: count, rows, columns)
 * @param check receives the sizes before anything is unpacked, and throws if they are wrong
 * @throws {FileError} for anything that is not exactly such a file, or holds more than {@link maxBytes}
 */
export async function readIdx(path: string, rank: 1 | 3, check?: (shape: Shape) => void): Promise<IdxArray> {
  const refuse = (what: string, expected: string, got: string, cause?: unknown) =>
    new FileError(
      `[idx] ${path}: ${what}: expected ${expected}, got ${got}; replace the file by an intact one of the data set`,
      { cause },
    );
  const file = await readInput(path).catch((error: unknown) => {
    throw new FileError(`[idx] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
  });
  const gzipped = file[0] === 0x1f && file[1] === 0x8b;
  const unzipped = async <T>(unzip: () => T | Promise<T>): Promise<T> => {
    try {
      return await unzip();
    } catch (error) {
      throw refuse('gzip', 'intact data', reasonOf(error), error);
    }
  };
  // The header comes first, alone, since it limits the size: a file could unpack to a thousand times its
  // size.
  const head = gzipped
    ? await unzipped(() => gunzipSync(file.subarray(0, 1024), { finishFlush: constants.Z_SYNC_FLUSH }))
    : file;
  const magic = 0x800 + rank;
  const start = 4 + 4 * rank;
  if (head.length < start) throw refuse('header', `${start} bytes`, `${head.length}`);
  if (head.readUInt32BE(0) !== magic) {
    const kind = rank === 1 ? 'labels' : 'images';
    throw refuse('magic number', `${hex(magic)} (${kind})`, hex(head.readUInt32BE(0)));
  }
  const shape = Array.from({ length: rank }, (_, axis) => head.readUInt32BE(4 + 4 * axis));
  if (shape.includes(0)) throw refuse('sizes', 'positive numbers', formatShape(shape));
  const size = start + numel(shape);
  if (size > maxBytes) throw refuse('sizes', `at most ${maxBytes} bytes`, formatShape(shape));
  check?.(shape);
  const expected = `${size} bytes (${start} and ${formatShape(shape)})`;
  if (gzipped && size > file.length * maxRatio) {
    throw refuse('size', expected, `${file.length} bytes of gzip, which cannot hold them`);
  }
  const bytes = gzipped
    ? await unzipped(() => promisify(gunzip)(file, { maxOutputLength: size }).catch(tooLong))
    : file;
  if (bytes === null || bytes.length !== size) {
    throw refuse('size', expected, bytes === null ? 'more' : `${bytes.length}`);
  }
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + start, size - start) };
}

/** Returns null, which means "data beyond the limit". */
function tooLong(error: NodeJS.ErrnoException): null {
  if (error.code === 'ERR_BUFFER_TOO_LARGE') return null;
  throw error;
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}
