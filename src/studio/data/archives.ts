import { basename } from 'node:path';
import { ZipArchive } from '../../io/files/zip.js';
import type { ArchiveLayout } from '../api.js';

/** Names of archives, which a training does not read. */
export const archive = /\.(zip|tar|tgz|tar\.gz|tar\.bz2|tar\.xz|7z|rar)$/i;
const picture = /\.(jpe?g|png|webp|bmp|tiff?|gif)$/i;
/** Archives of iChallenge-PM. */
const palm = /^(training|validation|valid_gt)( ?\(\d+\))?\.zip$/i;
const mostFolders = 50;

/**
 * The contents of an archive by its list of names, and the command that makes data of it. Nothing is
 * unpacked, and no picture is read.
 *
 * @param path of a file
 * @throws {FileError} for a zip archive that is damaged, or made to do harm
 */
export async function archiveLayout(path: string): Promise<ArchiveLayout> {
  const name = basename(path);
  const folder = name.replace(archive, '');
  if (palm.test(name)) {
    const command = ['fovea', 'data', 'palm', 'import', name, '--out', 'palm'];
    return { kind: 'palm', name, command, data: 'palm:palm', ...(await listed(path)) };
  }
  if (!/\.zip$/i.test(name)) {
    const command = ['tar', '-xf', name, '--one-top-level'];
    const isTar = /\.(tar(\.\w+)?|tgz)$/i.test(name);
    return { kind: 'other', name, command: isTar ? command : null, data: `folder:${folder}`, folders: [], others: 0 };
  }
  const found = await listed(path);
  const command = ['unzip', name, '-d', folder];
  // An archive often has one folder with all others in it.
  const tops = new Set(found.folders.map((one) => one.folder.split('/')[0]));
  const isNested = tops.size === 1 && found.folders.some((one) => one.folder.includes('/'));
  return { kind: 'zip', name, command, data: `folder:${folder}${isNested ? `/${[...tops][0]}` : ''}`, ...found };
}

/** Pictures of each folder of a zip archive. */
async function listed(path: string): Promise<Pick<ArchiveLayout, 'folders' | 'others'>> {
  const zip = await ZipArchive.open(path);
  try {
    const folders = new Map<string, number>();
    let others = 0;
    for (const { name } of zip.entries) {
      const end = name.lastIndexOf('/');
      const folder = end < 0 ? '.' : name.slice(0, end);
      if (!picture.test(name) || name.startsWith('__MACOSX/')) others++;
      else folders.set(folder, (folders.get(folder) ?? 0) + 1);
    }
    const all = [...folders].map(([folder, pictures]) => ({ folder, pictures }));
    return { folders: all.sort((a, b) => (a.folder < b.folder ? -1 : 1)).slice(0, mostFolders), others };
  } finally {
    zip.close();
  }
}
