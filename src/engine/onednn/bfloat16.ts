import type { Graph, GraphNode, GraphValue } from '../../compiler/graph.js';
import type { ChoiceOfProducts } from '../../compiler/precision.js';
import type { Conv2dParams, OpName } from '../../graph/op.js';
import { multiplyAdds, workOf } from '../planned/cost.js';
import type { Bfloat16Unit } from './ffi.js';
import { hasDirectKernel } from './lower/conv.js';
import { isPointwiseProduct } from './lower/pointwise.js';
import {
  type ConvChoice,
  type ConvDirection,
  type ConvShape,
  expectedGain,
  type WinogradKernels,
} from './lower/winograd.js';

/**
 * The speed of a direct kernel with bfloat16, as a multiple of its speed with float32. There is no Winograd
 * kernel for bfloat16. With AMX, 3×3 convolutions gain more (4.8, 4.5, 2.8), and 1×1 less (3.6, 3.2, 1.7; 3
 * as a product of matrices): `fovea bench vgg16 --precision bf16 --profile`.
 */
const directGains: Readonly<Record<Bfloat16Unit, Readonly<Record<ConvDirection, number>>>> = {
  'AVX-512': { forward: 2.1, backwardData: 2.1, backwardWeights: 2.1 },
  'slow AVX-512': { forward: 0.6, backwardData: 0.6, backwardWeights: 0.6 },
  AMX: { forward: 4.2, backwardData: 3.8, backwardWeights: 2.3 },
};

const productGain = 3;

/**
 * The same where the library has no direct kernel with bfloat16, as for the weights of a first layer with few
 * channels: 8 instead of 64 GFLOP/s (`fovea bench lenet --precision bf16 --profile`).
 */
const generalGain = 0.15;

/** The library may have no direct kernel for numbers of channels that this does not divide. */
const wholeBlock = 16;

/** AMX multiplies tiles of up to 16 pixels of a row. With shorter rows a part of each tile is empty. */
const fullRow = 14;

/** With fewer images, a linear layer needs more time to read its weights from memory than to multiply. */
const manyImages = 48;

/** With at most this many images, half as much to read gains more time than slow instructions lose. */
const fewImages = 16;

const directions: Partial<Record<OpName, ConvDirection>> = {
  conv2d: 'forward',
  conv2dBackwardData: 'backwardData',
  conv2dBackwardWeights: 'backwardWeights',
};

/**
 * The convolutions and linear layers of a program that are faster in bfloat16. All convolutions have the same
 * type, since every change between two types costs a pass over memory. They stay float32 where Winograd's
 * float32 kernels save more time than bfloat16 would, in them and in the layers around them. If a program
 * updates the weights of a linear layer, it would have to convert them to bfloat16 every time, which takes
 * longer than to read them as float32.
 */
export function bfloat16Products(
  graph: Graph,
  choice: ConvChoice,
  kernels: WinogradKernels,
  unit: Bfloat16Unit,
): ChoiceOfProducts {
  let float32 = 0;
  let bfloat16 = 0;
  for (const node of graph.nodes) {
    const work = workOf(node);
    const direction = directions[node.op];
    // Linear layers are decided one by one.
    if (direction === undefined && multiplyAdds(node) !== null) continue;
    float32 +=
      work /
      (direction === undefined ? 1 : winogradGainOf(node, direction, (conv) => expectedGain(choice, kernels, conv)));
    bfloat16 += work / (direction === undefined ? 2 : bfloat16GainOf(node, direction, unit));
  }
  const renewed = new Set(graph.outputs.map(({ into }) => (into < 0 ? null : graph.sources[into].value)));
  const isConstant = (value: GraphValue) => !renewed.has(value);
  return ({ op, inputs }) => {
    if (directions[op] !== undefined) return bfloat16 < float32;
    const [images] = inputs[0].shape;
    const isRead = op !== 'linearBackwardWeights' && isConstant(inputs[1]);
    return unit === 'slow AVX-512' ? isRead && images <= fewImages : isRead || images >= manyImages;
  };
}

function bfloat16GainOf(node: GraphNode, direction: ConvDirection, unit: Bfloat16Unit): number {
  const { inputs, outputs, params } = node;
  const [weight] = direction === 'backwardWeights' ? outputs : inputs.slice(1);
  const isPadded = weight.shape[0] % wholeBlock !== 0 || weight.shape[1] % wholeBlock !== 0;
  if (isPadded && !hasDirectKernel(node, direction)) return generalGain;
  if (direction === 'backwardWeights') {
    const gradient = { x: inputs[0].shape, weight: outputs[0].shape, params: params as Conv2dParams };
    if (isPointwiseProduct(gradient, unit)) return productGain;
  }
  const [, , , row] = (direction === 'forward' ? outputs[0] : inputs[0]).shape;
  const filled = unit === 'AMX' ? Math.min(1, row / fullRow) : 1;
  return directGains[unit][direction] * filled;
}

function winogradGainOf(
  { inputs, outputs, params }: GraphNode,
  direction: ConvDirection,
  gainOf: (conv: ConvShape) => number,
): number {
  const isWeights = direction === 'backwardWeights';
  const result = isWeights ? inputs[1].shape : outputs[0].shape;
  const weight = isWeights ? outputs[0].shape : inputs[1].shape;
  return gainOf({ direction, result, weight, params: params as Conv2dParams });
}
