import { examine, examinedLibraries, findLibrary, libraryCache } from '../engine/onednn/library.js';
import { EngineError } from '../errors.js';
import { cacheFolder } from '../platform/node/cacheFolder.js';
import { obstacle } from './machine.js';
import type { Libraries, Library } from './work.js';

/** The libraries of this machine. */
export const machineLibraries: Libraries = {
  get cache() {
    return libraryCache(cacheFolder());
  },
  find: () => {
    try {
      return findLibrary();
    } catch (error) {
      // Without a build of the library for this machine it does not matter why none can be called.
      if (error instanceof EngineError && obstacle() !== null) return null;
      throw error;
    }
  },
  examine: (path, way) => examine({ path, origin: `cache by ${way}` }),
};

/** All files that were looked at, in order. */
export const lookedAt = (): readonly Library[] => examinedLibraries();

/** A library in a line: release, file, where it came from, and why it cannot be used. */
export function libraryText({ path, origin, version, problem }: Library): string {
  const name = version === null ? path : `oneDNN ${version.join('.')}, ${path}`;
  return `${name} (${origin})${problem === null ? '' : `: ${problem}`}`;
}
