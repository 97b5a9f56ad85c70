import { type FileHandle, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { FileError, FoveaError, messageOf } from '../../errors.js';
import { temporaryName } from './temporary.js';

/** What a file shall contain: text (UTF-8) or bytes, whole or in pieces. */
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

/** What to do about an error of the file system; undefined if there is nothing to advise. */
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
 * Replaces a file as a whole: `fill` writes to a new file in the same folder, which is flushed to the disk and then
 * takes the place of `path`. Readers see the old contents or the new ones, never a part, even after a power failure.
 *
 * @param fill writes to the end of the file, and returns what this function returns
 * @param partial the new file: one that may be there already, is gone on with, and stays if anything fails
 * @throws FileError with the path and the cause if anything fails; the old file is untouched then, the new one removed.
 * A {@link FoveaError} that `fill` throws passes through.
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
    await rename(temporary, path);
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

/** Writes a file as `replaceFile` does. Pieces are written as they come and not gathered in memory. */
export function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  return replaceFile(path, (handle) => writeFile(handle, content));
}

/**
 * Makes a folder, and those above it, unless they are there. Node's own recursive mkdir never returns where a file
 * system that has the folder above answers ENOENT, as /proc does.
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
    // Somebody else may have made the one above, or this one, in the meantime.
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
    // The file is in place. A folder that may not be read, or a file system that cannot sync one, takes nothing away.
    if ((error as NodeJS.ErrnoException).code === 'EIO') {
      throw new FileError(`[file] ${folder}: expected to flush the folder, got ${reasonOf(error)}`, { cause: error });
    }
  }
}
