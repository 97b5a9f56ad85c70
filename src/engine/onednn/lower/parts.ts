import type { GraphNode, GraphValue } from '../../../compiler/graph.js';
import { InternalError } from '../../../errors.js';
import type { Activation } from '../../../graph/op.js';
import { args, MemoryDesc, type PostOp } from '../ffi.js';
import type { Lowering } from '../lowering.js';
import type { Placed } from '../steps.js';

/** Primitives that the library must have; only an op with an alternative may ask for others. */
export function required<T>(kernel: T | null, op: string): T {
  if (kernel === null) throw new InternalError(`there is no kernel for ${op}`);
  return kernel;
}

/** A kernel's name in profiles: `conv2d+relu`. */
export function nameWith(op: string, activation: Activation | undefined): string {
  return activation === undefined ? op : `${op}+${activation.fn}`;
}

/** What a kernel does with its own result. */
export function postOpsOf(activation: Activation | undefined): PostOp[] {
  return activation === undefined ? [] : [{ kind: 'eltwise', fn: activation.fn, alpha: activation.alpha, beta: 0 }];
}

/** Where a kernel puts the gradients of the weights, in its layout, and of the bias if the node has one. */
export function weightGradients(
  context: Lowering,
  { outputs }: GraphNode,
  weightLayout: MemoryDesc,
): [number, Placed][] {
  const [dWeight, dBias] = outputs as readonly [GraphValue, GraphValue?];
  const writes: [number, Placed][] = [[args.diffWeights, context.output(dWeight, weightLayout)]];
  if (dBias !== undefined) {
    writes.push([args.diffBias, context.output(dBias, MemoryDesc.plain(dBias.shape, 'float32'))]);
  }
  return writes;
}
