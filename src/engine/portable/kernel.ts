import type { TaskKernel } from '../kernels/taskKernel.js';
import { type Heap, HeapBlock } from './heap.js';
import { assembleWasm, type WasmTarget } from './wasm/assembler.js';
import { type Run, type WasmMemory, type WasmModule, webAssembly } from './wasm/webAssembly.js';

let made = 0;

/** A kernel as code, made ready when it is first needed. */
export class Kernel {
  /** Distinguishes kernels for threads. */
  readonly id = ++made;
  readonly code: Uint8Array<ArrayBuffer>;
  #block: HeapBlock | null = null;
  #module: WasmModule | null = null;
  #run: Run | null = null;

  constructor(
    operands: number,
    readonly shape: TaskKernel,
    target: WasmTarget,
  ) {
    this.code = assembleWasm(operands, shape.emit, target);
  }

  /** The function `run(operands…, first task, end of tasks)` over the engine's memory. */
  over(memory: WasmMemory): Run {
    this.#module ??= new webAssembly.Module(this.code);
    this.#run ??= new webAssembly.Instance(this.#module, { env: { memory } }).exports.run;
    return this.#run;
  }

  /** The code in the engine's memory, where other threads find it. */
  shared(heap: Heap): HeapBlock {
    if (this.#block === null) {
      this.#block = new HeapBlock(heap, this.code.length);
      this.#block.array('uint8', 0, this.code.length).set(this.code);
    }
    return this.#block;
  }

  destroy(): void {
    this.#block?.free();
    this.#block = null;
  }
}
