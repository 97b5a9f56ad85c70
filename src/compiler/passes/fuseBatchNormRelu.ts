import { bypass, countUses, type Graph, GraphNode, inputOf, isOp, keep, replaceBy, rewrite } from '../graph.js';
import { isReluBackwardOf, normBackwards } from './reluBackward.js';

/** Fuses batch norm with the ReLU behind it, forward and backward. */
export function fuseBatchNormRelu(graph: Graph): Graph {
  const uses = countUses(graph);
  const relus = new Map<GraphNode, GraphNode>();
  for (const node of graph.nodes) {
    if (!isOp(node, 'unary') || node.params.fn !== 'relu') continue;
    const [x] = node.inputs;
    const norm = x.producer;
    const isNorm = isOp(norm, 'batchNormTrain') || isOp(norm, 'batchNorm');
    if (isNorm && x.index === 0 && uses.get(x) === 1) relus.set(norm, node);
  }
  const backwards = normBackwards(graph.nodes);
  const reluGradients = new Set<GraphNode>();
  for (const [norm, relu] of relus) {
    const backward = backwards.get(norm);
    if (backward === undefined) continue;
    const dy = inputOf(backward, 'dy');
    const gradient = dy.producer;
    const joins = gradient !== null && isReluBackwardOf(gradient, relu) && uses.get(dy) === 1;
    // The backward kernel knows the mask only where it does the ReLU's gradient too.
    if (joins) reluGradients.add(gradient);
    else relus.delete(norm);
  }
  const absorbed = new Set(relus.values());
  const fusedBackwards = new Set<GraphNode | undefined>([...relus.keys()].map((norm) => backwards.get(norm)));
  return rewrite(graph, (node, inputs) => {
    if (absorbed.has(node) || reluGradients.has(node)) return bypass(inputs[0]);
    if (!relus.has(node) && !fusedBackwards.has(node)) return keep(node, inputs);
    const params = { ...node.params, relu: true } as GraphNode['params'];
    return replaceBy(new GraphNode(node.op, params, inputs, node.outputs));
  });
}
