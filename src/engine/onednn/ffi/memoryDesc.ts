import { InternalError } from '../../../errors.js';
import { bytesPerElement, type StoredDType } from '../../../graph/dtype.js';
import { numel, type Shape } from '../../../graph/shape.js';
import type { Layout } from '../../planned/layout.js';
import type { DescFields, Out } from './dialect.js';
import { dataTypes, formatAny } from './enums.js';
import { dims } from './geometry.js';
import { load } from './library.js';
import type { Block, Described, NativeDesc } from './nativeDesc.js';
import { check } from './status.js';
import type { Address } from './system.js';

/** Shape, element type and layout of a piece of memory; immutable. */
export class MemoryDesc implements Layout<MemoryDesc>, Described {
  #size = -1;
  #read: DescFields | null = null;

  private constructor(
    readonly native: NativeDesc,
    readonly shape: Shape,
    readonly dtype: StoredDType,
  ) {}

  /** @throws {EngineError} if the call fails */
  static #from(shape: Shape, dtype: StoredDType, call: (out: Out) => number): MemoryDesc {
    const native = load().dialect.newDesc((out) => check(call(out), 'memory descriptor'));
    return new MemoryDesc(native, shape, dtype);
  }

  /** The row-major layout. A scalar gets one axis of size 1. */
  static plain(shape: Shape, dtype: StoredDType): MemoryDesc {
    const axes = shape.length === 0 ? [1] : shape;
    if (axes.length > 5) throw new InternalError(`plain layout of ${axes.length} axes`);
    return MemoryDesc.#byTag(axes, dtype, load().dialect.plainTags[axes.length]);
  }

  /** Lets the primitive choose the layout. */
  static any(shape: Shape, dtype: StoredDType = 'float32'): MemoryDesc {
    return MemoryDesc.#byTag(shape, dtype, formatAny);
  }

  /** "No such argument", e.g. no bias. */
  static none(): MemoryDesc {
    return new MemoryDesc(load().dialect.noDesc, [], 'float32');
  }

  static strided(shape: Shape, strides: readonly number[], dtype: StoredDType): MemoryDesc {
    const { byStrides } = load().dialect.descs;
    return MemoryDesc.#from(shape, dtype, (out) =>
      byStrides(out, shape.length, dims(shape), dataTypes[dtype], dims(strides)),
    );
  }

  /** `[N, C, H, W]` with the channels of a pixel side by side. */
  static channelsLast(shape: Shape, dtype: StoredDType): MemoryDesc {
    const [, channels, height, width] = shape;
    const row = width * channels;
    return MemoryDesc.strided(shape, [height * row, 1, row, channels], dtype);
  }

  static #byTag(shape: Shape, dtype: StoredDType, tag: number): MemoryDesc {
    const { byTag } = load().dialect.descs;
    return MemoryDesc.#from(shape, dtype, (out) => byTag(out, shape.length, dims(shape), dataTypes[dtype], tag));
  }

  /** @internal Copies a descriptor that the library owns; `null` where there is none. */
  static at(owned: Address): MemoryDesc | null {
    if (owned === 0) return null;
    const { dialect } = load();
    const native = dialect.copyOf(owned);
    const { shape, dtype } = dialect.fieldsOf(native);
    return shape.length === 0 ? null : new MemoryDesc(native, shape, dtype);
  }

  /** Bytes of memory, padding included. */
  get size(): number {
    if (this.#size < 0) this.#size = Number(load().dialect.descs.size(this.native.argument));
    return this.#size;
  }

  /** The same layout with elements of another type. */
  withType(dtype: StoredDType): MemoryDesc {
    if (dtype === this.dtype) return this;
    return new MemoryDesc(load().dialect.withType(this.native, dtype), this.shape, dtype);
  }

  equals(other: MemoryDesc): boolean {
    return this === other || load().dialect.descs.equal(this.native.argument, other.native.argument) !== 0;
  }

  /** Whether only one kind of kernel can read the layout. */
  isOpaque(): boolean {
    return this.#kind === 'opaque';
  }

  isPlain(): boolean {
    return this.shape.length <= 5 && this.equals(MemoryDesc.plain(this.shape, this.dtype));
  }

  /** `[N, C, H, W]` with the channels of a pixel side by side; axes of size 1 may be anywhere. */
  isChannelsLast(): boolean {
    return this.shape.length === 4 && this.equals(MemoryDesc.channelsLast(this.shape, this.dtype));
  }

  /** Axis i of this becomes axis `permutation[i]` of the result; same memory. */
  permuted(permutation: readonly number[]): MemoryDesc {
    const { permute } = load().dialect.descs;
    const shape = new Array<number>(permutation.length);
    permutation.forEach((axis, i) => {
      shape[axis] = this.shape[i];
    });
    const call = (out: Out) => permute(out, this.native.argument, Int32Array.from(permutation));
    return MemoryDesc.#from(shape, this.dtype, call);
  }

  /** The same memory with axes of size 1 added or left out. */
  reshaped(shape: Shape): MemoryDesc {
    const { reshape } = load().dialect.descs;
    const call = (out: Out) => reshape(out, this.native.argument, shape.length, dims(shape));
    return MemoryDesc.#from(shape, this.dtype, call);
  }

  /** A box inside this memory; `null` where the layout does not allow it. */
  sub(shape: Shape, offsets: readonly number[]): MemoryDesc | null {
    const { dialect } = load();
    let status = 0;
    const native = dialect.newDesc((out) => {
      status = dialect.descs.sub(out, this.native.argument, dims(shape), dims(offsets));
    });
    return status === 0 ? new MemoryDesc(native, shape, this.dtype) : null;
  }

  /**
   * Whether the layout has space for more elements than the shape has. This happens if the size of a block
   * does not divide the size of its axis.
   */
  isPadded(): boolean {
    return this.size > numel(this.shape) * bytesPerElement(this.dtype);
  }

  get #fields(): DescFields {
    this.#read ??= load().dialect.fieldsOf(this.native);
    return this.#read;
  }

  get #kind(): DescFields['kind'] {
    return this.#fields.kind;
  }

  /** Blocks of elements that are side by side, from the outer to the inner ones. */
  get blocks(): readonly Block[] {
    return this.#fields.blocks;
  }

  /** Axes from outermost to innermost, without the blocks. */
  get order(): readonly number[] {
    const { strides } = this.#fields;
    return strides.map((_, i) => i).sort((i, j) => strides[j] - strides[i] || i - j);
  }

  /** Whether the axis is divided into blocks. */
  isBlocked(axis: number): boolean {
    return this.blocks.some((block) => block.axis === axis);
  }

  /** Whether the layout is row-major except for exactly these blocks. */
  hasBlocks(expected: readonly Block[]): boolean {
    const { blocks, order } = this;
    const isRowMajor = this.#kind === 'strided' && order.every((axis, i) => axis === i);
    return isRowMajor && sameBlocks(blocks, expected);
  }

  /**
   * Whether another array has the same order of axes, the same blocks and type of elements; its shape may
   * differ.
   */
  isArrangedAs(other: MemoryDesc): boolean {
    const [order, others] = [this.order, other.order];
    return (
      this.#kind === other.#kind &&
      this.dtype === other.dtype &&
      order.length === others.length &&
      order.every((axis, i) => axis === others[i]) &&
      sameBlocks(this.blocks, other.blocks)
    );
  }

  /**
   * The layout in oneDNN's notation: axes from outermost to innermost, blocked ones in capitals (`aBcd16b`).
   * For people.
   */
  toString(): string {
    const kind = this.#kind;
    if (kind !== 'strided') return kind;
    const letter = (axis: number) => String.fromCharCode(97 + axis);
    const outer = this.order.map((axis) => (this.isBlocked(axis) ? letter(axis).toUpperCase() : letter(axis)));
    const type = this.dtype === 'bfloat16' ? ':bf16' : '';
    return outer.join('') + this.blocks.map(({ size, axis }) => `${size}${letter(axis)}`).join('') + type;
  }
}

function sameBlocks(blocks: readonly Block[], others: readonly Block[]): boolean {
  const isSame = ({ axis, size }: Block, i: number) => axis === others[i].axis && size === others[i].size;
  return blocks.length === others.length && blocks.every(isSame);
}
