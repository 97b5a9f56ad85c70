import { type FileHandle, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getSystemErrorMap } from 'node:util';
import * as check from '../../check.js';
import { FileError, FoveaError, messageOf } from '../../errors.js';
import { temporaryName } from './temporary.js';

/** Contents of a file to write: text (UTF-8) or bytes, whole or in pieces. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const noPermission = 'choose a folder that you may write to';
const advice: Readonly<Record<string, string>> = {
  ENOSPC: 'free some space or choose another disk',
  EDQUOT: 'free some space or choose another disk',
  EFBIG: 'raise the limit on file sizes (ulimit -f)',
  EACCES: noPermission,
  EPERM: noPermission,
  EROFS: noPermission,
  ENOENT: 'create the folder first',
  ENOTDIR: 'choose another folder',
  ENAMETOOLONG: 'choose a shorter name',
  EISDIR: 'choose a name that is not a folder',
};

/** Advice for an error of the file system; undefined without any. */
export function adviceOn(error: unknown): string | undefined {
  return advice[(error as NodeJS.ErrnoException | null)?.code ?? ''];
}

/** `ENOSPC: no space left on device`, without the names of system calls and temporary files. */
export function reasonOf(error: unknown): string {
  const { code, errno } = (error ?? {}) as NodeJS.ErrnoException;
  const [name, text] = (errno !== undefined && getSystemErrorMap().get(errno)) || [];
  // zlib numbers its errors too, from other names.
  return name !== undefined && name === code ? `${name}: ${text}` : messageOf(error);
}

/**
 * Replaces a file as a whole: `fill` writes to a new file in the same folder, which is flushed to the disk
 * and then renamed to `path`. Readers see the old contents or the new ones, never a part, even after a power
 * failure.
 *
 * @param fill writes to the end of the file
 * @param partial temporary file to append to; kept on failure, so that a download can resume
 * @returns the result of `fill`
 * @throws {FileError} with the path and the cause if anything fails; the old file stays, the new one is
 * removed. A {@link FoveaError} of `fill` passes through.
 */
export async function replaceFile<T>(
  path: string,
  fill: (handle: FileHandle) => Promise<T>,
  partial?: string,
): Promise<T> {
  const folder = dirname(path);
  const temporary = partial ?? join(folder, await temporaryName());
  let result: T;
  try {
    const handle = await open(temporary, partial === undefined ? 'ax+' : 'a+');
    try {
      result = await fill(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await moveFile(temporary, path);
  } catch (error) {
    // If this fails too, the first error is the one to report.
    if (partial === undefined) await rm(temporary, { force: true }).catch(() => {});
    if (error instanceof FoveaError) throw error;
    const todo = adviceOn(error);
    throw new FileError(
      `[file] ${path}: expected to write it, got ${reasonOf(error)}${todo === undefined ? '' : `; ${todo}`}`,
      { cause: error },
    );
  }
  await syncFolder(folder);
  return result;
}

const fileContent = check.rule<FileContent>('text, bytes or pieces of bytes', (x) => {
  if (typeof x === 'string' || x instanceof Uint8Array) return true;
  return typeof x === 'object' && x !== null && (Symbol.iterator in x || Symbol.asyncIterator in x);
});

/** Writes a file as `replaceFile` does. Pieces are written as they come and not gathered in memory. */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  check.checkPath('writeFileAtomic', path);
  check.requireValue('writeFileAtomic', 'content', content, fileContent);
  return replaceFile(path, (handle) => writeFile(handle, content));
}

/** Errors of Windows for a file that another program, such as a virus scanner, has opened for a moment. */
const passing: readonly unknown[] = ['EPERM', 'EACCES', 'EBUSY'];
const mostTries = 8;

/**
 * Gives a file a new name in the same folder, in place of the file that has it. On Windows the files may be
 * in use for a moment: then it is tried again, for some two seconds.
 *
 * @throws the system's error
 */
export async function moveFile(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const mayPass = process.platform === 'win32' && passing.includes((error as NodeJS.ErrnoException).code);
      if (!mayPass || tries === mostTries) throw error;
      await sleep(10 * 2 ** tries);
    }
  }
}

/**
 * Makes a folder and its parents unless they exist. Node's recursive mkdir never returns if a file system
 * answers ENOENT although the parent exists, as /proc does.
 *
 * @throws the system's error
 */
export async function makeFolder(path: string): Promise<void> {
  const isFolder = (name: string) =>
    stat(name).then(
      (found) => found.isDirectory(),
      () => false,
    );
  try {
    await mkdir(path);
  } catch (error) {
    if (await isFolder(path)) return;
    const above = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error;
    if (!(await isFolder(above))) await makeFolder(above);
    // Another process may have made the parent, or this folder, in the meantime.
    await mkdir(path).catch(async (again: unknown) => {
      if (!(await isFolder(path))) throw again;
    });
  }
}

/** Makes a rename survive a power failure, on file systems that can. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // The file is in place. An unreadable folder, or a file system that cannot sync folders, changes nothing
    // about that.
    if ((error as NodeJS.ErrnoException).code === 'EIO') {
      throw new FileError(`[file] ${folder}: expected to flush the folder, got ${reasonOf(error)}`, { cause: error });
    }
  }
}
