import { FileError, messageOf } from '../../errors.js';
import { ownerOf } from '../../io/files/lock.js';

/** A training that saves after every step may overwrite files faster than another process reads them. */
const mostReadings = 20;

/**
 * Reads from a folder, and reads again while another process writes to it.
 *
 * @param isNewest whether the state that `body` searched for is still the newest one
 * @throws the error of `body`, if no other process has changed the folder
 */
export async function readSteadily<T>(
  folder: string,
  body: () => Promise<T>,
  isNewest: () => Promise<boolean>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await body();
    } catch (error) {
      const owner = await ownerOf(folder);
      // The writer may have ended meanwhile. It then left a newer state than the one that was searched for.
      if (owner === null && (await isNewest())) throw error;
      if (tries < mostReadings) continue;
      if (owner === null || owner.pid === process.pid) throw error;
      const writer = `process ${owner.pid} on ${owner.host} writes to the folder; wait for it, or read a copy`;
      throw new FileError(`${messageOf(error)}; ${writer}`, { cause: error });
    }
  }
}
