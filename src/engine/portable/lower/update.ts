import type { GraphNode } from '../../../compiler/graph.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { adamKernel, averageKernel, momentumKernel, sgdKernel } from '../kernels/update.js';
import { Layout } from '../layout.js';
import type { Lower, Lowering } from '../lowering.js';

/**
 * Updates a parameter and its states in place. The order of elements does not matter if all have the same
 * layout. Padding stays zero in every update.
 *
 * @param states the inputs that are updated, in the order of the outputs; the gradient is input 1
 */
function update(
  context: Lowering,
  node: GraphNode,
  states: readonly number[],
  make: (count: number) => TaskKernel,
): void {
  const [parameter, gradient] = node.inputs;
  const { layout } = context.locate(parameter);
  const updated = states.map((at, i) => context.updateInPlace(node.inputs[at], node.outputs[i], layout));
  const [target, ...others] = updated;
  const scalars = node.inputs.slice(states.length + 1).map((input) => context.plain(input));
  const operands = [target, context.inLayout(gradient, layout), ...others, ...scalars];
  context.run(node.op, make(layout.size / Float32Array.BYTES_PER_ELEMENT), operands, updated);
}

export const sgdUpdate: Lower<'sgdUpdate'> = (context, node) =>
  update(context, node as GraphNode, [0], (count) => context.generate(sgdKernel, count, node.params));

export const momentumUpdate: Lower<'momentumUpdate'> = (context, node) =>
  update(context, node as GraphNode, [0, 2], (count) => context.generate(momentumKernel, count, node.params));

export const adamUpdate: Lower<'adamUpdate'> = (context, node) =>
  update(context, node as GraphNode, [0, 2, 3], (count) => context.generate(adamKernel, count, node.params));

/** Writes in place, where the statistics are stored: one number per channel. */
export const runningAverage: Lower<'runningAverage'> = (context, node) => {
  const [running, batch] = node.inputs;
  const target = context.updateInPlace(running, node.outputs[0], Layout.plain(running.shape));
  const kernel = context.generate(averageKernel, target.layout.size / Float32Array.BYTES_PER_ELEMENT, node.params);
  context.run(node.op, kernel, [target, context.plain(batch)], [target]);
};
