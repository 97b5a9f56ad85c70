import type { Call } from '../planned/backend.js';
import type { KernelCode } from './code/kernel.js';
import { MachineCode } from './code/machineCode.js';
import { args, MemoryDesc, type Primitive } from './ffi.js';

/** A kernel of the library. */
export class PrimitiveCall implements Call<MemoryDesc> {
  readonly kind = 'primitive';
  readonly checksFinite = false;
  readonly wroteFinite = null;
  readonly scratch: MemoryDesc | null;
  /** The library's number of each operand. */
  readonly args: readonly number[];

  constructor(
    readonly primitive: Primitive,
    operands: readonly number[],
  ) {
    const scratch = primitive.optionalLayout('scratchpad');
    this.scratch = scratch !== null && scratch.size > 0 ? scratch : null;
    this.args = this.scratch === null ? operands : [...operands, args.scratchpad];
  }

  get implementation(): string {
    return this.primitive.implementation;
  }

  destroy(): void {
    this.primitive.destroy();
  }
}

/** Machine code that Fovea generates. */
export class CodeCall implements Call<MemoryDesc> {
  readonly kind = 'code';
  readonly scratch: MemoryDesc | null;
  readonly code: MachineCode;

  /** @param threads that many threads run it at most */
  constructor(kernel: KernelCode, threads: number) {
    this.code = new MachineCode(kernel);
    const bytes = kernel.workingBytes * threads;
    this.scratch = bytes === 0 ? null : MemoryDesc.plain([bytes / Float32Array.BYTES_PER_ELEMENT], 'float32');
  }

  get implementation(): string {
    return this.code.kernel.name;
  }

  get checksFinite(): boolean {
    return this.code.kernel.reportsNonFinite;
  }

  get wroteFinite(): boolean | null {
    return this.code.wroteFinite;
  }

  destroy(): void {
    this.code.destroy();
  }
}

export type OneDnnCall = PrimitiveCall | CodeCall;
