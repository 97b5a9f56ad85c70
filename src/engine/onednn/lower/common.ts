import type { GraphNode, GraphValue } from '../../../compiler/graph.js';
import { InternalError } from '../../../errors.js';
import type { Activation } from '../../../graph/op.js';
import { args, MemoryDesc, type PostOp, Primitive } from '../ffi.js';
import type { Lowering, Operand } from '../lowering.js';

/** Primitives that the library must have; only an op with an alternative may ask for others. */
export function required<T>(kernel: T | null, op: string): T {
  if (kernel === null) throw new InternalError(`there is no kernel for ${op}`);
  return kernel;
}

/** A backward primitive, which the library derives from the forward one. */
export function derived(context: Lowering, forward: Uint8Array, backward: Uint8Array, op: string): Primitive {
  const hint = context.own(required(Primitive.create(forward), op));
  return required(Primitive.create(backward, {}, hint), op);
}

/** The bias of so many outputs, or none. */
export const biasDesc = (outputs: number, exists: boolean): MemoryDesc =>
  exists ? MemoryDesc.plain([outputs], 'float32') : MemoryDesc.none();

/** The same memory with the axes that a kernel sees. */
export const seenAs = ({ buffer }: Operand, layout: MemoryDesc): Operand => ({ buffer, layout });

/** A kernel's name in profiles: `conv2d+relu`. */
export function nameWith(op: string, activation: Activation | undefined): string {
  return activation === undefined ? op : `${op}+${activation.fn}`;
}

/** The activation as an operation on the kernel's own result. */
export function postOpsOf(activation: Activation | undefined): PostOp[] {
  return activation === undefined ? [] : [{ kind: 'eltwise', fn: activation.fn, alpha: activation.alpha, beta: 0 }];
}

/** Where a kernel puts the gradients of the weights, in its layout, and of the bias if the node has one. */
export function weightGradients(
  context: Lowering,
  { outputs }: GraphNode,
  weightLayout: MemoryDesc,
): [number, Operand][] {
  const [dWeight, dBias] = outputs as readonly [GraphValue, GraphValue?];
  const writes: [number, Operand][] = [[args.diffWeights, context.output(dWeight, weightLayout)]];
  if (dBias !== undefined) {
    writes.push([args.diffBias, context.output(dBias, MemoryDesc.plain(dBias.shape, 'float32'))]);
  }
  return writes;
}
