import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { FileError } from '../../errors.js';
import { formatShape, numel, type Shape } from '../../graph/shape.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readInput } from '../../io/files/input.js';
import {
  decodeIdx,
  type IdxArray,
  type IdxRank,
  idxHeaderBytes,
  idxRefusal,
  idxShape,
  requireIdxBytes,
} from '../../io/formats/idx.js';

/** Twenty times the size of the largest data set in this format. */
const maxBytes = 2 ** 30;
/** Deflate packs at most 1032 bytes into one. */
const maxRatio = 1032;

/**
 * Reads a file of unsigned bytes in the IDX format of MNIST; see `decodeIdx`. The contents show whether the
 * file is gzipped; its name does not matter.
 *
 * @param check receives the sizes before anything is unpacked, and throws if they are wrong
 * @throws {FileError} for anything that is not exactly such a file, or holds more than {@link maxBytes}
 */
export async function readIdx(path: string, rank: IdxRank, check?: (shape: Shape) => void): Promise<IdxArray> {
  const file = await readInput(path).catch((error: unknown) => {
    throw new FileError(`[idx] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
  });
  const gzipped = file[0] === 0x1f && file[1] === 0x8b;
  const unzipped = async <T>(unzip: () => T | Promise<T>): Promise<T> => {
    try {
      return await unzip();
    } catch (error) {
      throw idxRefusal(path, 'gzip', 'intact data', reasonOf(error), error);
    }
  };
  // The header comes first, alone, since it limits the size: a file could unpack to a thousand times its
  // size.
  const head = gzipped
    ? await unzipped(() => gunzipSync(file.subarray(0, 1024), { finishFlush: constants.Z_SYNC_FLUSH }))
    : file;
  const shape = idxShape(head, rank, path);
  const start = idxHeaderBytes(rank);
  const size = start + numel(shape);
  if (size > maxBytes) throw idxRefusal(path, 'sizes', `at most ${maxBytes} bytes`, formatShape(shape));
  check?.(shape);
  if (gzipped && size > file.length * maxRatio) {
    const expected = `${size} bytes (${start} and ${formatShape(shape)})`;
    throw idxRefusal(path, 'size', expected, `${file.length} bytes of gzip, which cannot hold them`);
  }
  const bytes = gzipped
    ? await unzipped(() => promisify(gunzip)(file, { maxOutputLength: size }).catch(tooLong))
    : file;
  requireIdxBytes(bytes, shape, path);
  return decodeIdx(bytes as Uint8Array, rank, path);
}

/** Returns null, which means "data beyond the limit". */
function tooLong(error: NodeJS.ErrnoException): null {
  if (error.code === 'ERR_BUFFER_TOO_LARGE') return null;
  throw error;
}
