import { EngineError, InternalError } from '../../../errors.js';
import { bytesPerElement, type DType, type TypedArray, viewOf } from '../../../graph/dtype.js';
import type { Memory } from '../../planned/backend.js';
import { koffi } from './koffi.js';
import { load } from './library.js';
import type { MemoryDesc } from './memoryDesc.js';
import { check, created } from './status.js';
import { type Address, system } from './system.js';

let live = 0;

/** Bytes in use outside JavaScript's heap: arena, parameters, arrays that programs keep, machine code. */
export const nativeBytes = (): number => live;

/** @internal Counts memory that was allocated or freed. */
export function countNative(bytes: number): void {
  live += bytes;
}

/** A block of memory outside JavaScript's heap, aligned for the kernels. Its owner frees it. */
export class NativeMemory implements Memory {
  readonly #address: Address;
  #freed = false;

  constructor(readonly bytes: number) {
    const hugePage = 1 << 21;
    const alignment = bytes >= hugePage ? hugePage : 64;
    const rounded = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    this.#address = system().alignedAlloc(alignment, rounded);
    if (this.#address === 0) {
      throw new EngineError(`[onednn] memory: could not allocate ${Math.ceil(bytes / 2 ** 20)} MiB`);
    }
    countNative(bytes);
    if (alignment === hugePage) system().adviseHugePages?.(this.#address, rounded);
  }

  /** JavaScript's view of a part (up to 4 GiB). It must not be used after {@link free}. */
  view(offset: number, bytes: number): ArrayBuffer {
    if (offset < 0 || offset + bytes > this.bytes) throw new InternalError('view outside of native memory');
    return koffi().view(BigInt(this.addressAt(offset)), bytes);
  }

  /** A view of `length` elements from a byte offset on, under the same conditions. */
  array(dtype: DType, offset: number, length: number): TypedArray {
    return viewOf(dtype, this.view(offset, length * bytesPerElement(dtype)), 0, length);
  }

  /** @internal */
  addressAt(offset: number): Address {
    if (this.#freed) throw new InternalError('native memory used after free');
    return this.#address + offset;
  }

  free(): void {
    if (this.#freed) return;
    system().free(this.#address);
    countNative(-this.bytes);
    this.#freed = true;
  }
}

/** The library's handle for a piece of memory in some layout. */
export class MemoryHandle {
  /** @internal */
  readonly handle: Address;

  constructor(desc: MemoryDesc) {
    const { dialect, engine } = load();
    this.handle = created((out) => dialect.descs.createMemory(out, desc.native.argument, engine, 0), 'memory');
  }

  point(memory: NativeMemory, offset: number): void {
    check(load().api.memorySetHandle(this.handle, memory.addressAt(offset)), 'memory handle');
  }

  destroy(): void {
    load().api.memoryDestroy(this.handle);
  }
}
