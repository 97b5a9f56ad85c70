import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LibraryHandle } from 'koffi';
import { EngineError, InputError, messageOf } from '../../../errors.js';
import { type Candidate, candidates, type Places, setupCommand, usualPlaces } from '../library/candidates.js';
import { problemBefore } from '../library/problem.js';
import { supportedReleases, type Version, versionProblem } from '../library/version.js';
import { koffi } from './koffi.js';
import { shortenSpinning } from './openMp.js';
import { system } from './system.js';

/** Declares the calls of a library. It throws if one is missing. */
type Bind<T> = (library: LibraryHandle, version: Version) => T;

/** A candidate that was looked at. */
export interface Examined extends Candidate {
  /** `null` if the library could not be asked. */
  readonly version: Version | null;
  /** Why it cannot be used; `null` if it can. */
  readonly problem: string | null;
}

/** A library that stays open. */
export interface Opened<T> extends Examined {
  readonly version: Version;
  readonly api: T;
}

let lookedAt: readonly Examined[] = [];

/** Everything that {@link openLibrary} looked at, in order; the last one is in use if it has no problem. */
export const examinedLibraries = (): readonly Examined[] => lookedAt;

/**
 * Opens the first usable library.
 *
 * @throws {InputError} if the user named a file and it cannot be used
 * @throws {EngineError} if there is none; the message says how to install it
 */
export function openLibrary<T>(bind: Bind<T>, places: Places = usualPlaces()): Opened<T> {
  system();
  lookedAt = [];
  for (const candidate of candidates(places)) {
    const result = openCandidate(candidate, bind);
    lookedAt = [...lookedAt, result];
    if (isOpened(result)) return result;
    if (candidate.origin === 'environment') {
      throw new InputError(
        `[onednn] FOVEA_ONEDNN: expected a file with oneDNN ${supportedReleases}, got ${candidate.path}: ` +
          `${result.problem}; name another file, or unset the variable`,
      );
    }
  }
  const found = lookedAt.map(({ path, problem }) => `${path} (${problem})`).join(', ');
  throw new EngineError(`[onednn] library: expected oneDNN ${supportedReleases}, got ${found || 'none'}`, {
    install: setupCommand,
  });
}

const isOpened = <T>(result: Examined | Opened<T>): result is Opened<T> => 'api' in result;

/** Opens a file for good if it can be used. */
export function openCandidate<T>(candidate: Candidate, bind: Bind<T>): Examined | Opened<T> {
  let version: Version | null = null;
  const refused = (problem: string): Examined => ({ ...candidate, version, problem });
  const before = problemBefore(candidate);
  if (before !== null) return refused(before);
  const { path } = candidate;
  let library: LibraryHandle;
  try {
    library = shortenSpinning(() => loadWithNeighbours(path));
  } catch (error) {
    return refused(`cannot be loaded: ${messageOf(error)}`);
  }
  try {
    version = versionOf(library);
    const problem = versionProblem(version);
    if (problem === null) {
      const opened = { ...candidate, version, problem, api: bind(library, version) };
      // The library's threads wait in its code after the last call. To unload it then would crash at exit.
      system().keepLoaded(path);
      return opened;
    }
    library.unload();
    return refused(problem);
  } catch (error) {
    library.unload();
    return refused(`lacks calls that are needed: ${messageOf(error)}`);
  }
}

function versionOf(library: LibraryHandle): Version {
  const address = library.func('dnnl_version', 'uintptr_t', [])() as number;
  return koffi().decode(BigInt(address), koffi().array('int', 3, 'Array')) as Version;
}

/** Most libraries beside the wanted one that are loaded for it. */
const mostNeighbours = 4;

/**
 * Loads a library. Where the system lacks one that it needs, such as the OpenMP runtime, that is taken from
 * the same folder.
 *
 * @throws with the reason of the system's loader
 */
function loadWithNeighbours(path: string): LibraryHandle {
  for (let tries = 0; ; tries++) {
    try {
      return koffi().load(path);
    } catch (error) {
      // The package leaves out the name of the missing file.
      const reason = system().loadingProblem(path) ?? messageOf(error);
      const missing = /^([^\s/:]+): cannot open/.exec(reason)?.[1];
      const beside = missing === undefined ? null : join(dirname(path), missing);
      if (beside === null || !existsSync(beside) || tries === mostNeighbours) throw new Error(reason);
      system().keepLoaded(beside);
    }
  }
}
