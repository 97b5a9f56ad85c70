import { examine, examinedLibraries, findLibrary, libraryCache } from '../engine/onednn/library.js';
import { cacheFolder } from '../platform/node/cacheFolder.js';
import type { Libraries, Library } from './work.js';

/** The libraries of this machine. */
export const machineLibraries: Libraries = {
  get cache() {
    return libraryCache(cacheFolder());
  },
  find: findLibrary,
  examine: (path, way) => examine({ path, origin: `cache by ${way}` }),
};

/** All files that were looked at, in order. */
export const lookedAt = (): readonly Library[] => examinedLibraries();

/** A library in a line: release, file, where it came from, and why it cannot be used. */
export function libraryText({ path, origin, version, problem }: Library): string {
  const name = version === null ? path : `oneDNN ${version.join('.')}, ${path}`;
  return `${name} (${origin})${problem === null ? '' : `: ${problem}`}`;
}
