import type { Graph } from '../../compiler/graph.js';
import type { ChoiceOfProducts, Precision } from '../../compiler/precision.js';
import { isThreadCount, threadCounts, threadsAsked, validating } from '../../env.js';
import { InputError } from '../../errors.js';
import type { Shape } from '../../graph/shape.js';
import type { CompileOptions, Engine, Program } from '../engine.js';
import { availableProcessors } from '../processors.js';
import { bfloat16Products, measuredUnit } from './bfloat16.js';
import { bfloat16Unit, instructionSet, libraryVersion, setThreadCount } from './ffi.js';
import { Normalization } from './jit/norm.js';
import { lowerings } from './lower/table.js';
import { type ConvChoice, hasWinograd } from './lower/winograd.js';
import { Lowering } from './lowering.js';
import { Arena, OneDnnProgram, type Runtime, type StepObserver } from './program.js';
import { scheduleUpdates } from './schedule.js';
import { isSmall } from './work.js';

/** oneDNN's kernels, called through its C API. */
export class OneDnnEngine implements Engine, Runtime {
  readonly name = 'onednn';
  readonly fuses = true;
  readonly arena = new Arena();
  /** Set to be told of every step of every run. */
  observer: StepObserver | null = null;
  /** Kernels that the convolutions of programs use from now on. */
  convolution: ConvChoice = 'auto';
  /** Precision in which programs compute from now on; bf16 only where {@link hasBfloat16}. */
  precision: Precision = 'float32';
  #threads: number;
  /** Whether somebody asked for that number. */
  #chosen: boolean;
  #inUse = 0;
  /** Most threads that any kernel has run on so far. */
  threadsUsed = 1;

  /** @param threads what was asked for */
  constructor(threads: number | null) {
    this.#chosen = threads !== null;
    this.#threads = threads ?? availableProcessors();
  }

  /**
   * Most threads that a kernel may use; small ones use one, and so does all of a small program unless the number was set.
   */
  get threads(): number {
    return this.#threads;
  }

  set threads(count: number) {
    if (!isThreadCount(count)) throw new InputError(`[engine] threads: expected ${threadCounts}, got ${count}`);
    this.#threads = count;
    this.#chosen = true;
  }

  get settings(): string {
    return `${this.precision} ${this.convolution} ${this.#threads} ${this.#chosen}`;
  }

  get heldBytes(): number {
    return this.arena.memory.bytes;
  }

  shrink(bytes: number): void {
    this.arena.shrink(bytes);
  }

  describe(): string {
    const convolutions = this.convolution !== 'direct' && hasWinograd() ? 'Winograd and direct' : 'direct';
    const precision = this.precision === 'bf16' ? `, ${hasFastBfloat16() ? '' : 'slow '}bf16` : '';
    return `oneDNN ${libraryVersion()}, ${instructionSet()}, ${convolutions} convolutions${precision}`;
  }

  bfloat16Products(graph: Graph): ChoiceOfProducts {
    return bfloat16Products(graph, this.convolution, measuredUnit() ?? 'AVX-512');
  }

  normalizesSums(shape: Shape): boolean {
    return Normalization.takes(shape, this.precision === 'bf16' ? 'bfloat16' : 'float32');
  }

  compile(graph: Graph, { watch = null, keepsNonFinite = false }: CompileOptions = {}): Program {
    const threads = !this.#chosen && isSmall(graph) ? 1 : this.#threads;
    const lowered = Lowering.lower(scheduleUpdates(graph), lowerings, {
      validate: validating(),
      watch,
      // Winograd's kernels mix neighbouring pixels.
      convolution: keepsNonFinite ? 'direct' : this.convolution,
      keepsNonFinite,
      threads,
      useThreads: (count) => this.useThreads(count),
    });
    return new OneDnnProgram(lowered, this);
  }

  useThreads(count: number): void {
    if (count !== this.#inUse) setThreadCount(count);
    this.#inUse = count;
    if (count > this.threadsUsed) this.threadsUsed = count;
  }
}

/** Whether this processor multiplies bfloat16 by instructions of its own; without them it would be slower than float32. */
export function hasBfloat16(): boolean {
  return bfloat16Unit() !== null;
}

/** Whether they are faster than those for float32, which is measured once, in some milliseconds. */
export function hasFastBfloat16(): boolean {
  const unit = measuredUnit();
  return unit !== null && unit !== 'slow AVX-512';
}

let engine: OneDnnEngine | null = null;

/**
 * The engine on the system's oneDNN library.
 *
 * @throws {EngineError} if the library is missing or of another version; the message says how to install it
 * @throws {InputError} if `OMP_NUM_THREADS` is no number of threads
 */
export function openOneDnn(): OneDnnEngine {
  if (engine !== null) return engine;
  // Before the library's runtime reads it, and complains in its own way.
  const threads = threadsAsked();
  libraryVersion();
  engine = new OneDnnEngine(threads);
  return engine;
}
