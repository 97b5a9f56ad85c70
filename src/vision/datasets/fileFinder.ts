import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unsafeCell } from '../../text/csv.js';
import { normalName } from '../../text/names.js';

/** A file with its spelling on the disk, or the reason why there is none. */
export type FoundFile = { readonly path: string } | { readonly problem: string };

/** Lists a folder. Tests replace it. */
export type ListFolder = (path: string) => Promise<readonly Pick<Dirent, 'name' | 'isDirectory' | 'isSymbolicLink'>[]>;

interface Listing {
  /** Files with their spelling on the disk. */
  readonly files: ReadonlySet<string>;
  /** Files and folders by {@link normalName}. */
  readonly byName: ReadonlyMap<string, readonly string[]>;
  /** Files by name without ending. */
  readonly byStem: ReadonlyMap<string, readonly string[]>;
}

/** 'none': not a folder. 'hidden': a folder that cannot be listed, although its files can be opened. */
type NoListing = 'none' | 'hidden';

/** The longest path that Linux accepts, in characters. A longer name cannot be a file. */
const maxNameLength = 4096;

const missing = { problem: 'a missing one' } as const;

/**
 * Finds files that a table names. A name is used as it is if there is such a file. Else other spellings are
 * tried: accented letters in NFC and NFD, backslashes between folders, quotes, a `file://` address, and the
 * name without its ending if exactly one file fits.
 */
export class FileFinder {
  readonly #root: string;
  readonly #list: ListFolder;
  readonly #listings = new Map<string, Promise<Listing | NoListing>>();

  /** @param root folder that relative names start from */
  constructor(root: string, list: ListFolder = (path) => readdir(path, { withFileTypes: true })) {
    this.#root = resolve(root);
    this.#list = list;
  }

  async find(name: string): Promise<FoundFile> {
    if (/^https?:/i.test(name)) return { problem: 'a web address' };
    if (name.length > maxNameLength) return missing;
    let result: FoundFile = missing;
    for (const spelling of spellingsOf(name)) {
      const found = await this.#at(resolve(this.#root, spelling));
      if ('path' in found) return found;
      if (found !== missing) result = found;
    }
    return result;
  }

  async #at(path: string): Promise<FoundFile> {
    const folder = await this.#folder(dirname(path));
    if (folder === null) return missing;
    const name = basename(path);
    const listing = await this.#listing(folder);
    if (listing === 'none') return missing;
    if (listing === 'hidden') return (await isFile(join(folder, name))) ? { path: join(folder, name) } : missing;
    const { files, byName, byStem } = listing;
    const same = files.has(name) ? [name] : (byName.get(normalName(name)) ?? []).filter((other) => files.has(other));
    const fitting = same.length > 0 ? same : (byStem.get(normalName(name)) ?? []);
    if (fitting.length === 1) return { path: join(folder, fitting[0]) };
    return fitting.length === 0 ? missing : { problem: `a name that fits ${fitting.join(' and ')}` };
  }

  /** The path of the folder with its spelling on the disk, or null. */
  async #folder(path: string): Promise<string | null> {
    if ((await this.#listing(path)) !== 'none') return path;
    const above = dirname(path);
    if (above === path) return null;
    const folder = await this.#folder(above);
    const listing = folder === null ? 'none' : await this.#listing(folder);
    if (folder === null || typeof listing === 'string') return null;
    const same = (listing.byName.get(normalName(basename(path))) ?? []).filter((name) => !listing.files.has(name));
    return same.length === 1 ? join(folder, same[0]) : null;
  }

  #listing(path: string): Promise<Listing | NoListing> {
    const known = this.#listings.get(path) ?? this.#read(path);
    this.#listings.set(path, known);
    return known;
  }

  async #read(path: string): Promise<Listing | NoListing> {
    let entries: Awaited<ReturnType<ListFolder>>;
    try {
      entries = await this.#list(path);
    } catch (error) {
      return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '') ? 'hidden' : 'none';
    }
    const files = new Set<string>();
    const byName = new Map<string, string[]>();
    const byStem = new Map<string, string[]>();
    const add = (map: Map<string, string[]>, key: string, name: string) => {
      const names = map.get(key);
      if (names === undefined) map.set(key, [name]);
      else names.push(name);
    };
    for (const entry of entries) {
      const { name } = entry;
      add(byName, normalName(name), name);
      const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && !(await isFile(join(path, name))));
      if (isFolder) continue;
      files.add(name);
      add(byStem, normalName(name.slice(0, name.length - extname(name).length)), name);
    }
    return { files, byName, byStem };
  }
}

/** The name as it is, then its other spellings. */
function spellingsOf(name: string): string[] {
  const plain = unsafeCell(name).replace(/^(['"])(.*)\1$/, '$2');
  const local = /^file:\/\//i.test(plain) ? [localPath(plain)] : [];
  return [...new Set([name, plain, ...local, plain.replaceAll('\\', '/')])];
}

function localPath(address: string): string {
  try {
    return fileURLToPath(address);
  } catch {
    return address;
  }
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => !info.isDirectory(),
    () => false,
  );
}
