import type { Activation } from '../graph/op.js';
import {
  bypass,
  collectUsers,
  type Graph,
  GraphNode,
  type GraphValue,
  keep,
  type Replacement,
  rewrite,
} from './graph.js';

/** Functions that never decrease, so that the maximum of the results is the result of the maximum. */
const monotonic = new Set<Activation['fn']>(['relu', 'relu6', 'leakyRelu', 'sigmoid', 'tanh']);
/** Functions that cost as much as a convolution's output, not just a comparison. */
const expensive = new Set<Activation['fn']>(['sigmoid', 'tanh']);

interface Sinking {
  readonly activation: GraphNode<'unary'>;
  readonly pool: GraphNode<'maxPool2d'>;
  readonly poolBackward: GraphNode<'maxPool2dBackward'> | null;
  readonly activationBackward: GraphNode<'unaryBackward'> | null;
}

/**
 * Moves an activation from before a max pooling to behind it, forward and backward: the same values from a quarter of
 * the work, and the large array before the pooling need not be kept for the gradient.
 */
export function sinkActivations(graph: Graph): Graph {
  const users = collectUsers(graph);
  const roles = new Map<GraphNode, Sinking>();
  for (const node of graph.nodes) {
    if (node.op !== 'unary') continue;
    const sinking = findSinking(node as GraphNode<'unary'>, users);
    if (sinking === null) continue;
    const { activation, pool, poolBackward, activationBackward } = sinking;
    for (const member of [activation, pool, poolBackward, activationBackward]) {
      if (member !== null) roles.set(member as GraphNode, sinking);
    }
  }
  /** Activations in their new place, by the pooling they follow. */
  const sunk = new Map<GraphNode, GraphNode>();
  return rewrite(graph, (node, inputs): Replacement => {
    const sinking = roles.get(node);
    if (sinking === undefined) return keep(node, inputs);
    switch (node) {
      case sinking.pool: {
        const pool = new GraphNode(node.op, node.params, inputs, node.outputs);
        const [pooled, argmax] = pool.outputs;
        const activation = new GraphNode('unary', sinking.activation.params, [pooled], [pooled]);
        sunk.set(node, activation as GraphNode);
        return { nodes: [pool, activation as GraphNode], outputs: [activation.outputs[0], argmax] };
      }
      case sinking.poolBackward: {
        const [dy, argmax] = inputs;
        const y = (sunk.get(sinking.pool as GraphNode) as GraphNode).outputs[0];
        const { params } = sinking.activationBackward as GraphNode<'unaryBackward'>;
        const activation = new GraphNode('unaryBackward', params, [dy, y], [y]);
        const pool = new GraphNode(node.op, node.params, [activation.outputs[0], argmax], node.outputs);
        return { nodes: [activation as GraphNode, pool], outputs: pool.outputs };
      }
      default:
        // The activation and its gradient leave their old places.
        return bypass(inputs[0]);
    }
  });
}

function findSinking(
  activation: GraphNode<'unary'>,
  users: ReadonlyMap<GraphValue, readonly (GraphNode | null)[]>,
): Sinking | null {
  if (!monotonic.has(activation.params.fn)) return null;
  const [y] = activation.outputs;
  const followers = users.get(y) ?? [];
  const pool = followers.find((user) => user?.op === 'maxPool2d') as GraphNode<'maxPool2d'> | undefined;
  if (pool === undefined) return null;
  if (followers.length === 1) {
    // Without a gradient a cheap function is better off inside the kernel of the convolution before it.
    const trained = (users.get(pool.outputs[1]) ?? []).length > 0;
    if (trained || !expensive.has(activation.params.fn)) return null;
    return { activation, pool, poolBackward: null, activationBackward: null };
  }
  const backward = followers.find((user) => user?.op === 'unaryBackward') as GraphNode<'unaryBackward'> | undefined;
  if (followers.length !== 2 || backward === undefined || backward.inputs[1] !== y) return null;
  const poolBackward = backward.inputs[0].producer as GraphNode | null;
  const matches =
    poolBackward?.op === 'maxPool2dBackward' &&
    poolBackward.inputs[1] === pool.outputs[1] &&
    (users.get(poolBackward.outputs[0]) ?? []).length === 1 &&
    (users.get(pool.outputs[1]) ?? []).length === 1;
  if (!matches) return null;
  return {
    activation,
    pool,
    poolBackward: poolBackward as GraphNode as GraphNode<'maxPool2dBackward'>,
    activationBackward: backward,
  };
}
