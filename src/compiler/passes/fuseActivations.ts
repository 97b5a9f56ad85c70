import type { UnaryFn } from '../../graph/op.js';
import { unaryFunctions } from '../../graph/unaryFunctions.js';
import { bypass, countUses, type Graph, GraphNode, isOp, keep, replaceBy, rewrite } from '../graph.js';

/**
 * Fuses an activation with the conv2d, linear or add before it, if nothing else reads the value in between.
 * The gradient of an activation is computed from its own output, so that training permits this too.
 *
 * @param absorbs whether kernels compute the function exactly
 */
export function fuseActivations(graph: Graph, absorbs: (fn: UnaryFn) => boolean = () => true): Graph {
  const uses = countUses(graph);
  const followers = new Map<GraphNode, GraphNode<'unary'>>();
  for (const node of graph.nodes) {
    if (!isOp(node, 'unary')) continue;
    const { fn } = node.params;
    if (!unaryFunctions[fn].fusible || !absorbs(fn)) continue;
    const [x] = node.inputs;
    if (x.producer !== null && takesActivation(x.producer) && uses.get(x) === 1) followers.set(x.producer, node);
  }
  const absorbed = new Set<GraphNode>(followers.values());
  return rewrite(graph, (node, inputs) => {
    if (absorbed.has(node)) return bypass(inputs[0]);
    const follower = followers.get(node);
    if (follower === undefined) return keep(node, inputs);
    const params = { ...node.params, activation: follower.params } as GraphNode['params'];
    return replaceBy(new GraphNode(node.op, params, inputs, node.outputs));
  });
}

function takesActivation({ op, params, outputs }: GraphNode): boolean {
  if ('activation' in params && params.activation !== undefined) return false;
  return op === 'conv2d' || op === 'linear' || (op === 'binary' && outputs[0].dtype === 'float32');
}
