import type { OpName } from '../graph/op.js';
import { type Graph, GraphNode, type GraphValue, replaceBy, rewrite } from './graph.js';

/** How exactly a program computes: `bf16` keeps images and their gradients, where it pays, in 16 bits. */
export type Precision = 'float32' | 'bf16';

/** Ops that have kernels for bfloat16, and which of their inputs carry images, features or their gradients. */
const carried: Partial<Record<OpName, readonly number[] | 'all'>> = {
  conv2d: [0, 3],
  conv2dBackwardData: [0],
  conv2dBackwardWeights: [0, 1],
  linear: [0],
  linearBackwardData: [0],
  linearBackwardWeights: [0, 1],
  unary: [0],
  unaryBackward: [0, 1],
  binary: [0, 1],
  reshape: [0],
  concat: 'all',
  slice: [0],
  maxPool2d: [0],
  maxPool2dBackward: [0],
  avgPool2d: [0],
  avgPool2dBackward: [0],
  batchNorm: [0],
  batchNormTrain: [0, 3],
  batchNormBackward: [0, 5, 7, 8],
};

/** Which outputs carry them too; elsewhere the first. */
const carriedOutputs: Partial<Record<OpName, readonly number[]>> = { batchNormBackward: [0, 3] };

/** Products, whose kernels can run twice as fast on bfloat16: what comes out of them is where it begins. */
const products = new Set<OpName>(['conv2d', 'conv2dBackwardData', 'linear', 'linearBackwardData']);
/** Their results are parameters' gradients, which stay exact. */
const gradients = new Set<OpName>(['conv2dBackwardWeights', 'linearBackwardWeights']);

/** Whether a convolution or linear layer, in any direction, is to compute in bfloat16. */
export type ChoiceOfProducts = (product: GraphNode) => boolean;

/**
 * Keeps features and their gradients in bfloat16 between ops that have kernels for it (Micikevicius et al., 2018;
 * Kalamkar et al., 2019). Parameters, their gradients, statistics, the loss and everything next to it stay float32;
 * products add up in float32 whatever their operands are.
 *
 * @param pays products for which it does not stay in float32, as do their features
 */
export function useBfloat16(graph: Graph, pays: ChoiceOfProducts = () => true): Graph {
  const staysExact = (node: GraphNode) => (products.has(node.op) || gradients.has(node.op)) && !pays(node);
  const exact = new Set(graph.nodes.filter(staysExact));
  const unfit = new Set<GraphValue>(graph.outputs.map(({ value }) => value));
  for (const node of graph.nodes) {
    const places = exact.has(node) ? undefined : carried[node.op];
    node.inputs.forEach((input, i) => {
      if (places !== 'all' && places?.includes(i) !== true) unfit.add(input);
    });
  }
  return rewrite(graph, (node, inputs) => {
    const specs = node.outputs.map(({ shape, dtype }, i) => {
      const carries = (carriedOutputs[node.op] ?? [0]).includes(i);
      const chosen =
        carries && dtype === 'float32' && !unfit.has(node.outputs[i]) && !exact.has(node) && begins(node, inputs);
      return { shape, dtype: chosen ? ('bfloat16' as const) : dtype };
    });
    return replaceBy(new GraphNode(node.op, node.params, inputs, specs));
  });
}

function begins({ op }: GraphNode, inputs: readonly GraphValue[]): boolean {
  const places = carried[op];
  if (places === undefined || gradients.has(op)) return false;
  if (products.has(op)) return true;
  return inputs.some(({ dtype }, i) => dtype === 'bfloat16' && (places === 'all' || places.includes(i)));
}
