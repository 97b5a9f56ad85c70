import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasEnded, hasEndedShort, type Owner, shortOwner, thisProcess } from './owner.js';

const pattern = /^\.fovea-([\w-]+)-[0-9a-f]{8}\.tmp$/;
/** Names of earlier versions contained the final name of the file. */
const earlier = /^\..+\.[0-9a-f]{12}\.tmp$/;
const earlierImport = /^\.fovea-import-(.+)-(\d+)-[0-9a-f]{8}$/;

/**
 * A new name for a file or folder that its process removes or renames when it is complete. The name
 * identifies the process, and is short even if the final name is long.
 */
export async function temporaryName(): Promise<string> {
  return `.fovea-${shortOwner(await thisProcess())}-${randomBytes(4).toString('hex')}.tmp`;
}

/** Whether a name is one of {@link temporaryName}, in this or an earlier version. */
export function isTemporary(name: string): boolean {
  return pattern.test(name) || earlier.test(name);
}

/** Removes temporary files of processes that have ended from a folder, and nothing else. */
export async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch((): string[] => [])) {
    // A read-only folder keeps it.
    if (await isAbandoned(name)) await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** Removes temporary files of one process, which has ended, from a folder. */
export async function removeTemporariesOf(owner: Owner, folder: string): Promise<void> {
  const short = shortOwner(owner);
  for (const name of await readdir(folder).catch((): string[] => [])) {
    if (pattern.exec(name)?.[1] === short)
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

async function isAbandoned(name: string): Promise<boolean> {
  const owner = pattern.exec(name)?.[1];
  if (owner !== undefined) return hasEndedShort(owner);
  const [, host, pid] = earlierImport.exec(name) ?? [];
  return host !== undefined && hasEnded({ host, pid: Number(pid), began: null });
}
