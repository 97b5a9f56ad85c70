import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../../errors.js';
import { nameOfBytes, visibleBytes } from '../../text/visible.js';
import { reasonOf } from './atomic.js';

/**
 * Names of files and folders that file systems, storage boxes and file managers create, besides hidden ones.
 */
const systemNames = new Set([
  // Synology and QNAP
  ...[
    '@eadir',
    '@tmp',
    '#recycle',
    '@recycle',
    '#snapshot',
    '@snapshot',
    '@recently-snapshot',
    '@synoresource',
    '@sharebin',
  ],
  // NetApp, and programs that synchronize folders or make previews
  ...['~snapshot', '_gsdata_', 'thumbnails', '_thumbnails', '_thumbs', 'lost.dir'],
  // Windows
  ...['$recycle.bin', 'recycler', 'system volume information', 'thumbs.db', 'desktop.ini'],
  ...['config.msi', 'dfsrprivate', '$extend'],
  ...['ehthumbs.db', 'ehthumbs_vista.db', '$windows.~bt', '$windows.~ws'],
  // Unix
  ...['lost+found', '__pycache__'],
  // macOS
  ...['__macosx', 'icon\r', 'network trash folder', 'temporary items', 'thefindbyname folder'],
]);

/** Numbered names and endings: repaired files of Windows, attributes beside files of Synology. */
const systemPattern = /^found\.\d{3}$|@syno(ea|resource)stream$/i;

/**
 * Whether a file or folder of this name belongs to a system or program and is no data: hidden files,
 * thumbnails, recycle bins, snapshots, macOS's forks. This is the only list of such names.
 */
export function isClutter(name: string): boolean {
  return name.startsWith('.') || systemNames.has(name.toLowerCase()) || systemPattern.test(name);
}

/** Contents of a folder. Paths are relative to it, with `/`, sorted by their characters. */
export interface FolderTree {
  /** Files, including broken links, which callers handle. */
  readonly files: readonly string[];
  /** All subfolders, including empty ones. */
  readonly folders: readonly string[];
  /** Files and folders that are {@link isClutter}; the folders were not entered. */
  readonly clutter: readonly string[];
  /** Pipes, sockets and devices, which are never opened. */
  readonly special: readonly string[];
}

/** Options of {@link walkFolder}. */
export interface WalkOptions {
  /** Whether to enter a subfolder, by its relative path. Default: all. */
  readonly enter?: ((folder: string) => boolean) | undefined;
  /**
   * Called for subfolders that cannot be read, and for files and folders whose names are no UTF-8, so that no
   * table or message can name them. They are left out. Without this function the first one is an error.
   */
  readonly onBarred?: ((barred: BarredPath) => void) | undefined;
  /** Lists a folder. Default: {@link listFolder}. */
  readonly list?: typeof listFolder | undefined;
}

/** A file or folder that cannot be read. */
export interface BarredPath {
  /** Relative to the folder; bytes that are no UTF-8 become `\xfc`. */
  readonly path: string;
  /** Its kind, in the plural. */
  readonly what: 'folders that cannot be read' | 'names not in UTF-8';
  readonly error: FileError;
}

/**
 * Walks through a folder and its subfolders. Symbolic links are followed, but not in circles, and not twice
 * to the same folder below a folder of the second level.
 *
 * @throws {FileError} if the folder cannot be read, or something in it, see {@link WalkOptions.onBarred}
 */
export async function walkFolder(root: string, options: WalkOptions = {}): Promise<FolderTree> {
  const { enter = () => true, onBarred = ({ error }) => fail(error), list = listFolder } = options;
  const [files, folders, clutter, special]: string[][] = [[], [], [], []];
  // Folders that link to each other have endlessly many paths. Below two levels (a part of the data and a
  // class), each folder is entered once.
  const entered = new Set<string>();
  const visit = async (folder: string, above: readonly string[]): Promise<void> => {
    const path = join(root, folder);
    let real: string;
    let listing: Listing;
    try {
      real = await realpath(path);
      listing = await list(path);
    } catch (cause) {
      const error = unreadable(path, cause);
      if (folder === '') throw error;
      onBarred({ path: folder, what: 'folders that cannot be read', error });
      return;
    }
    const once = `${folder.split('/', 2).join('/')}\n${real}`;
    if (above.includes(real) || entered.has(once)) return;
    entered.add(once);
    if (folder !== '') folders.push(folder);
    for (const name of listing.nameless) {
      const error = new FileError(`[folder] ${path}: expected names in UTF-8, got ${name}; rename it`);
      const barred = folder === '' ? name : `${folder}/${name}`;
      onBarred({ path: barred, what: 'names not in UTF-8', error });
    }
    for (const entry of listing.entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
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
  return (await walkFolder(root, { enter })).files;
}

interface Listing {
  readonly entries: Dirent[];
  /** Names that are no UTF-8, for messages. */
  readonly nameless: readonly string[];
}

/** The entries of a folder. @throws the system's error */
export async function listFolder(path: string): Promise<Listing> {
  const entries = await readdir(path, { withFileTypes: true });
  // A name may contain the replacement character itself, so only the bytes decide.
  if (!entries.some(({ name }) => name.includes('\ufffd'))) return { entries, nameless: [] };
  const names = await readdir(path, { encoding: 'buffer' });
  const known = new Set(names.map(nameOfBytes));
  return {
    entries: entries.filter(({ name }) => known.has(name)),
    nameless: names.filter((name) => nameOfBytes(name) === null).map(visibleBytes),
  };
}

function fail(error: Error): never {
  throw error;
}

async function kindOf(folder: string, entry: Dirent): Promise<'file' | 'folder' | 'special'> {
  const followed = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => null) : entry;
  if (followed === null || followed.isFile()) return 'file';
  return followed.isDirectory() ? 'folder' : 'special';
}

function unreadable(path: string, error: unknown): FileError {
  return new FileError(`[folder] ${path}: expected a readable folder, got ${reasonOf(error)}`, { cause: error });
}
