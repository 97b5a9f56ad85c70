import { InternalError } from '../../errors.js';
import { allocate, type DType, isAllFinite, type TypedArray } from '../../graph/dtype.js';
import { numel, sameShape } from '../../graph/shape.js';
import type { DeviceBuffer } from '../../graph/storage.js';
import type { Backend, Call, Memory, Place } from './backend.js';
import type { Layout } from './layout.js';
import type { CallStep, ProgramBuffer } from './steps.js';

let buffers = 0;

const collector = new FinalizationRegistry<Memory>((memory) => memory.free());

/** Long-lived data (a parameter, a state) in the engine's memory and in the layout that its kernels like. */
export class ResidentBuffer<L extends Layout<L>, C extends Call<L>, M extends Memory> implements DeviceBuffer {
  readonly memory: M;
  /** Distinguishes buffers without a reference to one. */
  readonly id = ++buffers;
  /** Whether all numbers are finite; `null` if nothing has looked since they were written. */
  finite: boolean | null = null;
  #view: TypedArray | null = null;
  #generation = -1;

  /** @param layout of bfloat16 for a copy that only kernels read */
  constructor(
    readonly backend: Backend<L, C, M>,
    readonly layout: L,
  ) {
    this.memory = backend.allocate(layout.size);
    // The views below die before this object does, so the memory may go along with it.
    collector.register(this, this.memory);
  }

  read(): TypedArray {
    const { layout, backend } = this;
    const data = allocate(typeOf(layout), numel(layout.shape));
    if (layout.isPlain()) data.set(arrayOf(this.memory, layout));
    else {
      const plain = backend.plainLayout(layout.shape, layout.dtype);
      const copy = backend.allocate(plain.size);
      convert(backend, this.memory, layout, copy, plain);
      data.set(arrayOf(copy, plain));
      copy.free();
    }
    return data;
  }

  write(data: TypedArray): void {
    const { layout, backend } = this;
    this.finite = null;
    const plain = backend.plainLayout(layout.shape, layout.dtype === 'bfloat16' ? 'float32' : layout.dtype);
    if (layout.equals(plain)) arrayOf(this.memory, layout).set(data);
    else {
      const copy = backend.allocate(plain.size);
      arrayOf(copy, plain).set(data);
      convert(backend, copy, plain, this.memory, layout);
      copy.free();
    }
  }

  isFinite(): boolean {
    this.finite ??= this.layout.dtype !== 'float32' || isAllFinite(this.#everything());
    return this.finite;
  }

  /** Frees the memory before the garbage collector would; the object must not be used any more. */
  free(): void {
    this.memory.free();
  }

  /** The same data in another layout. */
  converted(layout: L): ResidentBuffer<L, C, M> {
    const other = new ResidentBuffer(this.backend, layout);
    if (sameShape(this.layout.shape, layout.shape))
      convert(this.backend, this.memory, this.layout, other.memory, layout);
    else other.write(this.read());
    return other;
  }

  /** All of the memory: padding is 0. */
  #everything(): TypedArray {
    const { generation } = this.backend;
    if (this.#view === null || this.#generation !== generation) {
      this.#view = this.memory.array('float32', 0, this.layout.size / Float32Array.BYTES_PER_ELEMENT);
      this.#generation = generation;
    }
    return this.#view;
  }
}

function arrayOf<L extends Layout<L>>(memory: Memory, layout: L): TypedArray {
  return memory.array(typeOf(layout), 0, numel(layout.shape));
}

function typeOf<L extends Layout<L>>({ dtype }: L): DType {
  if (dtype === 'bfloat16') throw new InternalError('a copy in bfloat16 was read');
  return dtype;
}

/** Copies from one layout to another, at once. */
function convert<L extends Layout<L>, C extends Call<L>, M extends Memory>(
  backend: Backend<L, C, M>,
  from: M,
  fromLayout: L,
  to: M,
  toLayout: L,
): void {
  const call = backend.reorder(fromLayout, toLayout);
  if (call === null) throw new InternalError(`no reorder from ${fromLayout} to ${toLayout}`);
  const { scratch: scratchLayout } = call;
  const scratch = scratchLayout === null ? null : backend.allocate(scratchLayout.size);
  const places = new Map<ProgramBuffer, Place<M>>();
  const operandAt = (memory: M, layout: L) => {
    const buffer = { id: places.size, kind: 'arena', bytes: layout.size, source: -1, contents: null } as const;
    places.set(buffer, { memory, offset: 0 });
    return { buffer, layout };
  };
  const [source, target] = [operandAt(from, fromLayout), operandAt(to, toLayout)];
  const extra = scratchLayout === null || scratch === null ? null : operandAt(scratch, scratchLayout);
  const step: CallStep<L, C> = {
    kind: 'call',
    name: 'reorder',
    node: null,
    isConstant: false,
    call,
    threads: 1,
    operands: extra === null ? [source, target] : [source, target, extra],
    reads: [source],
    writes: extra === null ? [target] : [target, extra],
    scratch: extra,
  };
  const linked = backend.link([step]);
  linked.point((buffer) => places.get(buffer) ?? null);
  linked.runnerOf(step)();
  linked.destroy();
  scratch?.free();
  call.destroy();
}
