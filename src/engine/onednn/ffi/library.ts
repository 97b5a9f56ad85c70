import type { LibraryHandle } from 'koffi';
import { EngineError } from '../../../errors.js';
import type { Candidate } from '../library/candidates.js';
import type { Version } from '../library/version.js';
import { bindShared, functionsOf, type SharedCalls } from './calls.js';
import type { Dialect } from './dialect.js';
import { type Bfloat16Unit, bfloat16UnitOf, instructionSetOf } from './instructionSets.js';
import { koffi } from './koffi.js';
import { bindDialect2 } from './onednn2/dialect.js';
import { bindDialect3 } from './onednn3/dialect.js';
import { type Examined, type Opened, openCandidate, openLibrary } from './open.js';
import { loadThreadControl } from './openMp.js';
import { created } from './status.js';
import type { Address } from './system.js';

/** The functions of the library that a major version has. */
function bindAll(library: LibraryHandle, [major]: Version) {
  const functions = functionsOf(library);
  const shared = bindShared(functions);
  return { shared, dialectOn: major === 2 ? bindDialect2(functions) : bindDialect3(functions, shared) };
}

type Bound = ReturnType<typeof bindAll>;

interface Loaded {
  /** Functions that all releases have. */
  readonly api: SharedCalls;
  /** The rest of the C API, which differs between major versions. */
  readonly dialect: Dialect;
  readonly library: Opened<Bound>;
  readonly engine: Address;
  readonly stream: Address;
  readonly setThreads: ((count: number) => void) | null;
}

let loaded: Loaded | null = null;

/** Loads the library once. */
export function load(): Loaded {
  if (loaded !== null) return loaded;
  const library = openLibrary(bindAll);
  const { shared: api, dialectOn } = library.api;
  const engine = created((out) => api.engineCreate(out, 1, 0), 'engine');
  const stream = created((out) => api.streamCreate(out, engine, 1), 'stream');
  loaded = { api, dialect: dialectOn(engine), library, engine, stream, setThreads: loadThreadControl() };
  return loaded;
}

/** The library in use; opens it if need be. */
export const libraryInUse = (): Opened<unknown> => load().library;

/**
 * The library in use; `null` if there is none.
 *
 * @throws {InputError} if the user named a file and it cannot be used
 * @throws {EngineError} if native libraries cannot be called at all
 */
export function findLibrary(): Examined | null {
  koffi();
  try {
    return libraryInUse();
  } catch (error) {
    if (error instanceof EngineError) return null;
    throw error;
  }
}

/** Tries a file. A library that can be used stays open. */
export function examine(candidate: Candidate): Examined {
  const { path, origin, version, problem } = openCandidate(candidate, bindAll);
  return { path, origin, version, problem };
}

const effectiveIsa = () => load().api.effectiveIsa() as number;

/** The widest instruction set that the library uses on this processor. */
export function instructionSet(): string {
  return instructionSetOf(load().dialect.instructionSets, effectiveIsa());
}

/** Whether the library, and so generated code, may use these instructions. */
export function hasInstructions(set: 'AVX2' | 'AVX-512' | 'AVX-512 with BF16'): boolean {
  const needed = { AVX2: 0x7, 'AVX-512': 0x27, 'AVX-512 with BF16': 0xe7 }[set];
  return (effectiveIsa() & needed) === needed;
}

/** The unit of this processor with instructions for bfloat16, fast or slow; `null` if there is none. */
export function bfloat16Unit(): Bfloat16Unit | null {
  return bfloat16UnitOf(load().dialect.instructionSets, effectiveIsa());
}

/**
 * Sets the number of threads of kernels that are created and run from now on. Returns false if the runtime
 * has no such setting.
 */
export function setThreadCount(count: number): boolean {
  const { setThreads } = load();
  setThreads?.(count);
  return setThreads !== null;
}
