import { InternalError } from '../../errors.js';
import { allocate, bytesPerElement, type DType, isAllFinite, type TypedArray, viewOf } from '../../graph/dtype.js';
import { numel } from '../../graph/shape.js';
import type { DeviceBuffer } from '../../graph/storage.js';
import { ArgBlock, args, MemoryDesc, MemoryHandle, makeExecutor, NativeMemory, Primitive } from './ffi.js';

const collector = new FinalizationRegistry<NativeMemory>((memory) => memory.free());

/** Long-lived data (a parameter, a state) in native memory and in the layout that the kernels like. */
export class ResidentBuffer implements DeviceBuffer {
  readonly memory: NativeMemory;
  /** Whether all numbers are finite; `null` as long as nobody has looked since they were written. */
  finite: boolean | null = null;
  #view: TypedArray | null = null;

  /** With a bfloat16 layout it is a copy for kernels, which is neither read nor written from outside. */
  constructor(readonly desc: MemoryDesc) {
    this.memory = new NativeMemory(desc.size);
    // The views made below die before this object does, so the memory goes with it.
    collector.register(this, this.memory);
  }

  read(): TypedArray {
    const { desc } = this;
    const data = allocate(typeOf(desc), numel(desc.shape));
    if (desc.isPlain()) data.set(viewAs(this.memory, desc));
    else {
      const plain = MemoryDesc.plain(desc.shape, desc.dtype);
      const copy = new NativeMemory(plain.size);
      reorder(this.memory, desc, copy, plain);
      data.set(viewAs(copy, plain));
      copy.free();
    }
    return data;
  }

  write(data: TypedArray): void {
    const { desc } = this;
    this.finite = null;
    const plain = MemoryDesc.plain(desc.shape, desc.dtype === 'bfloat16' ? 'float32' : desc.dtype);
    if (desc.equals(plain)) viewAs(this.memory, desc).set(data);
    else {
      const copy = new NativeMemory(plain.size);
      viewAs(copy, plain).set(data);
      reorder(copy, plain, this.memory, desc);
      copy.free();
    }
  }

  isFinite(): boolean {
    // Padding is 0, so that all of the memory may be looked at.
    this.#view ??= viewOf('float32', this.memory.view(0, this.desc.size), 0, this.desc.size / 4);
    this.finite ??= this.desc.dtype !== 'float32' || isAllFinite(this.#view);
    return this.finite;
  }

  /** Gives the memory back before the garbage collector would; nobody may use this object any more. */
  free(): void {
    this.memory.free();
  }

  /** The same data in another layout. */
  converted(desc: MemoryDesc): ResidentBuffer {
    const other = new ResidentBuffer(desc);
    if (sameAxes(this.desc, desc)) reorder(this.memory, this.desc, other.memory, desc);
    else other.write(this.read());
    return other;
  }
}

function sameAxes(a: MemoryDesc, b: MemoryDesc): boolean {
  return a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);
}

function viewAs(memory: NativeMemory, desc: MemoryDesc): TypedArray {
  const length = numel(desc.shape);
  return viewOf(typeOf(desc), memory.view(0, length * bytesPerElement(desc.dtype)), 0, length);
}

function typeOf({ dtype }: MemoryDesc): DType {
  if (dtype === 'bfloat16') throw new InternalError('a copy in bfloat16 was read');
  return dtype;
}

function reorder(from: NativeMemory, fromDesc: MemoryDesc, to: NativeMemory, toDesc: MemoryDesc): void {
  const primitive = Primitive.reorder(fromDesc, toDesc);
  if (primitive === null) throw new InternalError(`no reorder from ${fromDesc} to ${toDesc}`);
  const scratchDesc = primitive.optionalLayout('scratchpad');
  const parts: [number, MemoryDesc, NativeMemory][] = [
    [args.src, fromDesc, from],
    [args.dst, toDesc, to],
  ];
  const scratch = scratchDesc === null ? null : new NativeMemory(scratchDesc.size);
  if (scratchDesc !== null && scratch !== null) parts.push([args.scratchpad, scratchDesc, scratch]);
  const list = parts.map(([argument, desc, memory]) => {
    const handle = new MemoryHandle(desc);
    handle.point(memory, 0);
    return [argument, handle] as const;
  });
  const block = new ArgBlock([list]);
  makeExecutor()(primitive, list.length, block.addressOf(0));
  for (const [, handle] of list) handle.destroy();
  scratch?.free();
  primitive.destroy();
}
