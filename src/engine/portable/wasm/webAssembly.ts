/** The parts of WebAssembly that this room uses: the project has no types of the DOM. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Adds pages of 64 KiB. @throws {RangeError} if there is not enough memory */
  grow(pages: number): number;
}

export interface WasmModule {
  readonly module: 'WebAssembly.Module';
}

interface WasmInstance {
  readonly exports: { readonly run: (...operands: readonly number[]) => void };
}

/** Runs tasks of a kernel: `run(operands…, first task, end of tasks)`. */
export type Run = WasmInstance['exports']['run'];

interface WebAssembly {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: boolean;
  }) => WasmMemory;
  readonly Module: new (code: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => WasmInstance;
  validate(code: Uint8Array): boolean;
}

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssembly }).WebAssembly;
