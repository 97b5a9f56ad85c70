import { type EngineName, engines } from '#engines';
import { writeError } from '#platform';
import { shown } from '../check.js';
import type { Precision } from '../compiler/precision.js';
import { isThreadCount, threadCounts } from '../env.js';
import { EngineError, InputError, messageOf } from '../errors.js';
import { visibleLine } from '../text/visible.js';
import type { ConvolutionName, Engine, EngineLibrary, EngineSettings } from './engine.js';

export const engineNames = engines.map(({ name }) => name) as readonly EngineName[];

const opened = new Map<EngineName, Engine>();
let current: Engine | null = null;

const entryOf = (name: EngineName) => {
  const entry = engines.find((known) => known.name === name);
  if (entry === undefined) {
    throw new InputError(`[engine] name: expected ${engineNames.join(' or ')}, got ${shown(name)}`);
  }
  return entry;
};

/**
 * The engine of that name, opened at the first call.
 *
 * @throws {EngineError} if it does not work on this machine; the message says how to install what is missing
 */
export function openEngine(name: EngineName): Engine {
  const entry = entryOf(name);
  let engine = opened.get(name);
  if (engine === undefined) {
    engine = entry.open();
    opened.set(name, engine);
  }
  return engine;
}

/** Why an engine has no choice in a setting; `null` if it has one. */
export function fixedSetting(name: EngineName, setting: keyof EngineSettings): string | null {
  const fixed: Partial<Record<keyof EngineSettings, string>> = entryOf(name).fixed;
  return fixed[setting] ?? null;
}

/**
 * Chooses the engine for all computation from now on: `onednn` (fastest; needs the system's oneDNN library),
 * `portable` (WebAssembly; runs everywhere) or `reference` (plain loops, slow). Without a call it is the
 * first of them that works on this machine.
 *
 * @throws {EngineError} if it does not work on this machine; the message says what is missing
 */
export function setEngine(name: EngineName): void {
  current = openEngine(name);
}

/** The engine in use: the first of the table that opens. A warning names those that did not. */
export function currentEngine(): Engine {
  current ??= firstEngine();
  return current;
}

function firstEngine(): Engine {
  const failures: string[] = [];
  for (const { name, asFallback } of engines) {
    try {
      const engine = openEngine(name);
      if (failures.length > 0) warn([...failures, asFallback]);
      return engine;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      failures.push(visibleLine(messageOf(error)));
    }
  }
  throw new EngineError(`[engine] expected one that works on this machine: ${failures.join('; ')}`);
}

/** The engine in use, for people and records. */
export interface EngineInfo {
  readonly name: EngineName;
  /** Library, version, instruction set, and the kernels of convolutions. */
  readonly description: string;
  /** Most threads that a program may use. */
  readonly threads: number;
  readonly precision: Precision;
  readonly convolution: ConvolutionName;
  /** The native library that computes; absent if there is none. */
  readonly library?: EngineLibrary;
}

/** Name, description and settings of the engine in use. */
export function engineInfo(): EngineInfo {
  const engine = currentEngine();
  const { threads, precision, convolution } = engine.settings;
  const { library } = engine;
  const name = engine.name as EngineName;
  return { name, description: engine.describe(), threads, precision, convolution, ...(library && { library }) };
}

/**
 * Sets the most threads that a kernel of the engine in use may take from now on; small kernels take one.
 * Without a call (and without `OMP_NUM_THREADS`) a small program runs on one thread altogether. The engine
 * `portable` has at most 64 threads, and one where threads cannot share memory; `reference` ignores the call.
 *
 * @param count a positive integer; default `OMP_NUM_THREADS`, else the number of processors, in a container
 * at most its share
 */
export function setThreads(count: number): void {
  if (!isThreadCount(count)) throw new InputError(`[engine] threads: expected ${threadCounts}, got ${shown(count)}`);
  currentEngine().configure({ threads: count });
}

export const convolutionNames = ['auto', 'direct'] as const satisfies readonly ConvolutionName[];

/**
 * Chooses the kernels of all convolutions of the engine in use from now on. `auto`, the default: for each
 * layer and direction the faster of the direct and Winograd's algorithm (3×3, stride 1), by a rule that
 * depends on shapes alone. `direct`: direct kernels everywhere, as in other frameworks. The two differ in
 * rounding: by 1e-6, root mean square. The engine `reference` has one kind of kernels and ignores the
 * call.
 */
export function setConvolution(name: ConvolutionName): void {
  if (!convolutionNames.includes(name)) {
    throw new InputError(`[engine] convolution: expected ${convolutionNames.join(' or ')}, got ${shown(name)}`);
  }
  currentEngine().configure({ convolution: name });
}

export const precisionNames = ['float32', 'bf16'] as const satisfies readonly Precision[];

/**
 * Sets the precision of all computation by the engine in use from now on. `float32` is the default. `bf16`:
 * features and their gradients are stored in bfloat16 and multiplied so, in half the time; parameters, their
 * gradients and updates, statistics and the loss stay float32. The engine uses bfloat16 where it is faster:
 * on processors whose instructions for bfloat16 are slower than those for float32 (Intel's from Sapphire
 * Rapids on, where the system hides AMX) only in linear layers of few images.
 *
 * @throws {EngineError} if the engine cannot compute in this precision: `bf16` needs oneDNN and a processor
 * with instructions for it. The setting stays as it was.
 */
export function setPrecision(name: Precision): void {
  if (!precisionNames.includes(name)) {
    throw new InputError(`[engine] precision: expected ${precisionNames.join(' or ')}, got ${shown(name)}`);
  }
  const engine = currentEngine();
  const support = engine.supports(name);
  if (!support.possible) {
    throw new EngineError(
      `[engine] precision: expected one that this machine can compute in, got ${name}: ${support.reason}`,
    );
  }
  engine.configure({ precision: name });
}

const warned = new Set<string>();

/**
 * {@link setPrecision} as far as possible: if the engine cannot, a warning says why, and it computes in
 * float32.
 */
export function askForPrecision(name: Precision): Precision {
  const used = usablePrecision(name);
  setPrecision(used);
  return used;
}

/** Calls a synchronous function while the engine in use computes in a precision that it supports. */
export function withPrecision<T>(name: Precision, body: () => T): T {
  const engine = currentEngine();
  const { precision } = engine.settings;
  if (precision === name) return body();
  engine.configure({ precision: name });
  try {
    return body();
  } finally {
    engine.configure({ precision });
  }
}

/** The precision if the engine supports it; otherwise float32, and a warning says why. */
export function usablePrecision(name: Precision): Precision {
  const support = currentEngine().supports(name);
  const used = support.possible ? name : 'float32';
  if (!support.possible) warnOnce(`${name}: ${support.reason}; computing in ${used}`);
  else if (support.note !== undefined) warnOnce(`${name}: ${support.note}`);
  return used;
}

function warnOnce(message: string): void {
  if (!warned.has(message)) warn([message]);
  warned.add(message);
}

/** Writes warnings to stderr. */
function warn(messages: readonly string[]): void {
  writeError(messages.map((message) => `fovea: ${message}\n`).join(''));
}
