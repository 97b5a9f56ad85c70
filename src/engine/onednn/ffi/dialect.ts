import type { StoredDType } from '../../../graph/dtype.js';
import type { Shape } from '../../../graph/shape.js';
import type { EltwiseKernel } from './enums.js';
import type { InstructionSets } from './instructionSets.js';
import type { Block, Described, NativeDesc } from './nativeDesc.js';
import type { BinaryKernel, Operation } from './operation.js';
import type { Address } from './system.js';

/** Memory into which the library writes a new descriptor, or its address. */
export type Out = Uint8Array | BigUint64Array;

type Desc = NativeDesc['argument'];
type Dims = BigInt64Array;

/** Functions on descriptors of memory. Their names differ between the dialects. */
export interface DescCalls {
  byTag(out: Out, rank: number, shape: Dims, type: number, tag: number): number;
  byStrides(out: Out, rank: number, shape: Dims, type: number, strides: Dims): number;
  sub(out: Out, desc: Desc, shape: Dims, offsets: Dims): number;
  reshape(out: Out, desc: Desc, rank: number, shape: Dims): number;
  permute(out: Out, desc: Desc, permutation: Int32Array): number;
  equal(desc: Desc, other: Desc): number;
  size(desc: Desc): number | bigint;
  createMemory(out: BigUint64Array, desc: Desc, engine: Address, data: Address): number;
}

/** The contents of a descriptor. */
export interface DescFields {
  /** Empty if the descriptor means "no memory". */
  readonly shape: Shape;
  readonly dtype: StoredDType;
  /** Not chosen yet, given by strides and blocks, or known to the library only. */
  readonly kind: 'any' | 'strided' | 'opaque';
  /** Elements from one block to the next along each axis; empty unless the layout is strided. */
  readonly strides: readonly number[];
  /** Blocks of elements that are side by side, from the outer to the inner ones. */
  readonly blocks: readonly Block[];
}

/** A factor for an operand of a binary primitive. */
export type Scale = readonly [argument: number, factor: number];

/**
 * The C API of one major version, as far as it differs from others. All functions that create something
 * return the library's status.
 */
export interface Dialect {
  readonly descs: DescCalls;
  /** Numbers of the plain layouts, by number of axes. */
  readonly plainTags: readonly number[];
  readonly instructionSets: InstructionSets;
  /** Number of the first post-op's operands. */
  readonly postOpArgBase: number;
  /** "No such argument", e.g. no bias. */
  readonly noDesc: NativeDesc;

  /** The descriptor that a call makes. It is of no use if the call failed. */
  newDesc(call: (out: Out) => void): NativeDesc;
  /** A copy of a descriptor that the library owns. */
  copyOf(owned: Address): NativeDesc;
  fieldsOf(desc: NativeDesc): DescFields;
  /** The same layout with elements of another type. */
  withType(desc: NativeDesc, dtype: StoredDType): NativeDesc;

  /** Creates the description of a primitive. */
  create(out: BigUint64Array, operation: Operation, attributes: Address, hint: Address): number;
  createReorder(out: BigUint64Array, from: Described, to: Described, attributes: Address): number;
  createConcat(out: BigUint64Array, inputs: readonly Described[], axis: number, attributes: Address): number;

  setScale(attributes: Address, scale: Scale): number;
  /** Where the kernel reads the factor from memory: the argument for it. */
  scaleArgument(argument: number): number | null;
  appendSum(postOps: Address, scale: number): number;
  appendEltwise(postOps: Address, fn: EltwiseKernel, alpha: number, beta: number): number;
  appendBinary(postOps: Address, fn: BinaryKernel, operand: Described): number;
}
