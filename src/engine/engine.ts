import type { Graph, GraphNode } from '../compiler/graph.js';
import type { Traits } from '../compiler/optimize.js';
import type { Precision } from '../compiler/precision.js';
import type { TypedArray } from '../graph/dtype.js';
import type { Storage } from '../graph/storage.js';
import type { AddressableMemory, ProgramMemory } from './memory.js';
import type { StepRecord } from './record.js';

/** Called with each floating-point output of each node, right after the node has run. */
export type Watch = (node: GraphNode, data: TypedArray) => void;

export interface CompileOptions {
  /** Called with the outputs of every node. */
  readonly watch?: Watch | null;
  /** Whether NaN and infinities must propagate as in plain arithmetic. The kernels that do so are slower. */
  readonly keepsNonFinite?: boolean;
}

/** A graph compiled for one engine. */
export interface Program {
  /**
   * Runs once.
   *
   * @param sources the data, in the order of the graph's sources; the program overwrites those that outputs
   * go `into`
   * @returns the storages of the outputs that are new arrays, in order
   * @throws {NonFiniteError} if an output that must be finite is not; nothing has been overwritten then
   */
  run(sources: readonly Storage[]): Storage[];
  /**
   * Sources that must be finite, since the fastest kernels for ReLU and maxima turn NaN into a number. If one
   * of them is not finite, the graph needs a program compiled with `keepsNonFinite`.
   */
  readonly finiteSources: readonly number[];
  /** Memory that a run needs. Nothing is allocated before the first run. */
  readonly memory: ProgramMemory;
  /** Bytes kept between runs: weights in layouts of the program's own, constants, code. */
  readonly keptBytes: number;
  /** Bytes of the engine's working memory that a run needs. */
  readonly arenaBytes: number;
  /** The steps as text. */
  toString(): string;
  /** Number of steps and memory, in a few words. */
  summary(): string;
  /** Frees native memory; the program must not run again. */
  dispose(): void;
}

/** Kernels of convolutions: the engine's choice for each, or direct ones everywhere. */
export type ConvolutionName = 'auto' | 'direct';

/** Settings of an engine. An engine without a choice ignores the setting and keeps its only value. */
export interface EngineSettings {
  /** Most threads that a kernel may use. */
  readonly threads: number;
  readonly precision: Precision;
  readonly convolution: ConvolutionName;
}

/** Whether an engine computes in a precision: `reason` says why not, `note` what to know if it does. */
export type Support =
  | { readonly possible: true; readonly note?: string }
  | { readonly possible: false; readonly reason: string };

/** A native library, for records. */
export interface EngineLibrary {
  /** File name, without folders. */
  readonly file: string;
  readonly version: string;
  /** Where it came from: `system`, `cache by pip`, `environment` and so on. */
  readonly origin: string;
}

/**
 * Compiles graphs to programs and runs them. An engine implements this interface, and `engines.ts` lists it;
 * nothing else knows which engines there are.
 */
export interface Engine {
  readonly name: string;
  /** The native library that computes; absent if there is none. */
  readonly library?: EngineLibrary;
  /** Library and instruction set, for people. */
  describe(): string;

  /** The settings in force. */
  readonly settings: EngineSettings;
  /**
   * Changes some settings for all programs that are compiled from now on. The caller has checked the values.
   */
  configure(changes: Partial<EngineSettings>): void;
  /**
   * Everything that decides how a graph is compiled, as text. A program can be reused while it stays the
   * same.
   */
  readonly settingsKey: string;
  /** Whether programs can compute in this precision on this machine. */
  supports(precision: Precision): Support;
  /** Most threads that a kernel has run on so far. */
  readonly threadsUsed: number;

  /** How the compiler should rewrite this graph for the engine. */
  traits(graph: Graph): Traits;
  compile(graph: Graph, options?: CompileOptions): Program;

  /** Bytes of working memory that the engine holds for the next program. */
  readonly heldBytes: number;
  /** Memory that the engine can address; absent if the machine's is the only limit. */
  readonly addressable?: AddressableMemory;
  /** Frees working memory beyond so many bytes. */
  shrink?(bytes: number): void;
  /** Runs `body` and records every kernel call meanwhile; absent if the engine cannot. */
  record?(body: () => Promise<unknown>): Promise<StepRecord>;
}
