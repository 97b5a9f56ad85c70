import { EngineError, InputError, messageOf } from '../errors.js';
import type { Engine } from './engine.js';
import { openOneDnn } from './onednn/engine.js';
import { ReferenceEngine } from './reference/engine.js';

export const engineNames = ['onednn', 'reference'] as const;
export type EngineName = (typeof engineNames)[number];

let reference: ReferenceEngine | null = null;
let current: Engine | null = null;

function referenceEngine(): ReferenceEngine {
  reference ??= new ReferenceEngine();
  return reference;
}

/**
 * Chooses the engine for all that is computed from now on: `onednn` (fast; needs the system's oneDNN library) or
 * `reference` (plain loops).
 *
 * @throws {EngineError} if oneDNN is asked for and cannot be loaded; the message says how to install it
 */
export function setEngine(name: EngineName): void {
  if (name === 'onednn') current = openOneDnn();
  else if (name === 'reference') current = referenceEngine();
  else throw new InputError(`[engine] name: expected ${engineNames.join(' or ')}, got '${String(name)}'`);
}

/** The engine in use: oneDNN where the library is installed, otherwise the reference engine, which says so once. */
export function currentEngine(): Engine {
  if (current === null) {
    try {
      current = openOneDnn();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      process.stderr.write(
        `fovea: ${messageOf(error)}\nfovea: computing with the reference engine, which is right but slow.\n`,
      );
      current = referenceEngine();
    }
  }
  return current;
}
