import type { TaskKernel } from './kernels/conv.js';
import { assembleWasm, type WasmTarget } from './wasm/assembler.js';
import { type WasmInstance, type WasmMemory, type WasmModule, webAssembly } from './wasm/webAssembly.js';

export type Run = WasmInstance['exports']['run'];

/** A kernel as code, made ready when it is first needed. */
export class Kernel {
  readonly code: Uint8Array<ArrayBuffer>;
  #module: WasmModule | null = null;
  #run: Run | null = null;

  constructor(
    readonly name: string,
    readonly operands: number,
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
}
