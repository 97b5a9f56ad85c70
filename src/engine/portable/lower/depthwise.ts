import type { GraphNode } from '../../../compiler/graph.js';
import type { Shape } from '../../../graph/shape.js';
import { backwardAxes, forwardAxis } from '../kernels/axis.js';
import { depthwiseKernel } from '../kernels/depthwise.js';
import { depthwiseGradientKernel } from '../kernels/depthwiseWeights.js';
import { Layout } from '../layout.js';
import { type Lowering, nameOf, type Operand } from '../lowering.js';
import { axesOf, type Convolution, sizesOf } from './geometry.js';

/** The taps of a window are written out in code. */
const mostTaps = 81;

/** Whether each channel is convolved by itself. */
export function isDepthwise({ weight: [out, channels, kh, kw], params }: Convolution): boolean {
  return params.groups === out && channels === 1 && kh * kw <= mostTaps;
}

/** `[kh][kw][channels]` */
const weightLayout = (shape: Shape): Layout => new Layout(shape, 'float32', [2, 3, 1, 0]);

export function depthwise(context: Lowering, node: GraphNode<'conv2d'>, conv: Convolution): void {
  const [x, weight, bias, summand] = node.inputs;
  const [y] = node.outputs;
  const axes = axesOf(conv);
  const [rows, cols] = axes.map((axis) => [forwardAxis(axis)]);
  const shape = {
    ...{ images: x.shape[0], channels: x.shape[1], ...sizesOf(axes), rows, cols },
    ...{ bias: bias !== undefined, summand: summand !== undefined, activation: node.params.activation },
  };
  const reads = [
    context.inLayout(x, Layout.channelsLast(x.shape)),
    context.inLayout(weight, weightLayout(weight.shape)),
  ];
  if (bias !== undefined) reads.push(context.plain(bias));
  if (summand !== undefined) reads.push(context.inLayout(summand, Layout.channelsLast(y.shape)));
  const name = summand === undefined ? nameOf(node) : nameOf(node).replace('conv2d', 'conv2d+add');
  const target = context.output(y, Layout.channelsLast(y.shape));
  context.run(name, context.generate(depthwiseKernel, shape), reads, [target], 'depthwise');
}

export function depthwiseBackwardData(
  context: Lowering,
  node: GraphNode<'conv2dBackwardData'>,
  conv: Convolution,
): void {
  const [dy, weight] = node.inputs;
  const [dx] = node.outputs;
  const axes = axesOf(conv);
  const { input, output, kernel } = sizesOf(axes);
  const [rows, cols] = axes.map(backwardAxes);
  const shape = {
    ...{ images: dx.shape[0], channels: dx.shape[1], input: output, output: input, kernel, rows, cols },
    ...{ bias: false, summand: false },
  };
  const reads = [
    context.inLayout(dy, Layout.channelsLast(dy.shape)),
    context.inLayout(weight, weightLayout(weight.shape)),
  ];
  const target = context.output(dx, Layout.channelsLast(dx.shape));
  context.run(node.op, context.generate(depthwiseKernel, shape), reads, [target], 'depthwise');
}

/** @param reads input and gradient, with their channels last */
export function depthwiseBackwardWeights(
  context: Lowering,
  node: GraphNode<'conv2dBackwardWeights'>,
  conv: Convolution,
  reads: readonly Operand[],
): void {
  const [dWeight] = node.outputs;
  const axes = axesOf(conv);
  const [row, col] = axes.map(forwardAxis);
  const shape = { images: conv.x[0], channels: conv.x[1], ...sizesOf(axes), row, col };
  const target = context.output(dWeight, weightLayout(dWeight.shape));
  context.run(node.op, context.generate(depthwiseGradientKernel, shape), reads, [target], 'depthwise');
}
