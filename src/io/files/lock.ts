import { createHash } from 'node:crypto';
import { readFileSync, unlinkSync } from 'node:fs';
import { type FileHandle, lstat, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileError, InputError } from '../../errors.js';
import { adviceOn, reasonOf } from './atomic.js';
import { hasEnded, isKnown, type Owner, thisProcess } from './owner.js';
import { removeTemporariesOf, temporaryName } from './temporary.js';

export const lockFile = '.lock';

/** A locked folder. */
export interface Lock {
  /** Whether another process has taken the lock over, since this one gave no signs of life. */
  isLost(): Promise<boolean>;
  /** Unlocks the folder. */
  release(): Promise<void>;
}

/**
 * Limits on waiting for a file that is being written, and for one that others make and remove all the time.
 */
const mostLooks = 20;
const lookMs = 100;
/**
 * A process shows that it lives by writing its locks again from time to time. One of another machine or
 * container, about which the system knows nothing, has ended if it has not done so for {@link silenceMs}.
 */
const beatMs = 10_000;
const silenceMs = 120_000;
/** Largest lock file, in bytes. */
const mostBytes = 4096;
/** A process that died during a takeover leaves a lock that must be taken over first, and so on. */
const mostTakeovers = 3;

/**
 * Locks a folder against other processes, and against other callers in this one, by a file `.lock`. A lock
 * that a dead process has left is taken over: at once on this machine, after two minutes without a sign of
 * life elsewhere. A process removes the file at its end, unless a signal that it does not handle ends it.
 *
 * @param where names the caller in messages
 * @throws {InputError} if another process holds the lock, or may hold it
 * @throws {FileError} if the file cannot be written, or something else has its name
 */
export async function lockFolder(folder: string, where: string): Promise<Lock> {
  const path = join(folder, lockFile);
  const text = JSON.stringify({ ...(await thisProcess()), beats: true });
  return acquire(path, `[${where}] ${folder}`, text, mostTakeovers);
}

/** The process that holds the lock of a folder; null without one, or if the lock does not name it. */
export async function ownerOf(folder: string): Promise<Owner | null> {
  const found = await look(join(folder, lockFile)).catch(() => null);
  return found === null || found.owner === null || (await hasEnded(found.owner)) ? null : found.owner;
}

/**
 * Milliseconds since a process of another machine or container wrote its lock, by the clock of the file
 * system; null if this system knows about the process, or if it is of a version that gives no signs of life.
 */
async function silenceOf(path: string, { owner, beats }: Found): Promise<number | null> {
  if (owner === null || !beats || (await isKnown(owner))) return null;
  const probe = join(dirname(path), await temporaryName());
  try {
    const before = await stat(path);
    await writeFile(probe, '');
    return Math.max(0, (await stat(probe)).mtimeMs - before.mtimeMs);
  } catch {
    return null;
  } finally {
    await rm(probe, { force: true }).catch(() => {});
  }
}

async function acquire(path: string, place: string, own: string, takeovers: number): Promise<Lock> {
  for (let looks = 1; ; looks++) {
    if (await make(path, own, place)) return held(path, own);
    const found = await look(path, place);
    if (found !== null && found.text !== '' && found.owner === null) throw strange(place, path, 'other contents');
    if (found?.owner && !(await hasEnded(found.owner))) {
      const { pid, host } = found.owner;
      const silence = await silenceOf(path, found);
      if (silence === null || silence < silenceMs) {
        const expires = silence === null ? '' : `try again in ${Math.ceil((silenceMs - silence) / 1000)} s or `;
        throw new InputError(
          `${place}: expected no other process to write there, got process ${pid} on ${host}; wait for it, choose ` +
            `another folder, or ${expires}delete ${path} if you are sure that it has ended`,
        );
      }
    }
    // An empty file is being written, or was when the power failed.
    if (found?.owner || (found !== null && looks >= mostLooks)) {
      if (takeovers === 0) throw strange(place, path, 'one that no process can take over');
      await clear(path, found.text, place, own, takeovers - 1);
      if (found.owner !== null) await removeTemporariesOf(found.owner, dirname(path));
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
    `${place}: expected to write ${path}, got ${reasonOf(error)}; ${adviceOn(error) ?? 'choose a folder that you may write to'}`,
    { cause: error },
  );
}

const mine = new Map<string, string>();

let beating: NodeJS.Timeout | null = null;

function held(path: string, text: string): Lock {
  if (mine.size === 0) {
    process.on('exit', releaseAll);
    beating = setInterval(beatAll, beatMs).unref();
  }
  mine.set(path, text);
  return {
    isLost: async () => {
      const now = await readFile(path, 'utf8').catch(() => text);
      return now !== text && parse(now).owner !== null;
    },
    release: async () => {
      mine.delete(path);
      if (mine.size === 0) {
        process.off('exit', releaseAll);
        if (beating !== null) clearInterval(beating);
      }
      // The folder may have been moved or become read-only; a lock that stays there is soon that of a dead
      // process.
      if ((await readFile(path, 'utf8').catch(() => null)) === text) await rm(path, { force: true }).catch(() => {});
    },
  };
}

/** Gives a sign of life by all locks. A lock that was lost, or that cannot be written, stays as it is. */
function beatAll(): void {
  for (const [path, text] of mine) beat(path, text).catch(() => {});
}

async function beat(path: string, text: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    // The same bytes again: a reader never sees a part of the file, and the file system sets the time.
    if ((await handle.readFile('utf8')) === text) await handle.write(text, 0);
  } finally {
    await handle.close();
  }
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
  /** Whether the owner gives signs of life. */
  readonly beats: boolean;
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
    return { text, ...parse(text) };
  } catch (error) {
    if (error instanceof FileError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw strange(place, path, reasonOf(error));
  }
}

function parse(text: string): Pick<Found, 'owner' | 'beats'> {
  const none = { owner: null, beats: false };
  try {
    const { host, pid, began, boot = null, space = null, beats } = JSON.parse(text) as Owner & { beats?: unknown };
    const known = typeof host === 'string' && Number.isSafeInteger(pid) && pid > 0;
    const optional = [began, boot, space].every((value) => value === null || typeof value === 'string');
    return known && optional ? { owner: { host, pid, began, boot, space }, beats: beats === true } : none;
  } catch {
    return none;
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
