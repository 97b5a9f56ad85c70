import { sameShape } from '../../graph/shape.js';
import { type Graph, type GraphNode, type GraphValue, isOp } from '../graph.js';

/** Whether a node is an add of floats. */
export function isAdd(node: GraphNode): node is GraphNode<'binary'> {
  return isOp(node, 'binary') && node.params.fn === 'add' && node.outputs[0].dtype === 'float32';
}

/** The two inputs of a node in both orders. */
export function bothOrders({ inputs: [a, b] }: GraphNode<'binary'>): readonly (readonly [GraphValue, GraphValue])[] {
  return [
    [a, b],
    [b, a],
  ];
}

/** Whether a node comes before another in the graph. */
export function orderOf({ nodes }: Graph): (one: GraphNode, other: GraphNode) => boolean {
  const places = new Map(nodes.map((node, i) => [node, i]));
  return (one, other) => (places.get(one) as number) < (places.get(other) as number);
}

/**
 * The summands of an add without an activation, if all shapes are equal and nothing else reads the sum;
 * otherwise the value itself.
 */
export function summandsOf(value: GraphValue, isUsedOnce: (value: GraphValue) => boolean): readonly GraphValue[] {
  const sum = value.producer;
  if (sum === null || !isAdd(sum) || sum.params.activation !== undefined || !isUsedOnce(value)) return [value];
  return sum.inputs.every(({ shape }) => sameShape(shape, value.shape)) ? sum.inputs : [value];
}
