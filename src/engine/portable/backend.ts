import type { StoredDType } from '../../graph/dtype.js';
import type { Shape } from '../../graph/shape.js';
import type { TaskKernel } from '../kernels/taskKernel.js';
import type { Backend, Call, LinkedCalls, Place } from '../planned/backend.js';
import type { CallStep, ProgramBuffer } from '../planned/steps.js';
import { runKernel } from '../reference/engine.js';
import { type Heap, HeapBlock } from './heap.js';
import { Kernel } from './kernel.js';
import { copyKernel } from './kernels/copy.js';
import { Layout } from './layout.js';
import type { WasmTarget } from './wasm/assembler.js';

/** A kernel made for a number of threads. */
export class KernelCall implements Call<Layout> {
  readonly checksFinite = false;
  readonly wroteFinite = null;
  readonly scratch: Layout | null;

  /** @param implementation the name of the kernel */
  constructor(
    readonly implementation: string,
    readonly kernel: Kernel,
    readonly threads: number,
  ) {
    const bytes = kernel.shape.scratch * threads;
    this.scratch = bytes === 0 ? null : Layout.plain([bytes / Float32Array.BYTES_PER_ELEMENT]);
  }

  destroy(): void {
    this.kernel.destroy();
  }
}

export type PortableStep = CallStep<Layout, KernelCall>;

/** WebAssembly for the room that plans and runs programs. */
export class PortableBackend implements Backend<Layout, KernelCall, HeapBlock> {
  readonly name = 'portable';
  readonly compute = runKernel;
  /** The threads for kernels that are made, or run, from now on. */
  threads = 1;
  /** Most threads that a kernel has run on. */
  threadsUsed = 1;

  constructor(
    readonly heap: Heap,
    readonly target: WasmTarget,
  ) {}

  get generation(): number {
    return this.heap.generation;
  }

  plainLayout(shape: Shape, dtype: StoredDType): Layout {
    return Layout.plain(shape, dtype);
  }

  /** Makes the code of a kernel. */
  kernel(operands: number, shape: TaskKernel): Kernel {
    return new Kernel(operands, shape, this.target);
  }

  /** A kernel for the number of threads at hand. */
  call(name: string, kernel: Kernel): KernelCall {
    return new KernelCall(name, kernel, this.threads);
  }

  /** Moves elements of four bytes of any type; no other layout than the plain one has smaller ones. */
  reorder(from: Layout, to: Layout): KernelCall | null {
    const [source, target] = [from.strides, to.strides];
    const axes = from.shape.map((length, axis) => {
      const sizes = [from, to].map(({ block }) => (block?.axis === axis ? block.size : 0));
      return { length, from: source[axis], to: target[axis], block: Math.max(...sizes) };
    });
    const cleared = to.isPadded ? to.size / Float32Array.BYTES_PER_ELEMENT : 0;
    return this.call('copy', this.kernel(2, copyKernel({ axes, from: 0, to: 0, cleared })));
  }

  allocate(bytes: number): HeapBlock {
    return new HeapBlock(this.heap, bytes);
  }

  link(steps: readonly PortableStep[]): LinkedCalls<Layout, KernelCall, HeapBlock> {
    return new Linked(steps, this);
  }

  useThreads(count: number): void {
    this.threads = count;
  }
}

/** The kernels of a program, and the addresses of their operands. */
class Linked implements LinkedCalls<Layout, KernelCall, HeapBlock> {
  readonly #addresses = new Map<PortableStep, number[]>();
  readonly #backend: PortableBackend;

  constructor(steps: readonly PortableStep[], backend: PortableBackend) {
    this.#backend = backend;
    for (const step of steps) {
      this.#addresses.set(
        step,
        step.operands.map(() => 0),
      );
    }
  }

  point(locate: (buffer: ProgramBuffer) => Place<HeapBlock> | null): void {
    for (const [{ operands }, addresses] of this.#addresses) {
      operands.forEach(({ buffer }, i) => {
        const place = locate(buffer);
        if (place !== null) addresses[i] = place.memory.offset + place.offset;
      });
    }
  }

  runnerOf(step: PortableStep): () => void {
    const { kernel } = step.call;
    const run = kernel.over(this.#backend.heap.memory);
    const addresses = this.#addresses.get(step) as number[];
    const { tasks } = kernel.shape;
    const { threads } = step;
    if (threads === 1) return () => run(...addresses, 0, tasks);
    const backend = this.#backend;
    const { heap } = backend;
    const { scratch, preparesMuch = false } = kernel.shape;
    const work = { id: kernel.id, tasks, scratch, preparesMuch, run, code: () => kernel.shared(heap) };
    return () => {
      const used = heap.threads.run(work, addresses, threads);
      backend.threadsUsed = Math.max(backend.threadsUsed, used);
    };
  }

  get bytes(): number {
    return [...this.#addresses.keys()].reduce((sum, { call }) => sum + call.kernel.code.length, 0);
  }

  destroy(): void {}
}
