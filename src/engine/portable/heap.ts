import { startThread } from '#platform';
import { EngineError, MemoryError } from '../../errors.js';
import { bytesPerElement, type DType, type TypedArray, viewOf } from '../../graph/dtype.js';
import { formatBytes } from '../../memory.js';
import type { Memory } from '../planned/backend.js';
import { type ThreadOptions, Threads } from './threads.js';
import type { ImportedMemory } from './wasm/encoder.js';
import { type WasmMemory, webAssembly } from './wasm/webAssembly.js';

const pageBytes = 65_536;

/** Pages of 64 KiB that WebAssembly can address: 4 GiB. */
const mostPages = 65_536;

/** Largest sizes to ask for, one after the other: telephones and 32-bit systems do not give 4 GiB. */
const sizes = [mostPages, mostPages / 2, mostPages / 4, mostPages / 8];

/** The memory grows by at least so many pages, since growing takes a call of the system. */
const leastGrowth = 256;

/** A cache line, and the widest vector. */
const alignment = 64;

/** Bytes at the beginning that no block takes, for control of threads. */
const reserved = 65_536;

interface Gap {
  readonly offset: number;
  readonly bytes: number;
}

/** The one memory of the engine, from which it takes blocks. */
export class Heap {
  readonly memory: WasmMemory;
  readonly limits: ImportedMemory;
  /** Counts how often views of the memory have become invalid; those of shared memory never do. */
  generation = 0;
  /** Free pieces between blocks, by place. */
  #gaps: Gap[] = [];
  /** Where the part begins that no block has taken yet. */
  #end = reserved;
  #blocks = 0;
  #used = 0;
  readonly #threadOptions: ThreadOptions;
  #threads: Threads | null = null;

  /** @throws {EngineError} if there is no address space for it */
  constructor(shared: boolean, options: Partial<ThreadOptions> = {}) {
    this.#threadOptions = { start: startThread, patience: 60_000, ...options };
    const { memory, most } = largestMemory(shared);
    this.memory = memory;
    this.limits = { shared, most };
    this.bytes = most * pageBytes - reserved;
  }

  /** The threads that compute in this memory, if it is shared. */
  get threads(): Threads {
    this.#threads ??= new Threads(this.memory, this.#threadOptions);
    return this.#threads;
  }

  /** Bytes that blocks can take in all. */
  readonly bytes: number;

  /** Why it is not more, for messages. */
  get reason(): string {
    return this.limits.most === mostPages ? 'WebAssembly addresses no more' : 'this system gives WebAssembly no more';
  }

  /** Bytes of the blocks that are not free. */
  get used(): number {
    return this.#used;
  }

  /** Number of blocks that are not free. */
  get blocks(): number {
    return this.#blocks;
  }

  /** @throws {MemoryError} if it does not fit */
  allocate(bytes: number): number {
    const size = Math.ceil(Math.max(1, bytes) / alignment) * alignment;
    let best = -1;
    this.#gaps.forEach((gap, i) => {
      if (gap.bytes >= size && (best < 0 || gap.bytes < this.#gaps[best].bytes)) best = i;
    });
    let offset = this.#end;
    if (best >= 0) {
      const gap = this.#gaps[best];
      offset = gap.offset;
      const rest = gap.bytes > size ? [{ offset: offset + size, bytes: gap.bytes - size }] : [];
      this.#gaps.splice(best, 1, ...rest);
    } else {
      this.#reserve(offset + size, bytes);
      this.#end = offset + size;
    }
    this.#blocks++;
    this.#used += size;
    return offset;
  }

  free(offset: number, bytes: number): void {
    const size = Math.ceil(Math.max(1, bytes) / alignment) * alignment;
    this.#blocks--;
    this.#used -= size;
    let at = this.#gaps.findIndex((gap) => gap.offset > offset);
    if (at < 0) at = this.#gaps.length;
    let merged = { offset, bytes: size };
    const before = this.#gaps[at - 1];
    const after = this.#gaps[at];
    const [joinsBefore, joinsAfter] = [
      before && before.offset + before.bytes === offset,
      after?.offset === offset + size,
    ];
    if (joinsBefore) merged = { offset: before.offset, bytes: before.bytes + size };
    if (joinsAfter) merged = { ...merged, bytes: merged.bytes + after.bytes };
    this.#gaps.splice(at - (joinsBefore ? 1 : 0), (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0), merged);
    if (merged.offset + merged.bytes === this.#end) {
      this.#end = merged.offset;
      this.#gaps.pop();
    }
  }

  #reserve(end: number, bytes: number): void {
    const pages = this.memory.buffer.byteLength / pageBytes;
    const wanted = Math.ceil(end / pageBytes);
    if (wanted <= pages) return;
    const { most } = this.limits;
    const targets = wanted > most ? [] : [Math.min(most, Math.max(wanted, pages + leastGrowth)), wanted];
    for (const target of targets) {
      try {
        this.memory.grow(target - pages);
        if (!this.limits.shared) this.generation++;
        return;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
    throw new MemoryError(
      `[portable] memory: expected room for ${formatBytes(bytes)} beside ${formatBytes(this.#end)}, got none: ` +
        `WebAssembly has at most ${formatBytes(this.limits.most * pageBytes)} here; take a smaller batch`,
    );
  }
}

/** @throws {EngineError} if the system gives none of the sizes */
function largestMemory(shared: boolean): { readonly memory: WasmMemory; readonly most: number } {
  let cause: unknown = null;
  for (const most of sizes) {
    try {
      return { memory: new webAssembly.Memory({ initial: leastGrowth, maximum: most, shared }), most };
    } catch (error) {
      cause = error;
    }
  }
  const least = formatBytes(sizes[sizes.length - 1] * pageBytes);
  throw new EngineError(`[portable] memory: expected ${least} of address space, got none`, { cause });
}

/** A block of the heap. */
export class HeapBlock implements Memory {
  readonly offset: number;
  #freed = false;

  constructor(
    readonly heap: Heap,
    readonly bytes: number,
  ) {
    this.offset = heap.allocate(bytes);
  }

  array(dtype: DType, offset: number, length: number): TypedArray {
    if (offset + length * bytesPerElement(dtype) > this.bytes) {
      throw new EngineError(`[portable] memory: expected at most ${this.bytes} bytes, got a view of more`);
    }
    return viewOf(dtype, this.heap.memory.buffer as ArrayBuffer, this.offset + offset, length);
  }

  free(): void {
    if (!this.#freed) this.heap.free(this.offset, this.bytes);
    this.#freed = true;
  }
}
