import { sameShape } from '../../graph/shape.js';
import {
  bypass,
  collectUsers,
  type Graph,
  GraphNode,
  type GraphValue,
  isOp,
  keep,
  optionalInput,
  replaceBy,
  rewrite,
} from '../graph.js';
import { bothOrders, isAdd, orderOf } from './sums.js';

/** An add that a convolution can do, since the other summand is in memory before. */
interface Accumulation {
  readonly sum: GraphNode<'binary'>;
  readonly summand: GraphValue;
}

/**
 * Fuses a convolution with the add behind it, as at the end of a residual block without batch norm or with a
 * folded one: the kernel adds to the other summand in place. That summand must be computed before, and
 * nothing may read it afterwards.
 */
export function fuseSums(graph: Graph): Graph {
  const users = collectUsers(graph);
  const precedes = orderOf(graph);
  const accumulations = new Map<GraphNode, Accumulation>();
  for (const sum of graph.nodes) {
    if (!isAdd(sum)) continue;
    for (const [y, summand] of bothOrders(sum)) {
      const [conv, other] = [y.producer, summand.producer];
      if (conv === null || other === null || !takesSummand(conv) || users.get(y)?.length !== 1) continue;
      const isBefore = (node: GraphNode | null) => node !== null && precedes(node, conv);
      const others = users.get(summand)?.filter((user) => user !== sum) ?? [];
      if (!isBefore(other) || !others.every(isBefore) || !sameShape(y.shape, summand.shape)) continue;
      accumulations.set(conv, { sum, summand });
      break;
    }
  }
  const absorbed = new Map<GraphNode, GraphValue>();
  for (const [conv, { sum }] of accumulations) absorbed.set(sum, conv.outputs[0]);
  return rewrite(graph, (node, inputs, mapped) => {
    const y = absorbed.get(node);
    if (y !== undefined) return bypass(mapped(y));
    const accumulation = accumulations.get(node);
    if (accumulation === undefined || !isOp(node, 'conv2d')) return keep(node, inputs);
    const { activation } = accumulation.sum.params;
    const params = { ...node.params, ...(activation && { activation }) };
    return replaceBy(new GraphNode('conv2d', params, [...inputs, mapped(accumulation.summand)], node.outputs));
  });
}

/** The summand comes behind the bias, which must therefore be there. */
function takesSummand(node: GraphNode): boolean {
  if (!isOp(node, 'conv2d') || node.params.activation !== undefined) return false;
  return optionalInput(node, 'bias') !== undefined && optionalInput(node, 'summand') === undefined;
}
