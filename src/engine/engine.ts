import type { Graph, GraphNode } from '../compiler/graph.js';
import type { ChoiceOfProducts, Precision } from '../compiler/precision.js';
import type { TypedArray } from '../graph/dtype.js';
import type { Shape } from '../graph/shape.js';
import type { Storage } from '../graph/storage.js';
import type { ProgramMemory } from './memory.js';

/** Told of each floating-point output of each node, right after it was computed. */
export type Watch = (node: GraphNode, data: TypedArray) => void;

export interface CompileOptions {
  /** Shown the outputs of every node. */
  readonly watch?: Watch | null;
  /** Whether NaN and infinite numbers go where they should, which takes slower kernels. */
  readonly keepsNonFinite?: boolean;
}

/** A graph made ready to run on one engine. */
export interface Program {
  /**
   * Runs once.
   *
   * @param sources the data, in the order of the graph's sources; those that outputs go `into` are overwritten
   * @returns the storages of the outputs that are new arrays, in order
   * @throws {NonFiniteError} if an output that has to be finite is not; nothing has been overwritten then
   */
  run(sources: readonly Storage[]): Storage[];
  /**
   * Sources that have to be finite: of NaN some kernel makes a number, as the fastest ones for ReLU and maxima do. Where one of them is
   * not, the graph needs a program that keeps what is not finite.
   */
  readonly finiteSources: readonly number[];
  /** What it takes while it runs; nothing of it has been taken before the first run. */
  readonly memory: ProgramMemory;
  /** Bytes that it keeps between runs: weights in layouts of its own, constants, code. */
  readonly keptBytes: number;
  /** Bytes of the engine's working memory that a run takes. */
  readonly arenaBytes: number;
  /** The steps, readable. */
  toString(): string;
  /** Number of steps and memory, in a few words. */
  summary(): string;
  /** Gives back native memory; the program must not run again. */
  dispose(): void;
}

/** Something that can run graphs. */
export interface Engine {
  readonly name: string;
  /** Whether the engine has kernels for fused ops, so that the compiler should fuse. */
  readonly fuses: boolean;
  /** How exactly programs that are compiled from now on compute. */
  readonly precision: Precision;
  /** All settings that decide how a graph is compiled, as text. A program serves as long as they stay the same. */
  readonly settings: string;
  /** Which products of a program run faster in bfloat16, for engines that have it. */
  readonly bfloat16Products?: (graph: Graph) => ChoiceOfProducts;
  /** Whether batch norm of features of this shape can add something to its result, for engines that have such kernels. */
  readonly normalizesSums?: (shape: Shape) => boolean;
  /** Bytes of working memory that it holds, for whatever program runs next. */
  readonly heldBytes: number;
  /** Gives working memory back beyond so many bytes. */
  readonly shrink?: (bytes: number) => void;
  /** Library and instruction set, for people. */
  describe(): string;
  compile(graph: Graph, options?: CompileOptions): Program;
}
