import { type GraphNode, inputOf, isOp } from '../graph.js';

/**
 * Whether a node computes the gradient of a ReLU from the output of `relu`, which may be an add with a ReLU
 * on top.
 */
export function isReluBackwardOf(node: GraphNode, relu: GraphNode): boolean {
  return isOp(node, 'unaryBackward') && node.params.fn === 'relu' && inputOf(node, 'y') === relu.outputs[0];
}

/** Backward nodes of training batch norms, by the node that computes the mask. */
export function normBackwards(nodes: readonly GraphNode[]): Map<GraphNode | null, GraphNode<'batchNormBackward'>> {
  const backwards = new Map<GraphNode | null, GraphNode<'batchNormBackward'>>();
  for (const node of nodes) if (isOp(node, 'batchNormBackward')) backwards.set(inputOf(node, 'mask').producer, node);
  return backwards;
}
