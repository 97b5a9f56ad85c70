import { assembleWasm, type WasmTarget } from './assembler.js';
import type { ImportedMemory } from './encoder.js';
import { webAssembly } from './webAssembly.js';

/**
 * Whether the compiler leaves instructions in the order of the code. V8's does so since the end of 2024. No
 * feature of WebAssembly came with it, so this asks for a function of JavaScript that is a little younger.
 */
const keepsOrder = 'escape' in RegExp;

/** The WebAssembly of this machine, over a memory; `null` if it has no vectors of 128 bits. */
export function wasmTarget(memory: ImportedMemory): WasmTarget | null {
  const compiles = (fuses: boolean) =>
    webAssembly.validate(
      assembleWasm(1, (to, [x]) => to.addProduct(to.zero(), to.load(x), to.load(x)), { memory, fuses, keepsOrder }),
    );
  if (!compiles(false)) return null;
  // The older compilers put products and sums into a better order than fused ones.
  return { memory, fuses: keepsOrder && compiles(true), keepsOrder };
}
