import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../errors.js';
import { reasonOf } from './atomic.js';

/** What systems leave behind in folders and archives: hidden files, macOS's forks, thumbnails. */
export function isClutter(name: string): boolean {
  return name.startsWith('.') || name === '__MACOSX' || /^(thumbs\.db|desktop\.ini)$/i.test(name);
}

/**
 * All files in a folder and its subfolders, without clutter: paths relative to the folder, with `/`, in the order of
 * their characters. Symbolic links are followed, but not in circles.
 *
 * @param enter whether to look into a subfolder, by its relative path (all)
 * @throws FileError if a folder cannot be read
 */
export async function listFiles(root: string, enter: (folder: string) => boolean = () => true): Promise<string[]> {
  const files: string[] = [];
  const visit = async (folder: string, above: readonly string[]): Promise<void> => {
    const path = join(root, folder);
    const real = await realpath(path).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    if (above.includes(real)) return;
    for (const { name, isFolder } of await listEntries(path)) {
      const relative = folder === '' ? name : `${folder}/${name}`;
      if (!isFolder) files.push(relative);
      else if (enter(relative)) await visit(relative, [...above, real]);
    }
  };
  await visit('', []);
  return files.sort();
}

/** Names of the folders that lie directly in a folder, in the order of their characters, without clutter. */
export async function listFolders(root: string): Promise<string[]> {
  const entries = await listEntries(root);
  return entries.flatMap(({ name, isFolder }) => (isFolder ? [name] : [])).sort();
}

async function listEntries(path: string): Promise<{ name: string; isFolder: boolean }[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const wanted = entries.filter(({ name }) => !isClutter(name));
  return Promise.all(
    wanted.map(async (entry) => {
      // A link that leads nowhere is left to whoever wants the file.
      const kind = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => entry) : entry;
      return { name: entry.name, isFolder: kind.isDirectory() };
    }),
  );
}

function unreadable(path: string, error: unknown): FileError {
  return new FileError(`[folder] ${path}: expected a readable folder, got ${reasonOf(error)}`, { cause: error });
}
