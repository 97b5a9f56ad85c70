import { supportedReleases } from '../engine/onednn/library.js';
import { InputError } from '../errors.js';
import { option } from '../text/option.js';
import { byAptAlone, byAptAsRoot } from './byApt.js';
import { byPip } from './byPip.js';
import { helpCommand, helpForCache } from './help.js';
import { withTurn } from './turn.js';
import { CacheFailed, isFailure, type Library, type Way, WayFailed, type Work } from './work.js';

/** No way led to a library: the message says why. */
export class SetupError extends InputError {
  static override readonly kind: string = 'SetupError';

  /** @param help makes a command that would help out of the call of setup */
  constructor(
    reason: string,
    readonly help: (again: string) => string,
  ) {
    super(`[setup] library: expected oneDNN ${supportedReleases}, got none: ${reason}`);
  }
}

/** The ways in their order: the first ones change the user's cache alone. */
export const usualWays: readonly Way[] = [byPip(), byAptAlone, byAptAsRoot];

export interface SetupOptions extends Work {
  /** Whether nothing may be fetched. */
  readonly offline: boolean;
  readonly ways: readonly Way[];
}

/**
 * Makes the library available: finds it, or gets it by the first way that works.
 *
 * @throws {SetupError} if none does; nothing is left behind
 * @throws the reason of `signal` once it is aborted; nothing is left behind
 */
export async function setUp({ offline, ways, ...work }: SetupOptions): Promise<Library> {
  const { libraries } = work;
  const found = libraries.find();
  if (found !== null) return found;
  if (offline) throw new SetupError(`${option('offline')} fetches nothing`, (again) => `${again}, with a network`);
  return withTurn(work, async () => {
    const failures: Error[] = [];
    for (const way of ways) {
      // Another process may have got it meanwhile.
      const library = libraries.find() ?? (await tryWay(way, work, failures));
      if (library !== null) return library;
    }
    const reasons = failures.map(({ message }) => message).join('; ');
    const isCache = failures.some((failure) => failure instanceof CacheFailed);
    throw new SetupError(reasons, isCache ? helpForCache : helpCommand);
  });
}

/** Gets the library by a way. If there is none afterwards, it returns `null` and adds to `failures`. */
async function tryWay(way: Way, work: Work, failures: Error[]): Promise<Library | null> {
  let failure: Error = new WayFailed('it ended well, but its library cannot be used; fovea doctor says why');
  try {
    await way.get(work);
    const library = work.libraries.find();
    if (library !== null) return library;
  } catch (error) {
    if (!isFailure(error)) throw error;
    failure = error;
  }
  failure.message = `${way.title}: ${failure.message}`;
  work.say(failure.message);
  failures.push(failure);
  return null;
}
