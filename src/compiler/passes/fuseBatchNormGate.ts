import type { Gate } from '../../graph/op.js';
import type { Shape } from '../../graph/shape.js';
import { bypass, countUses, type Graph, GraphNode, inputOf, isOp, keep, replaceBy, rewrite } from '../graph.js';
import { normBackwards } from './reluBackward.js';

const gates: readonly string[] = ['silu', 'hardswish'] satisfies Gate[];

/**
 * Fuses batch norm in training with a smooth step times its result, forward and backward. The backward
 * kernel computes the result again.
 *
 * @param takes whether there is a kernel for features of a shape
 */
export function fuseBatchNormGate(graph: Graph, takes: (shape: Shape) => boolean): Graph {
  const uses = countUses(graph);
  const backwards = normBackwards(graph.nodes);
  /** The gates of norms, forward and backward. */
  const fused = new Map<GraphNode, Gate>();
  const absorbed = new Set<GraphNode>();
  for (const node of graph.nodes) {
    if (!isOp(node, 'unary') || !gates.includes(node.params.fn)) continue;
    const [x] = node.inputs;
    const norm = x.producer;
    if (!isOp(norm, 'batchNormTrain') || x.index !== 0 || norm.inputs.length > 3 || !takes(x.shape)) continue;
    const gate = node.params.fn as Gate;
    const backward = backwards.get(norm);
    const gradient = backward === undefined ? null : inputOf(backward, 'dy').producer;
    if (backward !== undefined) {
      const isGradient = isOp(gradient, 'unaryBackward') && gradient.params.fn === gate && inputOf(gradient, 'y') === x;
      if (!isGradient || uses.get(inputOf(backward, 'dy')) !== 1) continue;
    }
    if (uses.get(x) !== (backward === undefined ? 1 : 2)) continue;
    absorbed.add(node);
    fused.set(norm, gate);
    if (backward === undefined || gradient === null) continue;
    absorbed.add(gradient);
    fused.set(backward, gate);
  }
  return rewrite(graph, (node, inputs) => {
    if (absorbed.has(node)) return bypass(inputs[0]);
    const gate = fused.get(node);
    if (gate === undefined) return keep(node, inputs);
    const params = { ...node.params, gate } as GraphNode['params'];
    return replaceBy(new GraphNode(node.op, params, inputs, node.outputs));
  });
}
