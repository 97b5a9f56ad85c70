import type { Shape } from '../../graph/shape.js';
import { countUses, type Graph, GraphNode, type GraphValue, isOp, keep, rewrite } from '../graph.js';
import { bothOrders, isAdd } from './sums.js';

/**
 * Joins the two gradients of the features that a squeeze and excitation (Hu et al., 2018) scales: by the
 * channels' factors, and through their means over all pixels. Both are affine functions of one array, so that
 * the sum takes one pass over it, once the gradients of the factors are known.
 *
 * @param adds whether there is a kernel for features of a shape
 */
export function fuseExcitation(graph: Graph, adds: (shape: Shape) => boolean): Graph {
  const uses = countUses(graph);
  const isUsedOnce = (value: GraphValue) => uses.get(value) === 1;
  return rewrite(graph, (node, inputs) => {
    const found = adds(node.outputs[0].shape) && isAdd(node) ? gradientsOf(node, isUsedOnce) : null;
    if (found === null) return keep(node, inputs);
    const [scaled, pooled] = found.map((value) => inputs[node.inputs.indexOf(value)]);
    const { producer } = scaled;
    const { producer: pooling } = pooled;
    if (producer === null || pooling === null) return keep(node, inputs);
    const [, scale, dy] = producer.inputs;
    const [dMean] = pooling.inputs;
    const [, , height, width] = node.outputs[0].shape;
    const share = new GraphNode(
      'affine',
      { scale: 1 / (height * width), shift: 0 },
      [dMean],
      [{ shape: dMean.shape, dtype: 'float32' }],
    );
    const sum = new GraphNode('scaleChannels', {}, [dy, scale, share.outputs[0]], node.outputs);
    return { nodes: [share as unknown as GraphNode, sum as unknown as GraphNode], outputs: sum.outputs };
  });
}

/** The gradients through the factors and through the means; `null` for another sum. */
function gradientsOf(
  node: GraphNode<'binary'>,
  isUsedOnce: (value: GraphValue) => boolean,
): readonly [GraphValue, GraphValue] | null {
  if (node.params.activation !== undefined) return null;
  for (const [a, b] of bothOrders(node)) {
    const isScaled = isOp(a.producer, 'scaleChannelsBackward') && a.index === 0;
    if (isScaled && isGlobalMean(b.producer) && isUsedOnce(a) && isUsedOnce(b)) return [a, b];
  }
  return null;
}

function isGlobalMean(node: GraphNode | null): boolean {
  if (!isOp(node, 'avgPool2dBackward')) return false;
  const { kernel, inputShape, padding } = node.params;
  return kernel[0] === inputShape[2] && kernel[1] === inputShape[3] && padding.every((n) => n === 0);
}
