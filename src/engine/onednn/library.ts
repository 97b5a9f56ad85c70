/** Files, releases and origins of the library, for `src/setup`. The calls of the library are in `ffi.ts`. */
export { examine, findLibrary } from './ffi/library.js';
export { examinedLibraries } from './ffi/open.js';
export { libraryCache } from './library/candidates.js';
export { isSupported, speedRank, supportedReleases } from './library/version.js';
