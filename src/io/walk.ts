import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../errors.js';
import { reasonOf } from './atomic.js';

/** What file systems, storage boxes and file managers leave in folders and archives, besides hidden files. */
const systemNames = new Set([
  // Synology and QNAP
  ...['@eadir', '@tmp', '#recycle', '@recycle', '#snapshot', '@recently-snapshot', '@synoresource', '@sharebin'],
  // Windows
  ...['$recycle.bin', 'recycler', 'system volume information', 'thumbs.db', 'desktop.ini'],
  ...['ehthumbs.db', 'ehthumbs_vista.db', 'found.000', '$windows.~bt', '$windows.~ws'],
  // Unix
  ...['lost+found', '__pycache__'],
  // macOS
  ...['__macosx', 'icon\r', 'network trash folder', 'temporary items', 'thefindbyname folder'],
]);

/**
 * Whether a file or folder of this name belongs to a system or program and is no data: hidden ones, thumbnails,
 * recycle bins and snapshots, macOS's forks. The only list of such names.
 */
export function isClutter(name: string): boolean {
  return name.startsWith('.') || systemNames.has(name.toLowerCase());
}

/** What a folder holds. Paths are relative to it, with `/`, in the order of their characters. */
export interface FolderTree {
  /** Files, and links that lead nowhere, which are left to the caller. */
  readonly files: readonly string[];
  /** All folders below, the empty ones too. */
  readonly folders: readonly string[];
  /** Files and folders that are {@link isClutter}; the folders were not entered. */
  readonly clutter: readonly string[];
  /** Pipes, sockets and devices, which are never opened. */
  readonly special: readonly string[];
}

/**
 * Looks through a folder and its subfolders. Symbolic links are followed, but not in circles, and not twice to the same
 * folder below one of the second level.
 *
 * @param enter whether to look into a subfolder, by its relative path (all)
 * @throws FileError if a folder cannot be read
 */
export async function walkFolder(root: string, enter: (folder: string) => boolean = () => true): Promise<FolderTree> {
  const [files, folders, clutter, special]: string[][] = [[], [], [], []];
  // Folders that link to one another have more paths than could be walked. Below two levels, which may be a part of the
  // data and a class, each is entered once.
  const entered = new Set<string>();
  const visit = async (folder: string, above: readonly string[]): Promise<void> => {
    const path = join(root, folder);
    const real = await realpath(path).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    const once = `${folder.split('/', 2).join('/')}\n${real}`;
    if (above.includes(real) || entered.has(once)) return;
    entered.add(once);
    if (folder !== '') folders.push(folder);
    const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const relative = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (isClutter(entry.name)) {
        clutter.push(relative);
        continue;
      }
      const kind = await kindOf(path, entry);
      if (kind === 'file') files.push(relative);
      else if (kind === 'special') special.push(relative);
      else if (enter(relative)) await visit(relative, [...above, real]);
    }
  };
  await visit('', []);
  return { files: files.sort(), folders: folders.sort(), clutter: clutter.sort(), special: special.sort() };
}

/** The files of {@link walkFolder}. */
export async function listFiles(root: string, enter?: (folder: string) => boolean): Promise<readonly string[]> {
  return (await walkFolder(root, enter)).files;
}

async function kindOf(folder: string, entry: Dirent): Promise<'file' | 'folder' | 'special'> {
  const followed = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => null) : entry;
  if (followed === null || followed.isFile()) return 'file';
  return followed.isDirectory() ? 'folder' : 'special';
}

function unreadable(path: string, error: unknown): FileError {
  return new FileError(`[folder] ${path}: expected a readable folder, got ${reasonOf(error)}`, { cause: error });
}
