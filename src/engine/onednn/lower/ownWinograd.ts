import type { GraphNode } from '../../../compiler/graph.js';
import { places } from '../../kernels/winograd.js';
import { transformedPlace } from '../../kernels/winogradConv.js';
import type { Lanes } from '../code/assembler.js';
import {
  type BlockedWeights,
  blockedShape,
  convolutionCode,
  gradientCode,
  gradientPitch,
  resultsCode,
  sumsCode,
  weightsCode,
} from '../code/winograd.js';
import { MemoryDesc } from '../ffi.js';
import type { Lowering, Operand } from '../lowering.js';
import { nameWith } from './common.js';
import { type ConvShape, suitsCode } from './winograd.js';

// Convolutions by the kernels of Winograd's that both engines share, as machine code. They take the layouts
// of the library's direct kernels, so that nothing around them changes.

interface Places {
  readonly src: Operand;
  readonly weights: Operand;
  readonly dst: Operand;
}

/** The width of the code, if the kernels take this convolution and are faster; `null` if not. */
function lanesFor(context: Lowering, conv: ConvShape, { src, weights, dst }: Places): Lanes | null {
  const lanes = context.winograd;
  if (lanes === 'library' || !suitsCode(context.convolution, lanes, conv)) return null;
  const inside = conv.direction === 'backwardData' ? [0, 1] : [1, 0];
  const areBlocked =
    [src, dst].every(({ layout }) => layout.hasBlocks([{ axis: 1, size: lanes }])) &&
    weights.layout.hasBlocks(inside.map((axis) => ({ axis, size: lanes })));
  return areBlocked && [src, weights, dst].every(({ layout }) => layout.dtype === 'float32') ? lanes : null;
}

/** Computes a convolution, where that is faster. @returns whether it does */
export function winogradForward(
  context: Lowering,
  node: GraphNode<'conv2d'>,
  conv: ConvShape,
  operands: Places,
): boolean {
  const [x, weight, bias, summand] = node.inputs;
  const [y] = node.outputs;
  const { activation, padding } = node.params;
  if (activation !== undefined && activation.fn !== 'relu') return false;
  const isConstant = context.isConstant(weight);
  const lanes = lanesFor(context, { ...conv, keepsWeights: isConstant }, operands);
  if (lanes === null) return false;
  // A number that is not finite would reach all pixels of a tile.
  context.losesNaN(node);
  const [outChannels, inChannels] = weight.shape;
  const kind = { lanes, inChannels, outChannels, turned: false };
  const transformed = transformedWeights(context, kind, operands.weights, isConstant);
  const shape = blockedShape(lanes, x.shape, y.shape, [padding[0], padding[2]]);
  const extras = { bias: bias !== undefined, summand: summand !== undefined };
  const kernel = context.generate(convolutionCode, shape, extras, activation !== undefined, context.threads);
  const { src, dst } = operands;
  const reads = [src, transformed];
  if (bias !== undefined) reads.push(context.plain(bias));
  if (summand !== undefined) reads.push(dst);
  const name = nameWith(summand === undefined ? 'conv2d' : 'conv2d+add', activation);
  context.code(name, kernel, [...reads, dst], [dst]);
  return true;
}

/** Computes the gradient of a convolution's input, where that is faster. @returns whether it does */
export function winogradBackwardData(
  context: Lowering,
  node: GraphNode<'conv2dBackwardData'>,
  conv: ConvShape,
  operands: Places,
): boolean {
  const [dy, weight] = node.inputs;
  const [dx] = node.outputs;
  const isConstant = context.isConstant(weight);
  const lanes = lanesFor(context, { ...conv, keepsWeights: isConstant }, operands);
  if (lanes === null) return false;
  const [inChannels, outChannels] = weight.shape;
  const kind = { lanes, inChannels, outChannels, turned: true };
  const transformed = transformedWeights(context, kind, operands.weights, isConstant);
  const [top, , left] = node.params.padding;
  const shape = blockedShape(lanes, dy.shape, dx.shape, [2 - top, 2 - left]);
  const kernel = context.generate(convolutionCode, shape, { bias: false, summand: false }, false, context.threads);
  context.code(node.op, kernel, [operands.src, transformed, operands.dst], [operands.dst]);
  return true;
}

/** Computes the gradients of weights and bias, where that is faster. @returns whether it does */
export function winogradBackwardWeights(
  context: Lowering,
  node: GraphNode<'conv2dBackwardWeights'>,
  conv: ConvShape,
  operands: Places & { readonly bias?: Operand | undefined },
): boolean {
  const [x, dy] = node.inputs;
  const lanes = lanesFor(context, conv, operands);
  if (lanes === null) return false;
  const { padding, weightShape } = node.params;
  const [outChannels, inChannels] = weightShape;
  const sums = scratch(context, gradientPitch(lanes, outChannels), inChannels);
  const shape = blockedShape(lanes, x.shape, dy.shape, [padding[0], padding[2]]);
  const { src, weights, dst, bias } = operands;
  context.code(node.op, context.generate(gradientCode, shape, context.threads), [src, dst, sums], [sums]);
  const results = context.generate(resultsCode, { lanes, inChannels, outChannels }, context.threads);
  context.code('winogradWeights', results, [weights, sums], [weights]);
  if (bias !== undefined) {
    const [images, channels, height, width] = dy.shape;
    const kernel = context.generate(sumsCode, lanes, images, channels / lanes, height * width, context.threads);
    context.code('biasGradient', kernel, [dst, bias], [bias]);
  }
  return true;
}

/** The weights, transformed; once for many runs if they are constant. */
function transformedWeights(context: Lowering, kind: BlockedWeights, weights: Operand, isConstant: boolean): Operand {
  const transformed = scratch(context, kind.outChannels, kind.inChannels);
  const kernel = context.generate(weightsCode, kind, context.threads);
  context.code('winogradWeights', kernel, [weights, transformed], [transformed], isConstant);
  return transformed;
}

function scratch(context: Lowering, outPitch: number, inChannels: number): Operand {
  const layout = MemoryDesc.plain([places, transformedPlace(outPitch, inChannels)], 'float32');
  return { buffer: context.scratch(layout.size), layout };
}
