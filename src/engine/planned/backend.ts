import type { DType, StoredDType, TypedArray } from '../../graph/dtype.js';
import type { Shape } from '../../graph/shape.js';
import type { ComputeNode } from '../ndarray.js';
import type { Layout } from './layout.js';
import type { CallStep, ProgramBuffer } from './steps.js';

/** A block of the engine's memory. The caller that allocated it frees it. */
export interface Memory {
  readonly bytes: number;
  /**
   * A view of `length` elements from a byte offset on. It is valid until {@link free}, or until {@link
   * Backend.generation} changes.
   */
  array(dtype: DType, offset: number, length: number): TypedArray;
  free(): void;
}

/** The place of an operand in memory. */
export interface Place<M extends Memory> {
  readonly memory: M;
  readonly offset: number;
}

/** A kernel of the engine, made for given shapes and layouts. */
export interface Call<L> {
  /** The engine's name of the kernel, for people. */
  readonly implementation: string;
  /** Working memory that the kernel needs, passed as its last operand; `null` if it needs none. */
  readonly scratch: L | null;
  /** Whether the kernel checks that all it writes to its first result is finite. */
  readonly checksFinite: boolean;
  /** The result of that check in the last run; `null` without a check. */
  readonly wroteFinite: boolean | null;
  destroy(): void;
}

/** The calls of one program, ready to run. */
export interface LinkedCalls<L, C, M extends Memory> {
  /**
   * Passes the kernels the places of their operands. `locate` gives `null` for a buffer that no further run
   * reads.
   */
  point(locate: (buffer: ProgramBuffer) => Place<M> | null): void;
  /**
   * A function that runs the step's kernel. It holds until the program is destroyed, also after another
   * {@link point}.
   */
  runnerOf(step: CallStep<L, C>): () => void;
  /** Bytes that the linked calls keep, such as machine code. */
  readonly bytes: number;
  destroy(): void;
}

/**
 * All that an engine supplies to plan and run programs with this room. `L`: its layouts, `C`: its kernels,
 * `M`: its memory. Every method is synchronous.
 */
export interface Backend<L extends Layout<L>, C extends Call<L>, M extends Memory> {
  /** Name of the engine, for messages. */
  readonly name: string;
  /** The row-major layout. Shapes of more axes than the engine's layouts have become one row. */
  plainLayout(shape: Shape, dtype: StoredDType): L;
  /**
   * A kernel that copies from one layout to another of the same axes; its operands are source and
   * destination. `null` if there is none.
   */
  reorder(from: L, to: L): C | null;
  /** Computes a node over plain arrays: ops without a kernel, and validation. */
  readonly compute: ComputeNode;
  /** @throws {EngineError} if there is not enough memory */
  allocate(bytes: number): M;
  /**
   * Counts how often all of the engine's memory has moved, as a WebAssembly memory does that grows: earlier
   * views are invalid then.
   */
  readonly generation: number;
  /** Prepares the calls of a program. */
  link(steps: readonly CallStep<L, C>[]): LinkedCalls<L, C, M>;
  /** Called before the steps of a run, for engines that have to prepare the process. */
  readonly beginRun?: () => void;
  /** Called after the steps of a run, also of one that failed. */
  readonly endRun?: () => void;
  /** Sets the number of threads for kernels that are made, or run, from now on. */
  useThreads(count: number): void;
}
