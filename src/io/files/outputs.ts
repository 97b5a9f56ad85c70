import { mkdir, open, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError } from '../../errors.js';
import { adviceOn, reasonOf } from './atomic.js';
import { removeAbandoned, temporaryName } from './temporary.js';

/** Limit of a name, in bytes, on all usual file systems. */
const mostNameBytes = 255;

/**
 * Checks before a long computation that its output file can be written: the folder exists and is writable,
 * and the name is neither too long nor that of a folder or device. Nothing stays there; temporary files of
 * processes that have ended are removed from the folder.
 *
 * @param where names the caller in messages
 * @throws {FileError} if it cannot be written
 */
export async function outputFile(path: string, where: string): Promise<void> {
  requireName(path, where);
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile()) {
    const kind = found.isDirectory() ? 'a folder' : 'a device';
    throw new FileError(`[${where}] ${path}: expected the name of a file, got that of ${kind}; choose another name`);
  }
  const folder = dirname(path);
  try {
    requireLength(basename(path));
    // The probe has the final name if that is free, since a file system may refuse just that name.
    const probe = found === null ? path : join(folder, await temporaryName());
    await (await open(probe, 'wx')).close();
    await rm(probe, { force: true });
  } catch (error) {
    throw refusal(path, where, error);
  }
  await removeAbandoned(folder);
}

/**
 * Checks before a long computation that a folder exists, or can be made with its parents. Nothing stays
 * there.
 *
 * @param where names the caller in messages
 * @throws {FileError} if it cannot be made, or cannot be written to
 */
export async function outputFolder(path: string, where: string): Promise<void> {
  requireName(path, where);
  let above = resolve(path);
  try {
    for (;;) {
      const found = await stat(above).catch((error: NodeJS.ErrnoException) => {
        // On Windows even the topmost folder may be missing: that of a drive which is not there.
        const mayBeMade = error.code === 'ENOENT' && dirname(above) !== above;
        if (!mayBeMade && error.code !== 'ENAMETOOLONG') throw error;
        return null;
      });
      if (found?.isDirectory()) break;
      if (found !== null) throw Object.assign(new Error(), { code: 'ENOTDIR' });
      requireLength(basename(above));
      above = dirname(above);
    }
    const probe = join(above, await temporaryName());
    await mkdir(probe);
    await rmdir(probe);
  } catch (error) {
    throw refusal(path, where, error);
  }
}

function requireName(path: string, where: string): void {
  if (path === '') throw new FileError(`[${where}] output: expected a name, got an empty one`);
}

function requireLength(name: string): void {
  if (Buffer.byteLength(name) > mostNameBytes) throw Object.assign(new Error(), { code: 'ENAMETOOLONG' });
}

function refusal(path: string, where: string, error: unknown): FileError {
  const { code } = error as NodeJS.ErrnoException;
  const got =
    { ENOTDIR: 'a file where a folder is needed', ENAMETOOLONG: 'a name that is too long' }[code ?? ''] ??
    reasonOf(error);
  const todo = adviceOn(error) ?? 'choose another name';
  return new FileError(`[${where}] ${path}: expected to write it, got ${got}; ${todo}`, { cause: error });
}
