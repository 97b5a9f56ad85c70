import type { GraphNode } from '../../compiler/graph.js';
import type { DType, TypedArray } from '../../graph/dtype.js';
import type { Shape } from '../../graph/shape.js';
import type { MachineCode } from './avx512/machineCode.js';
import type { MemoryDesc, Primitive } from './ffi.js';

/**
 * Memory of a program before addresses are known.
 *
 * - `arena`: an intermediate; shares the arena with others that live at other times
 * - `input`: a source that is copied in at every run; also in the arena
 * - `resident`: a source that stays in native memory between runs
 * - `constant`: filled once when the program is made
 */
export interface Buffer {
  readonly id: number;
  readonly kind: 'arena' | 'input' | 'resident' | 'constant';
  readonly bytes: number;
  /** Index of the source, for `input` and `resident`. */
  readonly source: number;
  /** Contents, for `constant`. */
  readonly contents: TypedArray | null;
}

/** A value in a buffer, in some layout. */
export interface Placed {
  readonly buffer: Buffer;
  readonly desc: MemoryDesc;
}

/** One call of a oneDNN kernel. */
export interface PrimitiveStep {
  readonly kind: 'primitive';
  readonly name: string;
  /** The node that it belongs to; `null` for what is moved at the end of the program. */
  readonly node: GraphNode | null;
  readonly primitive: Primitive;
  /** The number of threads that the kernel was made for. */
  readonly threads: number;
  readonly args: readonly (readonly [argument: number, memory: Placed])[];
  readonly reads: readonly Placed[];
  readonly writes: readonly Placed[];
}

/** One call of machine code of our own. */
export interface CodeStep {
  readonly kind: 'code';
  readonly name: string;
  readonly node: GraphNode | null;
  readonly code: MachineCode;
  readonly threads: number;
  /** In the order in which the code knows them. */
  readonly operands: readonly Placed[];
  readonly reads: readonly Placed[];
  readonly writes: readonly Placed[];
}

/** One call of a TypeScript kernel over plain arrays. */
export interface KernelStep {
  readonly kind: 'kernel';
  readonly name: string;
  readonly node: GraphNode | null;
  readonly run: (inputs: readonly StepArray[], outputs: readonly StepArray[]) => void;
  readonly reads: readonly (Placed & ArrayType)[];
  readonly writes: readonly (Placed & ArrayType)[];
}

export type Step = PrimitiveStep | CodeStep | KernelStep;

/** The library's name of the kernel, or what else it is. */
export function implementationOf(step: Step): string {
  switch (step.kind) {
    case 'primitive':
      return step.primitive.implementation;
    case 'code':
      return step.code.kernel.name;
    default:
      return 'typescript';
  }
}

export interface ArrayType {
  readonly shape: Shape;
  readonly dtype: DType | 'opaque';
}

export interface Owned {
  destroy(): void;
}

/** What a kernel step works on once addresses are known. */
export interface StepArray extends ArrayType {
  readonly data: TypedArray;
}

/** Says that a buffer is a piece of another one. */
export interface Part {
  readonly whole: Buffer;
  readonly offset: number;
}

/** Everything that a lowering produces. */
export interface LoweredGraph {
  readonly steps: readonly Step[];
  readonly buffers: readonly Buffer[];
  readonly parts: ReadonlyMap<Buffer, Part>;
  readonly sources: readonly SourcePlan[];
  /** Where the outputs that are new arrays lie, in plain layout. */
  readonly outputs: readonly (Placed & ArrayType)[];
  /** Whatever the library or the system has to take back: primitives, machine code. */
  readonly owned: readonly Owned[];
  /** Sources that have to be finite: of NaN some kernel would make a number. */
  readonly finiteSources: readonly number[];
}

export interface SourcePlan {
  /** `null` if no step reads or writes the source. */
  readonly placed: Placed | null;
  readonly resident: boolean;
  /** Whether the program overwrites it. */
  readonly assigned: boolean;
}

/** The buffer that is no part of another one, and how far into it this one begins. */
export function wholeOf(buffer: Buffer, parts: LoweredGraph['parts']): readonly [Buffer, number] {
  const part = parts.get(buffer);
  if (part === undefined) return [buffer, 0];
  const [whole, offset] = wholeOf(part.whole, parts);
  return [whole, offset + part.offset];
}
