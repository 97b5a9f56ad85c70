import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { cachePlace } from '../../../platform/node/cacheFolder.js';
import { speedRank } from './version.js';

/** Where a library came from: `environment` is `FOVEA_ONEDNN`. */
export type Origin = 'environment' | 'cache by apt' | 'cache by pip' | 'system';

/** A file that may be the library. */
export interface Candidate {
  readonly path: string;
  readonly origin: Origin;
}

/** Places to look for the library. */
export interface Places {
  /** The file that the user named; empty without one. */
  readonly named: string;
  /** A folder with one folder for each library of `fovea setup`: `apt-…` or `pip-…`. It need not exist. */
  readonly cache: string;
  /** Folders of the system's loader, in its order. */
  readonly folders: readonly string[];
}

/** The command that gets the library; undefined on systems for which setup has none. */
export const setupCommand = process.platform === 'linux' ? 'npx fovea setup' : undefined;

/** The places of this machine and environment. */
export function usualPlaces(): Places {
  const { FOVEA_ONEDNN: named = '' } = process.env;
  return { named: named && resolve(named), cache: libraryCache(cachePlace().path), folders: loaderFolders() };
}

/** The folder of the libraries that `fovea setup` gets, in the user's cache. */
export const libraryCache = (cache: string): string => join(cache, 'onednn');

/**
 * Files that may be the library, the preferred one first. If the user named a file, it is the only one. Else
 * those in the cache come first, then those of the system. Among each of them come first the releases that
 * are fastest for float32, by their names.
 */
export function candidates({ named, cache, folders }: Places): readonly Candidate[] {
  if (named !== '') return [{ path: named, origin: 'environment' }];
  const cached = (['apt', 'pip'] as const).flatMap((way) =>
    namesIn(cache)
      .filter((name) => name.startsWith(`${way}-`))
      .flatMap((name) => librariesIn(join(cache, name)))
      .map((path): Candidate => ({ path, origin: `cache by ${way}` })),
  );
  const ofSystem = folders.flatMap(librariesIn).map((path): Candidate => ({ path, origin: 'system' }));
  const isFirst = ({ path }: Candidate, i: number, all: readonly Candidate[]) =>
    all.findIndex((other) => other.path === path) === i;
  // The sort is stable, so that the order of the loader stays where speed decides nothing.
  return [cached, ofSystem].flatMap((list) => list.toSorted(byRank)).filter(isFirst);
}

const byRank = (a: Candidate, b: Candidate) => rankOf(a) - rankOf(b);

function rankOf({ path }: Candidate): number {
  const [, major, minor] = pattern.exec(basename(path)) ?? [];
  return speedRank(Number(major), minor === undefined ? Number.POSITIVE_INFINITY : Number(minor));
}

const isMac = process.platform === 'darwin';
const pattern = isMac ? /^libdnnl\.(\d+)(?:\.(\d+))?[\d.]*\.dylib$/ : /^libdnnl\.so\.(\d+)(?:\.(\d+))?[\d.]*$/;

/** Libraries of a folder, without symbolic links: their own names have the minor version. */
function librariesIn(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => pattern.test(name))
    .map((name) => {
      const path = join(folder, name);
      try {
        return realpathSync(path);
      } catch {
        // A link without a target. Opening it reports the reason.
        return path;
      }
    });
}

/** Names in a folder, in a fixed order; none if it cannot be read. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function loaderFolders(): string[] {
  const { LD_LIBRARY_PATH = '' } = process.env;
  const asked = LD_LIBRARY_PATH.split(/[:;]/).filter(isAbsolute);
  if (isMac) return [...asked, '/opt/homebrew/lib', '/usr/local/lib'];
  if (process.platform !== 'linux') return [];
  const multiarch = namesIn('/usr/lib').filter((name) => name.includes('-linux-'));
  const usual = ['/usr/local/lib', '/usr/local/lib64', '/lib64', '/usr/lib64', '/lib', '/usr/lib'];
  const all = [...asked, ...foldersOfCache(), ...usual, ...multiarch.map((name) => `/usr/lib/${name}`)];
  return [...new Set(all)];
}

/** Folders with the library by the cache of the system's loader, which lists the paths of all libraries. */
function foldersOfCache(): string[] {
  try {
    const text = readFileSync('/etc/ld.so.cache', 'latin1');
    return [...text.matchAll(/\/[^\0]*\/libdnnl\.so\.[^\0]*/g)].map(([path]) => dirname(path));
  } catch {
    return [];
  }
}
