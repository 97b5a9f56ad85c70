import type { Precision } from '../compiler/precision.js';
import { isThreadCount, threadCounts } from '../env.js';
import { EngineError, InputError, messageOf } from '../errors.js';
import { visibleLine } from '../text/visible.js';
import type { Engine } from './engine.js';
import { hasBfloat16, hasFastBfloat16, OneDnnEngine, openOneDnn } from './onednn/engine.js';
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
        `fovea: ${visibleLine(messageOf(error))}\nfovea: computing with the reference engine, which is right but slow.\n`,
      );
      current = referenceEngine();
    }
  }
  return current;
}

/** The engine in use, for people and records. */
export interface EngineInfo {
  readonly name: EngineName;
  /** Library, version, instruction set and which kernels convolutions use. */
  readonly description: string;
  /** Most threads that a program may use. */
  readonly threads: number;
  readonly precision: Precision;
  readonly convolution: ConvolutionName;
}

/** Tells about the engine in use, which is chosen now if it was not. */
export function engineInfo(): EngineInfo {
  const engine = currentEngine();
  const own = engine instanceof OneDnnEngine ? engine : null;
  return {
    name: engine.name as EngineName,
    description: engine.describe(),
    threads: own?.threads ?? 1,
    precision: engine.precision,
    convolution: own?.convolution === 'direct' ? 'direct' : 'auto',
  };
}

/** Most threads that any kernel has run on so far: small programs make do with one. */
export function threadsUsed(): number {
  const engine = currentEngine();
  return engine instanceof OneDnnEngine ? engine.threadsUsed : 1;
}

/**
 * Sets the most threads that a kernel may use from now on; small kernels use one. Unless it is
 * called (or `OMP_NUM_THREADS` set), a small program uses one altogether. The reference engine always does.
 *
 * @param count a positive integer; by default `OMP_NUM_THREADS`, else the number of processors, in a container at most its share
 */
export function setThreads(count: number): void {
  if (!isThreadCount(count)) throw new InputError(`[engine] threads: expected ${threadCounts}, got ${count}`);
  const engine = currentEngine();
  if (engine instanceof OneDnnEngine) engine.threads = count;
}

export const convolutionNames = ['auto', 'direct'] as const;
export type ConvolutionName = (typeof convolutionNames)[number];

/**
 * Chooses the kernels of all convolutions from now on. `auto`, the default: for each layer and
 * direction the faster of the direct and Winograd's algorithm (3×3, stride 1), by a rule that knows shapes alone.
 * `direct`: direct kernels everywhere, as in other frameworks. The two differ in rounding: by 1e-6, root mean square. The
 * reference engine has no choice.
 */
export function setConvolution(name: ConvolutionName): void {
  if (!convolutionNames.includes(name)) {
    throw new InputError(`[engine] convolution: expected ${convolutionNames.join(' or ')}, got '${String(name)}'`);
  }
  const engine = currentEngine();
  if (engine instanceof OneDnnEngine) engine.convolution = name;
}

export const precisionNames = ['float32', 'bf16'] as const satisfies readonly Precision[];

/**
 * Chooses how exactly everything computes from now on. `float32` is the default. `bf16`: features and their gradients
 * are kept in bfloat16 and products take them so, in half the time; parameters, their gradients and updates,
 * statistics and the loss stay float32. It is done where it is faster: where a processor's instructions for bfloat16 are slower
 * than those for float32 (Intel's from Sapphire Rapids on, where the system hides AMX) only in linear layers of few images.
 *
 * @returns what is used: float32 where the processor has no instructions for bfloat16
 */
export function setPrecision(name: Precision): Precision {
  if (!precisionNames.includes(name)) {
    throw new InputError(`[engine] precision: expected ${precisionNames.join(' or ')}, got '${String(name)}'`);
  }
  const engine = currentEngine();
  if (!(engine instanceof OneDnnEngine)) return engine.precision;
  engine.precision = name === 'bf16' && hasBfloat16() ? 'bf16' : 'float32';
  return engine.precision;
}

const told = new Set<string>();

/** {@link setPrecision}; if that is not what was asked for, it says why, on stderr and once. */
export function askForPrecision(name: Precision): Precision {
  const used = setPrecision(name);
  const isOurs = currentEngine() instanceof OneDnnEngine;
  if (used !== name) {
    const why = isOurs ? 'this processor has no instructions for it' : 'the reference engine has no kernels for it';
    tell(`${name}: ${why}; computing in ${used}`);
  } else if (used === 'bf16' && isOurs && !hasFastBfloat16()) {
    tell('bf16: on this processor float32 multiplies faster; bf16 is used for linear layers of few images alone');
  }
  return used;
}

/** On stderr, once. */
function tell(message: string): void {
  if (!told.has(message)) process.stderr.write(`fovea: ${message}\n`);
  told.add(message);
}
