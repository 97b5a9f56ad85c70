import type { OpName, OpParams, Spec } from '../../graph/op.js';
import type { Shape } from '../../graph/shape.js';
import { type Graph, GraphNode, type GraphValue, isOp, keep, type Replacement, rewrite } from '../graph.js';

/**
 * For engines without a kernel: `[B, M, K]·[B, K, N]` as one convolution of 1×1 with a group for each matrix.
 */
export function expandMatmul(graph: Graph): Graph {
  return rewrite(graph, (node, inputs) => (isOp(node, 'matmul') ? expanded(node, inputs) : keep(node, inputs)));
}

function expanded({ params, outputs: [y] }: GraphNode<'matmul'>, [a, b]: readonly GraphValue[]): Replacement {
  const nodes: GraphNode[] = [];
  const add = <K extends OpName>(op: K, of: OpParams[K], inputs: readonly GraphValue[], shape: Shape): GraphValue => {
    const result: Spec = { shape, dtype: 'float32' };
    const node = new GraphNode(op, of, inputs, [result]);
    nodes.push(node as unknown as GraphNode);
    return node.outputs[0];
  };
  const reshaped = (x: GraphValue, shape: Shape) => add('reshape', { shape }, [x], shape);
  const swapped = (x: GraphValue) => {
    const [batch, rows, columns] = x.shape;
    return add('transpose', { permutation: [0, 2, 1] }, [x], [batch, columns, rows]);
  };
  const [batch, rows, columns] = y.shape;
  const inner = a.shape[params.transposeA ? 1 : 2];
  // An image has one row of the left matrix in each pixel, a kernel is one column of the right matrix.
  const image = reshaped(params.transposeA ? a : swapped(a), [1, batch * inner, rows, 1]);
  const kernels = reshaped(params.transposeB ? b : swapped(b), [batch * columns, inner, 1, 1]);
  const conv = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: batch } as const;
  const products = add('conv2d', conv, [image, kernels], [1, batch * columns, rows, 1]);
  const result = swapped(reshaped(products, [batch, columns, rows]));
  return { nodes, outputs: [result] };
}
