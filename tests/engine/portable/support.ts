import type { Engine } from '../../../src/engine/engine.js';
import { PortableBackend } from '../../../src/engine/portable/backend.js';
import { PortableEngine } from '../../../src/engine/portable/engine.js';
import { Heap } from '../../../src/engine/portable/heap.js';
import { wasmTarget } from '../../../src/engine/portable/wasm/target.js';
import { realizeAll } from '../../../src/tensor/evaluate.js';
import { Tensor } from '../../../src/tensor/tensor.js';
import { type Build, contracted, type Input, tensorsOf } from '../../engines.js';

const heap = new Heap(true);
const found = wasmTarget(heap.limits);
if (found === null) throw new Error('this machine has no WebAssembly with vectors');
const machine = found;

/** An engine over the memory that all engines of a test file share, with fused multiply-add if the machine has it. */
export function engineWith({ fuses = true, threads = 1 }): PortableEngine {
  return new PortableEngine(new PortableBackend(heap, { ...machine, fuses: fuses && machine.fuses }), threads);
}

/** Machines with and without fused multiply-add, on one thread and several. */
export const machines = [
  { fuses: true, threads: 1 },
  { fuses: true, threads: 3 },
  { fuses: false, threads: 2 },
] as const;

/**
 * Outputs of a graph and the gradients of its inputs, under random cotangents.
 *
 * @param choose makes the engine the current one; test files have to replace that themselves
 */
export async function computedOn(
  engine: Engine,
  choose: (engine: Engine) => void,
  { build, inputs }: { readonly build: Build; readonly inputs: readonly Input[] },
) {
  choose(engine);
  const tensors = tensorsOf(inputs);
  const outputs = [build(...tensors)].flat() as Tensor[];
  contracted(outputs)?.backward();
  const gradients = tensors.flatMap((tensor) =>
    'grad' in tensor && tensor.grad instanceof Tensor ? [tensor.grad] : [],
  );
  const all = [...outputs, ...gradients];
  await realizeAll(all);
  return Promise.all(all.map((tensor) => tensor.data()));
}
