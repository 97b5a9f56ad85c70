import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError, InputError } from '../errors.js';
import { reasonOf } from './atomic.js';

export const lockFile = '.lock';

/** A folder that is kept from others. */
export interface Lock {
  /** Lets others in again. */
  release(): Promise<void>;
}

/** The process that keeps a folder to itself. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** When the process began, where the system tells; numbers of processes are used again. */
  readonly began: string | null;
}

/**
 * Keeps other processes, and others in this one, from working in a folder: as long as a file `.lock` of a living
 * process lies there. One that a dead process of this machine has left is taken over.
 *
 * @param where names the caller in messages
 * @throws {InputError} if somebody else works there
 */
export async function lockFolder(folder: string, where: string): Promise<Lock> {
  const path = join(folder, lockFile);
  const own = JSON.stringify({ host: hostname(), pid: process.pid, began: await beginning(process.pid) });
  for (;;) {
    if (await make(path, own).catch((error: unknown) => refuse(where, path, error))) {
      return { release: () => rm(path, { force: true }) };
    }
    const found = await readFile(path, 'utf8').catch(() => null);
    if (found === null) continue;
    const owner = await living(found);
    if (owner !== null) {
      throw new InputError(
        `[${where}] ${folder}: expected nobody else to write there, got process ${owner.pid} on ${owner.host}; ` +
          `wait for it, choose another folder, or delete ${path} if you are sure that it has ended`,
      );
    }
    await clear(path, found);
  }
}

/** Who works in a folder; null if nobody does. */
export async function ownerOf(folder: string): Promise<Owner | null> {
  const found = await readFile(join(folder, lockFile), 'utf8').catch(() => null);
  return found === null ? null : living(found);
}

/** Makes the file as a whole, unless there is one. */
async function make(path: string, text: string): Promise<boolean> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(aside, text, { flag: 'wx' });
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function refuse(where: string, path: string, error: unknown): never {
  throw new FileError(`[${where}] ${path}: expected to write it, got ${reasonOf(error)}; choose another folder`, {
    cause: error,
  });
}

/** The owner that a lock file names, unless it is known to be dead. */
async function living(text: string): Promise<Owner | null> {
  let owner: Owner;
  try {
    owner = JSON.parse(text) as Owner;
  } catch {
    // Nothing that this function writes: a power failure, perhaps.
    return null;
  }
  if (owner.host !== hostname()) return owner;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return null;
  }
  return (await beginning(owner.pid)) === owner.began ? owner : null;
}

/** Takes a dead owner's file away, and no other: somebody quicker may have put a new one in its place. */
async function clear(path: string, dead: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8')) !== dead) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

/** When a process began, in the system's own unit; null where it does not tell. */
async function beginning(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The second field is a name in parentheses that may hold anything; the 22nd is the time.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
