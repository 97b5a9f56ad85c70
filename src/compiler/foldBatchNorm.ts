import type { BatchNormParams, OpName, OpParams, Spec } from '../graph/op.js';
import { countUses, type Graph, GraphNode, type GraphValue, keep, rewrite } from './graph.js';

/**
 * Joins a batch norm of given statistics with the convolution before it: (w∗x + b − μ)·γ/σ + β is a convolution with
 * the weights w·γ/σ and the bias (b − μ)·γ/σ + β. Only where all of them are kept and nothing in the program changes
 * them: then they are computed once for many runs.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const uses = countUses(graph);
  const overwritten = new Set(graph.outputs.map(({ into }) => into));
  const fixed = new Set<GraphValue>();
  graph.sources.forEach(({ value, persistent }, i) => {
    if (persistent && !overwritten.has(i)) fixed.add(value);
  });
  const isFixed = (value: GraphValue) => fixed.has(value);
  const norms = new Map<GraphNode, GraphNode>();
  for (const node of graph.nodes) {
    if (node.op !== 'batchNorm') continue;
    const conv = node.inputs[0].producer;
    const joins = conv?.op === 'conv2d' && uses.get(node.inputs[0]) === 1 && conv.inputs.slice(1).every(isFixed);
    if (joins && node.inputs.slice(1).every(isFixed)) norms.set(conv, node);
  }
  const folded = new Set(norms.values());
  return rewrite(graph, (node, inputs) => {
    const norm = norms.get(node);
    if (folded.has(node)) return { nodes: [], outputs: [inputs[0]] };
    if (norm === undefined) return keep(node, inputs);
    return fold(node as GraphNode<'conv2d'>, inputs, norm as GraphNode<'batchNorm'>);
  });
}

function fold(conv: GraphNode<'conv2d'>, [x, weight, bias]: readonly GraphValue[], norm: GraphNode<'batchNorm'>) {
  const [, mean, variance, scale, shift] = norm.inputs;
  const { epsilon } = norm.params as BatchNormParams;
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
  return { nodes: [...nodes, folded as unknown as GraphNode], outputs: folded.outputs };
}
