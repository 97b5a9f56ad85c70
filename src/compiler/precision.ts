import { type InputName, inputNames, type OpName } from '../graph/op.js';
import type { GraphNode } from './graph.js';

/** Precision of a program: `bf16` stores features and their gradients in 16 bits where that is faster. */
export type Precision = 'float32' | 'bf16';

/** Whether a convolution or linear layer, in any direction, computes in bfloat16. */
export type ChoiceOfProducts = (product: GraphNode) => boolean;

/**
 * Convolutions and linear layers, in all directions, and their inputs that are features or gradients of
 * these.
 */
const features: { readonly [K in OpName]?: readonly InputName<K>[] } = {
  conv2d: ['x'],
  conv2dBackwardData: ['dy'],
  conv2dBackwardWeights: ['x', 'dy'],
  linear: ['x'],
  linearBackwardData: ['dy'],
  linearBackwardWeights: ['x', 'dy'],
};

/** Products whose results are gradients of parameters, which are float32 in any case. */
export const parameterGradients = new Set<OpName>(['conv2dBackwardWeights', 'linearBackwardWeights']);

/**
 * Whether a convolution or linear layer, in any direction, computes in bfloat16: if one of its features, or
 * its result, is stored so. The pass `useBfloat16` decides that; engines and validation ask here.
 */
export function computesInBfloat16({ op, inputs, outputs }: GraphNode): boolean {
  const names: readonly string[] | undefined = features[op];
  if (names === undefined) return false;
  const isFeature = (_: unknown, i: number) => names.includes(inputNames[op][i]);
  const read = inputs.filter(isFeature);
  const all = parameterGradients.has(op) ? read : [...read, outputs[0]];
  return all.some(({ dtype }) => dtype === 'bfloat16');
}
