import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError } from '../../../errors.js';
import { readStart } from '../../../io/files/input.js';
import { formatBytes, pictureFormat } from '../../../vision/images/formats.js';

/**
 * Checks that a path to a folder is a folder, and that a path to a table is a file. A path that does not
 * exist passes: the reader has a better error.
 *
 * @throws {FileError} for the one in place of the other, with the name that would be right
 */
export async function requireLocation(kind: 'folder' | 'csv', path: string): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (info === null || info.isDirectory() === (kind === 'folder')) return;
  if (kind === 'csv') {
    throw new FileError(`[csv] ${path}: expected a table, got a folder; give folder:${path}, or a table in it`);
  }
  const advice = info.isFile() ? await adviceFor(path) : 'give a folder with one folder for each class';
  throw new FileError(`[folder] ${path}: expected a folder, got a file; ${advice}`);
}

async function adviceFor(path: string): Promise<string> {
  if (/\.(zip|tar|t?gz|tgz|7z|rar|bz2|xz)$/i.test(path)) return 'unpack it and give the folder';
  if (/\.(csv|tsv|txt|xlsx)$/i.test(path)) return `give csv:${path}`;
  const start = await readStart(path, formatBytes).catch(() => null);
  if (start !== null && pictureFormat(start, path) !== null) {
    return 'it is a picture: give the folder that has a folder for each class';
  }
  return `give folder:${dirname(path)}, or csv:${path} if it is a table`;
}
