import { createRequire } from 'node:module';
import type koffiPackage from 'koffi';
import { EngineError, unloadable } from '../../../errors.js';
import { setupCommand } from '../library/candidates.js';

type Koffi = typeof koffiPackage;

let loaded: Koffi | null = null;

/**
 * The package that calls native libraries. It is loaded at its first use, so that everything without oneDNN
 * works where its binary is missing.
 *
 * @throws {EngineError} if it cannot be loaded; the message says how to install it
 */
export function koffi(): Koffi {
  try {
    loaded ??= createRequire(import.meta.url)('koffi') as Koffi;
    return loaded;
  } catch (error) {
    const failure = unloadable(EngineError, 'onednn', 'koffi', error);
    if (setupCommand !== undefined) throw failure;
    // A command that installs it would not get the library that it calls.
    throw new EngineError(`${failure.reason}; it calls oneDNN, which setup gets on Linux alone`, { cause: error });
  }
}
