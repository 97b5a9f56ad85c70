import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, InputError } from '../../errors.js';
import { reasonOf, writeFileAtomic } from '../../io/files/atomic.js';
import { formatBytes, pictureFormat } from '../../vision/images/formats.js';
import { thumbnail } from '../../vision/images/thumbnail.js';
import { noData } from '../dataSets.js';
import type { Workspace } from '../workspace.js';

/**
 * Adds a picture to a class: a file in `folder/class` below the folder of the studio. The same picture twice
 * is one file.
 *
 * @returns the number of pictures in the class
 * @throws {FileError} for bytes that are no picture
 * @throws {InputError} for a folder of the studio's own
 */
export async function addPicture(
  workspace: Workspace,
  folder: string,
  className: string,
  bytes: Uint8Array,
): Promise<number> {
  if (noData.test(folder)) throw new InputError(`[studio] folder: expected another name, got '${folder}'`);
  const format = pictureFormat(bytes.subarray(0, formatBytes));
  if (format === null || !format.isRead) {
    throw new FileError(`[studio] picture: expected a picture (JPEG, PNG, WebP), got ${format?.name ?? 'other bytes'}`);
  }
  await thumbnail(bytes, 32);
  // One after the other: a link in the place of a folder is refused before anything is made in it.
  const place = await folderIn(workspace, await folderIn(workspace, '', folder), className);
  const path = await workspace.path(place);
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const file = join(path, `${digest}.${format.name.toLowerCase()}`);
  if ((await lstat(file).catch(() => null)) === null) await writeFileAtomic(file, bytes);
  return (await readdir(path)).length;
}

async function folderIn(workspace: Workspace, parent: string, name: string): Promise<string> {
  const inside = join(await workspace.path(parent), name);
  await mkdir(inside).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return;
    throw new FileError(`[studio] ${name}: expected to make the folder, got ${reasonOf(error)}`, { cause: error });
  });
  const made = parent === '' ? name : `${parent}/${name}`;
  await workspace.path(made);
  return made;
}
