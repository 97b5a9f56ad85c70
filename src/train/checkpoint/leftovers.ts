import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile } from '../../io/files/lock.js';
import { removeAbandoned } from '../../io/files/temporary.js';

/** A temporary file of an earlier version. */
const earlierTemporary = /^\.(.+)\.[0-9a-f]{12}\.tmp$/;

/**
 * Removes incomplete files of killed trainings from a folder.
 *
 * @param ours names of the files of a training
 */
export async function removeLeftovers(folder: string, ours: readonly string[]): Promise<void> {
  await removeAbandoned(folder);
  for (const entry of await readdir(folder)) {
    const name = earlierTemporary.exec(entry)?.[1]?.replace(/\.new$/, '');
    // A claim serves to take over the lock of a dead process. The owner of the lock needs no claims.
    const isClaim = entry.startsWith(`${lockFile}.`) && /^(\.[0-9a-f]{12})+$/.test(entry.slice(lockFile.length));
    if (isClaim || (name !== undefined && ours.includes(name))) await rm(join(folder, entry), { force: true });
  }
}
