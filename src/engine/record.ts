import type { StoredDType } from '../graph/dtype.js';
import type { StepPart } from '../graph/origin.js';
import type { Shape } from '../graph/shape.js';

/** An argument of a kernel. */
export interface KernelArgument {
  readonly shape: Shape;
  readonly dtype: StoredDType;
  /** The engine's name of the layout, with the type if it is not float32: `aBcd16b`, `aBcd16b:bf16`. */
  readonly layout: string;
}

/** One kernel call of a program. */
export interface KernelCall {
  /** `conv2d+relu`, `reorder`. */
  readonly name: string;
  /** The engine's name of the kernel, for people. */
  readonly implementation: string;
  /** Name of the layer that the call computes; empty if it belongs to none. */
  readonly layer: string;
  readonly part: StepPart;
  readonly threads: number;
  /** Without scratchpads. */
  readonly reads: readonly KernelArgument[];
  readonly writes: readonly KernelArgument[];
  /** Bytes read and written. */
  readonly bytes: number;
  /** Operations of a convolution or linear layer by the plain algorithm, two for each multiply-add. */
  readonly flops: number;
}

/** A call at its time: milliseconds of the clock `performance.now()`. */
export interface TimedCall {
  readonly call: KernelCall;
  readonly start: number;
  readonly ms: number;
}

/** The kernel calls during some work, and how long the work took. */
export interface StepRecord {
  readonly start: number;
  readonly ms: number;
  readonly calls: readonly TimedCall[];
}
