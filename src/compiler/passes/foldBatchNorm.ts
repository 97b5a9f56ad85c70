import type { OpName, OpParams, Spec } from '../../graph/op.js';
import { constantValues } from '../constants.js';
import { countUses, type Graph, GraphNode, type GraphValue, isOp, keep, rewrite } from '../graph.js';

/**
 * Folds a batch norm of given statistics into the convolution before it: (w∗x + b − μ)·γ/σ + β is a
 * convolution with the weights w·γ/σ and the bias (b − μ)·γ/σ + β. The pass applies only to parameters and
 * buffers that the program does not overwrite: the new weights are then computed once for many runs.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const uses = countUses(graph);
  const constants = constantValues(graph);
  const isFixed = (value: GraphValue) => value.producer === null && constants.has(value);
  const norms = new Map<GraphNode, GraphNode<'batchNorm'>>();
  for (const node of graph.nodes) {
    if (!isOp(node, 'batchNorm')) continue;
    const [x, ...statistics] = node.inputs;
    const conv = x.producer;
    if (!isOp(conv, 'conv2d') || uses.get(x) !== 1) continue;
    const [, ...weights] = conv.inputs;
    if ([...weights, ...statistics].every(isFixed)) norms.set(conv, node);
  }
  const folded = new Set<GraphNode>(norms.values());
  return rewrite(graph, (node, inputs) => {
    const norm = norms.get(node);
    if (folded.has(node)) return { nodes: [], outputs: [inputs[0]] };
    return norm !== undefined && isOp(node, 'conv2d') ? fold(node, inputs, norm) : keep(node, inputs);
  });
}

function fold(conv: GraphNode<'conv2d'>, [x, weight, bias]: readonly GraphValue[], norm: GraphNode<'batchNorm'>) {
  const [, mean, variance, scale, shift] = norm.inputs;
  const { epsilon } = norm.params;
  const nodes: GraphNode[] = [];
  const add = <K extends OpName>(op: K, params: OpParams[K], inputs: readonly GraphValue[], like: Spec): GraphValue => {
    const node = new GraphNode(op, params, inputs, [{ shape: like.shape, dtype: 'float32' }]);
    nodes.push(node as unknown as GraphNode);
    return node.outputs[0];
  };
  const spread = add('affine', { scale: 1, shift: epsilon }, [variance], variance);
  const deviation = add('unary', { fn: 'sqrt', alpha: 0 }, [spread], variance);
  const factor = add('binary', { fn: 'div' }, [scale, deviation], scale);
  const each = [weight.shape[0], ...weight.shape.slice(1).map(() => 1)];
  const column = add('reshape', { shape: each }, [factor], { shape: each, dtype: 'float32' });
  const weights = add('binary', { fn: 'mul' }, [weight, column], weight);
  const centred =
    bias === undefined
      ? add('affine', { scale: -1, shift: 0 }, [mean], mean)
      : add('binary', { fn: 'sub' }, [bias, mean], mean);
  const scaled = add('binary', { fn: 'mul' }, [centred, factor], mean);
  const biases = add('binary', { fn: 'add' }, [scaled, shift], mean);
  const folded = new GraphNode(conv.op, conv.params, [x, weights, biases], conv.outputs);
  return { nodes: [...nodes, folded], outputs: folded.outputs };
}
