import type { GraphNode } from '../../compiler/graph.js';
import { bytesPerElement, type DType, declared, type StoredDType, type TypedArray } from '../../graph/dtype.js';
import type { Spec } from '../../graph/op.js';
import { numel, type Shape } from '../../graph/shape.js';
import type { NDArray } from '../ndarray.js';
import { plainType } from './layout.js';

/**
 * Memory of a program before addresses are known.
 *
 * - `arena`: an intermediate; shares the arena with buffers that are needed at other times
 * - `input`: a source that is copied in at every run; also in the arena
 * - `resident`: a source that stays in the engine's memory between runs
 * - `constant`: filled once, when the program is made
 */
export interface ProgramBuffer {
  readonly id: number;
  readonly kind: 'arena' | 'input' | 'resident' | 'constant';
  readonly bytes: number;
  /** Index of the source for `input` and `resident`, else -1. */
  readonly source: number;
  /** Contents of a `constant`. */
  readonly contents: TypedArray | null;
}

/** A buffer that is a piece of another one. */
export interface BufferSlice {
  readonly whole: ProgramBuffer;
  readonly offset: number;
}

/** A buffer together with the layout in which a kernel reads or writes it. */
export interface Operand<L> {
  readonly buffer: ProgramBuffer;
  readonly layout: L;
}

export interface ArrayType {
  readonly shape: Shape;
  readonly dtype: DType | 'opaque';
}

/** An operand in plain layout, read or written as an array. */
export interface ArrayOperand<L> extends Operand<L>, ArrayType {}

interface CommonStep<O> {
  /** `conv2d+relu`, `reorder`. */
  readonly name: string;
  /** The node that the step belongs to; `null` for copies at the end of the program. */
  readonly node: GraphNode | null;
  /**
   * Whether it computes only values that are the same in every run until a source is overwritten from
   * outside.
   */
  readonly isConstant: boolean;
  readonly reads: readonly O[];
  readonly writes: readonly O[];
}

/** Runs a kernel of the engine. */
export interface CallStep<L, C> extends CommonStep<Operand<L>> {
  readonly kind: 'call';
  readonly call: C;
  /** The number of threads that the kernel was made for, and runs on. */
  readonly threads: number;
  /** In the order in which the kernel takes them. */
  readonly operands: readonly Operand<L>[];
  /** Working memory of the kernel: the last operand, also among `writes`. */
  readonly scratch: Operand<L> | null;
}

/** Runs a TypeScript kernel over plain arrays. */
export interface TypeScriptStep<L> extends CommonStep<ArrayOperand<L>> {
  readonly kind: 'typescript';
  readonly run: (inputs: readonly NDArray[], outputs: readonly NDArray[]) => void;
}

export type Step<L, C> = CallStep<L, C> | TypeScriptStep<L>;

/** A step of any engine, for profiles and tests. */
export type AnyStep = Step<
  { readonly shape: Shape; readonly dtype: StoredDType; readonly size: number; toString(): string },
  { readonly implementation: string }
>;

/** The engine's name of the step's kernel, or `typescript`. */
export function implementationOf(step: AnyStep): string {
  return step.kind === 'call' ? step.call.implementation : 'typescript';
}

/** Anything that must be given back: kernels, machine code. */
export interface Owned {
  destroy(): void;
}

export interface SourcePlan<L> {
  /** `null` if no step reads or writes the source. */
  readonly operand: Operand<L> | null;
  readonly resident: boolean;
  /** Whether the program overwrites it. */
  readonly assigned: boolean;
}

/** The result of a lowering. */
export interface LoweredGraph<L, C> {
  readonly steps: readonly Step<L, C>[];
  readonly buffers: readonly ProgramBuffer[];
  readonly slices: ReadonlyMap<ProgramBuffer, BufferSlice>;
  readonly sources: readonly SourcePlan<L>[];
  /** Places of the outputs that are new arrays. */
  readonly outputs: readonly ArrayOperand<L>[];
  readonly owned: readonly Owned[];
  /** Indices of sources that must be finite, since some kernel turns NaN into a number. */
  readonly finiteSources: readonly number[];
}

/** The buffer that is no slice of another one, and the offset of this one in it. */
export function wholeOf(
  buffer: ProgramBuffer,
  slices: ReadonlyMap<ProgramBuffer, BufferSlice>,
): readonly [ProgramBuffer, number] {
  const slice = slices.get(buffer);
  if (slice === undefined) return [buffer, 0];
  const [whole, offset] = wholeOf(slice.whole, slices);
  return [whole, offset + slice.offset];
}

/** The operand as an array of this shape and type. */
export function asArray<L>({ buffer, layout }: Operand<L>, { shape, dtype }: Spec): ArrayOperand<L> {
  return { buffer, layout, shape, dtype: declared(dtype) };
}

/** Bytes of a plain array. */
export function bytesOf({ shape, dtype }: ArrayType): number {
  return numel(shape) * bytesPerElement(plainType(dtype));
}
