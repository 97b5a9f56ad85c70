import { checkPath } from '../../check.js';
import { FileError } from '../../errors.js';
import { reasonOf } from '../files/atomic.js';
import { openInput } from '../files/input.js';
import { parsePickle } from '../formats/paddle/pickle.js';
import type { PickleValue } from '../formats/paddle/pickleValue.js';

/**
 * {@link parsePickle} of a file.
 *
 * @throws {FileError} for a file that cannot be read, or is refused
 */
export async function loadPickle(path: string): Promise<PickleValue> {
  return parsePickle(await readWhole(path, 'pickle'), path);
}

/** Reads a file of any size at once, into memory of its own. */
export async function readWhole(path: string, where: string): Promise<Uint8Array> {
  checkPath(where, path);
  try {
    const handle = await openInput(path);
    try {
      const stat = await handle.stat();
      const bytes = new Uint8Array(stat.size);
      for (let done = 0; done < bytes.length; ) {
        // One read() cannot give 2 GiB or more.
        const { bytesRead } = await handle.read(bytes, done, Math.min(bytes.length - done, 2 ** 30), done);
        if (bytesRead === 0) return bytes.subarray(0, done);
        done += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`[${where}] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
  }
}
