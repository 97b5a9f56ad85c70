import type { GraphNode, GraphValue } from '../../../compiler/graph.js';
import { InternalError } from '../../../errors.js';
import type { Activation } from '../../../graph/op.js';
import { args, MemoryDesc, type Operation, type PostOp, Primitive } from '../ffi.js';
import type { Lowering, Operand } from '../lowering.js';

/**
 * A primitive that must exist. Only an op with an alternative may ask for one that the library may not have.
 */
export function required<T>(kernel: T | null, op: string): T {
  if (kernel === null) throw new InternalError(`there is no kernel for ${op}`);
  return kernel;
}

/** A backward primitive, which the library derives from the forward one. */
export function derived(context: Lowering, forward: Operation, backward: Operation, op: string): Primitive {
  const hint = context.own(required(Primitive.create(forward), op));
  return required(Primitive.create(backward, {}, hint), op);
}

/** The layout of the bias for that number of outputs, or of no bias. */
export const biasDesc = (outputs: number, exists: boolean): MemoryDesc =>
  exists ? MemoryDesc.plain([outputs], 'float32') : MemoryDesc.none();

/** The same memory with the axes that a kernel expects. */
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
