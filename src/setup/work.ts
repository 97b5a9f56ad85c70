import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../errors.js';
import { makeFolder, reasonOf } from '../io/files/atomic.js';
import { ProgramError } from '../io/files/runProgram.js';
import { removeAbandoned, temporaryName } from '../io/files/temporary.js';

/** A library that was found, or a file that was tried. */
export interface Library {
  readonly path: string;
  /** Where it came from. */
  readonly origin: string;
  /** `null` if the file could not be asked. */
  readonly version: readonly number[] | null;
  /** Why it cannot be used; `null` if it can. */
  readonly problem: string | null;
}

/** The libraries of this machine, and those that setup gets. */
export interface Libraries {
  /** The folder with a folder for each library that setup got: `pip-…` or `apt-…`. It need not exist. */
  readonly cache: string;
  /** The library that is used; `null` if there is none. */
  find(): Library | null;
  /** Tries a file that a package manager has put into the cache. */
  examine(path: string, way: CacheWay): Library;
}

export type CacheWay = 'pip' | 'apt';

/** Everything that a way to get the library needs. */
export interface Work {
  readonly libraries: Libraries;
  /** Stops the work. */
  readonly signal: AbortSignal;
  /** A program that does nothing for so many milliseconds is ended. */
  readonly idleMs: number;
  /** Reports progress in a line. */
  say(line: string): void;
}

/** A way to get the library. */
export interface Way {
  readonly title: string;
  /**
   * @throws {WayFailed} if it did not lead to a library; nothing is left behind
   */
  get(work: Work): Promise<void>;
}

/** Why a way did not lead to a library. */
export class WayFailed extends Error {}

/** The cache cannot be written, or is full. */
export class CacheFailed extends WayFailed {}

/** Whether an error means that a way did not lead to a library. */
export function isFailure(error: unknown): error is Error {
  return error instanceof WayFailed || error instanceof ProgramError;
}

/**
 * Runs `body` with a new folder in the cache, which is removed afterwards. Folders of killed processes are
 * removed before.
 *
 * @throws {WayFailed} if the cache cannot be written
 */
export async function inStaging<T>({ libraries: { cache } }: Work, body: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(cache, await temporaryName());
  try {
    await makeFolder(cache);
    await protect(cache);
    await removeAbandoned(cache);
    await mkdir(folder, { mode: 0o700 });
    return await body(folder);
  } catch (error) {
    const isOfFiles = error instanceof FileError || (error as NodeJS.ErrnoException).syscall !== undefined;
    if (!isOfFiles) throw error;
    const { cause = error } = error as Error;
    throw new CacheFailed(
      `the cache ${cache} cannot be written (${reasonOf(cause)}); FOVEA_CACHE names another folder`,
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** Forbids all others to write: a library in a folder that others can change is not opened. */
export async function protect(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o022) !== 0) await chmod(path, mode & 0o755).catch(() => {});
}

/**
 * Moves a complete folder to its place in the cache at once. One that is there and cannot be used is
 * replaced.
 */
export async function publish(complete: string, target: string, aside: string): Promise<void> {
  try {
    await rename(complete, target);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await rename(target, aside);
    await rename(complete, target);
  }
}
