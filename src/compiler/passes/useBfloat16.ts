import { type InputName, inputNames, type OpName } from '../../graph/op.js';
import { type Graph, GraphNode, type GraphValue, replaceBy, rewrite } from '../graph.js';
import { type ChoiceOfProducts, parameterGradients } from '../precision.js';

/** Ops that have kernels for bfloat16, and their inputs that are images, features or gradients of these. */
const carried: { readonly [K in OpName]?: readonly InputName<K>[] | 'all' } = {
  conv2d: ['x', 'summand'],
  conv2dBackwardData: ['dy'],
  conv2dBackwardWeights: ['x', 'dy'],
  linear: ['x'],
  linearBackwardData: ['dy'],
  linearBackwardWeights: ['x', 'dy'],
  unary: ['x'],
  unaryBackward: ['dy', 'y'],
  binary: ['a', 'b'],
  reshape: ['x'],
  concat: 'all',
  slice: ['x'],
  maxPool2d: ['x'],
  maxPool2dBackward: ['dy'],
  avgPool2d: ['x'],
  avgPool2dBackward: ['dy'],
  scaleChannels: ['x'],
  scaleChannelsBackward: ['x', 'dy'],
  batchNorm: ['x'],
  batchNormTrain: ['x', 'summand'],
  batchNormBackward: ['x', 'dy', 'y', 'dy2'],
};

/** Outputs that are features or gradients of features; in other ops it is the first. */
const carriedOutputs: Partial<Record<OpName, readonly number[]>> = { batchNormBackward: [0, 3] };

/** Convolutions and linear layers whose results are features: with their results bfloat16 begins. */
const products = new Set<OpName>(['conv2d', 'conv2dBackwardData', 'linear', 'linearBackwardData']);

/**
 * Stores features and their gradients in bfloat16 between ops that have kernels for it (Micikevicius et al.,
 * 2018; Kalamkar et al., 2019). Parameters, their gradients, statistics, the loss and values next to it stay
 * float32; products add up in float32 in any case.
 *
 * @param pays products that are faster in bfloat16; all others and their features stay float32
 */
export function useBfloat16(graph: Graph, pays: ChoiceOfProducts = () => true): Graph {
  const staysExact = (node: GraphNode) => (products.has(node.op) || parameterGradients.has(node.op)) && !pays(node);
  const exact = new Set(graph.nodes.filter(staysExact));
  const unfit = new Set<GraphValue>(graph.outputs.map(({ value }) => value));
  for (const node of graph.nodes) {
    node.inputs.forEach((input, i) => {
      if (exact.has(node) || !carries(node.op, i)) unfit.add(input);
    });
  }
  return rewrite(graph, (node, inputs) => {
    const specs = node.outputs.map(({ shape, dtype }, i) => {
      const isFeature = (carriedOutputs[node.op] ?? [0]).includes(i) && dtype === 'float32';
      const chosen = isFeature && !unfit.has(node.outputs[i]) && !exact.has(node) && begins(node, inputs);
      return { shape, dtype: chosen ? ('bfloat16' as const) : dtype };
    });
    return replaceBy(new GraphNode(node.op, node.params, inputs, specs));
  });
}

/** Whether input `i` of an op may be bfloat16. */
function carries(op: OpName, i: number): boolean {
  const names: readonly string[] | 'all' | undefined = carried[op];
  return names === 'all' || (names?.includes(inputNames[op][i]) ?? false);
}

/** Whether the result of a node is bfloat16, unless its readers forbid it. */
function begins({ op }: GraphNode, inputs: readonly GraphValue[]): boolean {
  if (carried[op] === undefined || parameterGradients.has(op)) return false;
  if (products.has(op)) return true;
  return inputs.some(({ dtype }, i) => dtype === 'bfloat16' && carries(op, i));
}
