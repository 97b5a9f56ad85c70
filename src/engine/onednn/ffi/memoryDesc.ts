import { InternalError } from '../../../errors.js';
import { bytesPerElement, type StoredDType } from '../../../graph/dtype.js';
import { numel, type Shape } from '../../../graph/shape.js';
import type { Layout } from '../../planned/layout.js';
import { dataTypes, formatAny, maxAxes, memoryDescBytes, plainTags } from './enums.js';
import { check, load } from './library.js';
import { type Address, system } from './system.js';

export function dims(values: Shape): BigInt64Array {
  const array = new BigInt64Array(maxAxes);
  for (let i = 0; i < values.length; i++) array[i] = BigInt(values[i]);
  return array;
}

/**
 * Offsets of fields in a descriptor: type of the elements, kind of the layout, strides, number and sizes of
 * blocks.
 */
const [typeOffset, kindOffset, stridesOffset, blocksOffset] = [104, 312, 320, 416];

/** Elements of an axis that are side by side. */
export interface Block {
  readonly axis: number;
  readonly size: number;
}

/** Shape, element type and layout of a piece of memory; immutable. */
export class MemoryDesc implements Layout<MemoryDesc> {
  #size = -1;

  private constructor(
    /** @internal */
    readonly bytes: Uint8Array,
    readonly shape: Shape,
    readonly dtype: StoredDType,
  ) {}

  /** The row-major layout. A scalar gets one axis of size 1. */
  static plain(shape: Shape, dtype: StoredDType): MemoryDesc {
    const axes = shape.length === 0 ? [1] : shape;
    if (axes.length > 5) throw new InternalError(`plain layout of ${axes.length} axes`);
    return MemoryDesc.#byTag(axes, dtype, plainTags[axes.length]);
  }

  /** Lets the primitive choose the layout. */
  static any(shape: Shape, dtype: StoredDType = 'float32'): MemoryDesc {
    return MemoryDesc.#byTag(shape, dtype, formatAny);
  }

  /** "No such argument", e.g. no bias. */
  static none(): MemoryDesc {
    return new MemoryDesc(new Uint8Array(memoryDescBytes), [], 'float32');
  }

  static strided(shape: Shape, strides: readonly number[], dtype: StoredDType): MemoryDesc {
    const bytes = new Uint8Array(memoryDescBytes);
    check(
      load().api.mdByStrides(bytes, shape.length, dims(shape), dataTypes[dtype], dims(strides)),
      'strided memory descriptor',
    );
    return new MemoryDesc(bytes, shape, dtype);
  }

  /** `[N, C, H, W]` with the channels of a pixel side by side. */
  static channelsLast(shape: Shape, dtype: StoredDType): MemoryDesc {
    const [, channels, height, width] = shape;
    const row = width * channels;
    return MemoryDesc.strided(shape, [height * row, 1, row, channels], dtype);
  }

  static #byTag(shape: Shape, dtype: StoredDType, tag: number): MemoryDesc {
    const bytes = new Uint8Array(memoryDescBytes);
    check(load().api.mdByTag(bytes, shape.length, dims(shape), dataTypes[dtype], tag), 'memory descriptor');
    return new MemoryDesc(bytes, shape, dtype);
  }

  /** @internal Reads a descriptor that the library owns; `null` where there is none. */
  static at(address: Address): MemoryDesc | null {
    if (address === 0) return null;
    const bytes = new Uint8Array(memoryDescBytes);
    system().memcpy(bytes, address, memoryDescBytes);
    const fields = new DataView(bytes.buffer);
    const rank = fields.getInt32(0, true);
    if (rank === 0) return null;
    const shape = Array.from({ length: rank }, (_, i) => Number(fields.getBigInt64(8 + 8 * i, true)));
    const type = fields.getInt32(typeOffset, true);
    const dtype = (Object.keys(dataTypes) as StoredDType[]).find((name) => dataTypes[name] === type) ?? 'uint8';
    return new MemoryDesc(bytes, shape, dtype);
  }

  /** Bytes of memory, padding included. */
  get size(): number {
    if (this.#size < 0) this.#size = Number(load().api.mdSize(this.bytes));
    return this.#size;
  }

  /** The same layout with elements of another type. */
  withType(dtype: StoredDType): MemoryDesc {
    if (dtype === this.dtype) return this;
    const bytes = this.bytes.slice();
    new DataView(bytes.buffer).setInt32(typeOffset, dataTypes[dtype], true);
    return new MemoryDesc(bytes, this.shape, dtype);
  }

  equals(other: MemoryDesc): boolean {
    return this === other || load().api.mdEqual(this.bytes, other.bytes) !== 0;
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
    const bytes = new Uint8Array(memoryDescBytes);
    check(load().api.mdPermute(bytes, this.bytes, Int32Array.from(permutation)), 'permuted memory descriptor');
    const shape = new Array<number>(permutation.length);
    permutation.forEach((axis, i) => {
      shape[axis] = this.shape[i];
    });
    return new MemoryDesc(bytes, shape, this.dtype);
  }

  /** The same memory with axes of size 1 added or left out. */
  reshaped(shape: Shape): MemoryDesc {
    const bytes = new Uint8Array(memoryDescBytes);
    check(load().api.mdReshape(bytes, this.bytes, shape.length, dims(shape)), 'reshaped memory descriptor');
    return new MemoryDesc(bytes, shape, this.dtype);
  }

  /** A box inside this memory; `null` where the layout does not allow it. */
  sub(shape: Shape, offsets: readonly number[]): MemoryDesc | null {
    const bytes = new Uint8Array(memoryDescBytes);
    if (load().api.mdSub(bytes, this.bytes, dims(shape), dims(offsets)) !== 0) return null;
    return new MemoryDesc(bytes, shape, this.dtype);
  }

  /**
   * Whether the layout has space for more elements than the shape has. This happens if the size of a block
   * does not divide the size of its axis.
   */
  isPadded(): boolean {
    return this.size > numel(this.shape) * bytesPerElement(this.dtype);
  }

  /** The kind of the layout: not chosen yet, given by strides and blocks, or known to the library only. */
  get #kind(): 'any' | 'strided' | 'opaque' {
    const kind = this.#fields.getInt32(kindOffset, true);
    return kind === 1 ? 'any' : kind === 2 ? 'strided' : 'opaque';
  }

  get #fields(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset);
  }

  /** Blocks of elements that are side by side, from the outer to the inner ones. */
  get blocks(): readonly Block[] {
    if (this.#kind !== 'strided') return [];
    const fields = this.#fields;
    const number = (offset: number) => Number(fields.getBigInt64(offset, true));
    return Array.from({ length: fields.getInt32(blocksOffset, true) }, (_, i) => ({
      size: number(blocksOffset + 8 + 8 * i),
      axis: number(blocksOffset + 8 + 8 * (maxAxes + i)),
    }));
  }

  /** Axes from outermost to innermost, without the blocks. */
  get order(): readonly number[] {
    if (this.#kind !== 'strided') return [];
    const fields = this.#fields;
    const stride = (i: number) => Number(fields.getBigInt64(stridesOffset + 8 * i, true));
    return this.shape.map((_, i) => i).sort((i, j) => stride(j) - stride(i) || i - j);
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
