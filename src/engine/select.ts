import { EngineError, InputError, messageOf } from '../errors.js';
import type { Engine } from './engine.js';
import { OneDnnEngine, openOneDnn } from './onednn/engine.js';
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

/** The engine in use, for people and records. */
export interface EngineInfo {
  readonly name: EngineName;
  /** Library, version and instruction set. */
  readonly description: string;
  /** Most threads that a program may use. */
  readonly threads: number;
}

/** Tells about the engine in use, which is chosen now if it was not. */
export function engineInfo(): EngineInfo {
  const engine = currentEngine();
  const threads = engine instanceof OneDnnEngine ? engine.threads : 1;
  return { name: engine.name as EngineName, description: engine.describe(), threads };
}

/**
 * Limits the threads of all programs that are compiled from now on. Small programs use one whatever the limit, and the
 * reference engine always does.
 *
 * @param count a positive integer; by default `OMP_NUM_THREADS`, else the number of processors
 */
export function setThreads(count: number): void {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new InputError(`[engine] threads: expected a positive integer, got ${count}`);
  }
  const engine = currentEngine();
  if (engine instanceof OneDnnEngine) engine.threads = count;
}
