import { createHash } from 'node:crypto';
import { readFileSync, unlinkSync } from 'node:fs';
import { type FileHandle, lstat, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileError, InputError } from '../../errors.js';
import { reasonOf } from './atomic.js';
import { hasEnded, type Owner, thisProcess } from './owner.js';

export const lockFile = '.lock';

/** A locked folder. */
export interface Lock {
  /** Unlocks the folder. */
  release(): Promise<void>;
}

/**
 * Limits on waiting for a file that is being written, and for one that others make and remove all the time.
 */
const mostLooks = 20;
const lookMs = 100;
/** Largest lock file, in bytes. */
const mostBytes = 4096;
/** A process that died during a takeover leaves a lock that must be taken over first, and so on. */
const mostTakeovers = 3;

/**
 * Locks a folder against other processes, and against other callers in this one, by a file `.lock`. A lock
 * that a dead process of this machine has left is taken over. A process removes the file at its end, unless a
 * signal that it does not handle ends it.
 *
 * @param where names the caller in messages
 * @throws {InputError} if another process holds the lock, or may hold it
 * @throws {FileError} if the file cannot be written, or something else has its name
 */
export async function lockFolder(folder: string, where: string): Promise<Lock> {
  const path = join(folder, lockFile);
  return acquire(path, `[${where}] ${folder}`, JSON.stringify(await thisProcess()), mostTakeovers);
}

/** The process that holds the lock of a folder; null without one, or if the lock does not name it. */
export async function ownerOf(folder: string): Promise<Owner | null> {
  const found = await look(join(folder, lockFile)).catch(() => null);
  return found === null || found.owner === null || (await hasEnded(found.owner)) ? null : found.owner;
}

async function acquire(path: string, place: string, own: string, takeovers: number): Promise<Lock> {
  for (let looks = 1; ; looks++) {
    if (await make(path, own, place)) return held(path, own);
    const found = await look(path, place);
    if (found !== null && found.text !== '' && found.owner === null) throw strange(place, path, 'other contents');
    if (found?.owner && !(await hasEnded(found.owner))) {
      const { pid, host } = found.owner;
      throw new InputError(
        `${place}: expected no other process to write there, got process ${pid} on ${host}; ` +
          `wait for it, choose another folder, or delete ${path} if you are sure that it has ended`,
      );
    }
    // An empty file is being written, or was when the power failed.
    if (found?.owner || (found !== null && looks >= mostLooks)) {
      if (takeovers === 0) throw strange(place, path, 'one that no process can take over');
      await clear(path, found.text, place, own, takeovers - 1);
    }
    if (looks >= 2 * mostLooks) throw strange(place, path, 'one that others make and remove all the time');
    if (!found?.owner) await sleep(lookMs);
  }
}

function strange(place: string, path: string, found: string): FileError {
  return new FileError(
    `${place}: expected no ${lockFile}, or that of a process, got ${found}; ` +
      `delete ${path} if you are sure that no process works there, or choose another folder`,
  );
}

/**
 * Makes the file, unless there is one; needs no hard links, which exFAT and some network file systems lack.
 */
async function make(path: string, text: string, place: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unwritable(place, path, error);
  }
  try {
    await handle.writeFile(text);
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    throw unwritable(place, path, error);
  } finally {
    await handle.close();
  }
  // Another process may have taken the empty file for that of a dead process.
  return (await readFile(path, 'utf8').catch(() => null)) === text;
}

function unwritable(place: string, path: string, error: unknown): FileError {
  return new FileError(
    `${place}: expected to write ${path}, got ${reasonOf(error)}; choose a folder that you may write to`,
    { cause: error },
  );
}

const mine = new Map<string, string>();

function held(path: string, text: string): Lock {
  if (mine.size === 0) process.on('exit', releaseAll);
  mine.set(path, text);
  return {
    release: async () => {
      mine.delete(path);
      if (mine.size === 0) process.off('exit', releaseAll);
      // The folder may have been moved or become read-only; a lock that stays there is soon that of a dead
      // process.
      if ((await readFile(path, 'utf8').catch(() => null)) === text) await rm(path, { force: true }).catch(() => {});
    },
  };
}

/** For a process that ends by an exception, or by `process.exit` in a callback. */
function releaseAll(): void {
  for (const [path, text] of mine) {
    try {
      if (readFileSync(path, 'utf8') === text) unlinkSync(path);
    } catch {
      // The next process finds the lock of a dead one.
    }
  }
}

/** Contents of a lock file; `owner` is null if this module has not written it. */
interface Found {
  readonly text: string;
  readonly owner: Owner | null;
}

/**
 * Reads a lock file; null if there is none. Other kinds of files are not opened: reading a FIFO may never
 * end.
 */
async function look(path: string, place = '[lock]'): Promise<Found | null> {
  try {
    const info = await lstat(path);
    if (!info.isFile()) throw strange(place, path, info.isDirectory() ? 'a folder' : 'a link or device');
    if (info.size > mostBytes) throw strange(place, path, `${info.size} bytes`);
    const text = (await readFile(path, 'utf8')).replace(/^\0+$/, '');
    return { text, owner: parse(text) };
  } catch (error) {
    if (error instanceof FileError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw strange(place, path, reasonOf(error));
  }
}

function parse(text: string): Owner | null {
  try {
    const { host, pid, began, boot = null, space = null } = JSON.parse(text) as Owner;
    const known = typeof host === 'string' && Number.isSafeInteger(pid) && pid > 0;
    const optional = [began, boot, space].every((value) => value === null || typeof value === 'string');
    return known && optional ? { host, pid, began, boot, space } : null;
  } catch {
    return null;
  }
}

/**
 * Removes the lock of a dead owner and no other: a quicker process may have put a new one in its place. Only
 * the holder of a lock named by the contents of the dead file removes that file.
 */
async function clear(path: string, dead: string, place: string, own: string, takeovers: number): Promise<void> {
  const name = createHash('sha256').update(dead).digest('hex').slice(0, 12);
  const claim = await acquire(`${path}.${name}`, place, own, takeovers);
  try {
    if ((await look(path, place))?.text === dead) await rm(path, { force: true });
  } finally {
    await claim.release();
  }
}
