import type { GraphValue } from '../../../compiler/graph.js';
import type { Activation } from '../../../graph/op.js';
import { numel, type Shape } from '../../../graph/shape.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { places } from '../../kernels/winograd.js';
import {
  transformedPlace,
  type WinogradConvolution,
  type WinogradExtras,
  winogradKernel,
  winogradShape,
  winogradWeights,
} from '../../kernels/winogradConv.js';
import { winogradGradient, winogradWeightResults } from '../../kernels/winogradGradient.js';
import { activate } from '../kernels/activation.js';
import { type AxisGather, type AxisGeometry, backwardAxes, forwardAxis } from '../kernels/axis.js';
import { type Gather, gatherKernel } from '../kernels/conv.js';
import { weightGradientKernel } from '../kernels/convWeights.js';
import { productWeightsKernel } from '../kernels/productWeights.js';
import { columnSums } from '../kernels/sums.js';
import { Layout } from '../layout.js';
import { type Lower, type Lowering, nameOf, type Operand } from '../lowering.js';
import { depthwise, depthwiseBackwardData, depthwiseBackwardWeights, isDepthwise } from './depthwise.js';
import { axesOf, type Convolution, sizesOf } from './geometry.js';
import { suitsWinograd } from './winograd.js';

/** The weights with an axis of groups, if there are several. */
function groupedShape(shape: Shape, groups: number): Shape {
  return groups === 1 ? shape : [groups, shape[0] / groups, ...shape.slice(1)];
}

/** Panels of output channels: `[groups][panels][kh][kw][inChannels][panel]`. */
function forwardPanels(shape: Shape, groups: number, size: number): Layout {
  const all = groupedShape(shape, groups);
  const first = all.length - 4;
  const [o, c, kh, kw] = [first, first + 1, first + 2, first + 3];
  return new Layout(all, 'float32', [...(first === 1 ? [0] : []), o, kh, kw, c], { axis: o, size });
}

/** Panels of input channels: `[groups][panels][kh][kw][outChannels][panel]`. */
function backwardPanels(shape: Shape, groups: number, size: number): Layout {
  const all = groupedShape(shape, groups);
  const first = all.length - 4;
  const [o, c, kh, kw] = [first, first + 1, first + 2, first + 3];
  return new Layout(all, 'float32', [...(first === 1 ? [0] : []), c, kh, kw, o], { axis: c, size });
}

/** Pixels in a row of a product: enough for tiles of any size, and few enough for many tasks. */
const [leastRow, mostRow] = [24, 96];

/** Rows of pixels for a product of matrices, all of the same length. */
function rowsOf(pixels: number, length: number): readonly [rows: number, length: number] {
  if (pixels <= mostRow) return [1, pixels];
  for (let row = mostRow; row >= leastRow; row--) if (pixels % row === 0) return [pixels / row, row];
  return [pixels / length, length];
}

const single: AxisGeometry = { input: 1, output: 1, kernel: 1, stride: 1, pad: 0, dilation: 1 };

/** Images, channels and axes as the kernels see them. */
interface Seen {
  readonly images: number;
  readonly groups: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly axes: readonly [AxisGeometry, AxisGeometry];
}

/** The gradient of weights, in panels. */
export function gradientKernel(context: Lowering, of: Seen): TaskKernel {
  const { images, groups, inChannels, outChannels, axes } = of;
  const isProduct =
    images === 1 && groups === 1 && axes.every(({ kernel, stride, pad }) => kernel === 1 && stride === 1 && pad === 0);
  if (isProduct) {
    return context.generate(productWeightsKernel, axes[0].output * axes[1].output, inChannels, outChannels);
  }
  const [row, col] = axes.map(forwardAxis) as [AxisGather, AxisGather];
  const shape = { images, groups, inChannels, outChannels };
  return context.generate(weightGradientKernel, { ...shape, ...sizesOf(axes), row, col });
}

/** The product of a matrix of pixels with weights. */
export function productOf(pixels: number, inChannels: number, outChannels: number, groups = 1, width = pixels): Seen {
  const [rows, length] = rowsOf(pixels, width);
  const axis = (size: number): AxisGeometry => ({ ...single, input: size, output: size });
  return { images: 1, groups, inChannels, outChannels, axes: [axis(rows), axis(length)] };
}

/** @param joins whether a window over the whole image may become a product */
function seen(conv: Convolution, joins = true): Seen {
  const { x, weight, y, params } = conv;
  const axes = axesOf(conv);
  const { groups } = params;
  const [inChannels, outChannels] = [weight[1], weight[0] / groups];
  const isUnpadded = params.padding.every((n) => n === 0);
  const isDense = isUnpadded && [...params.stride, weight[2], weight[3]].every((n) => n === 1);
  if (isDense) return productOf(x[0] * x[2] * x[3], inChannels, outChannels, groups, x[3]);
  // A window over the whole image: its pixels are neighbours in memory, like the channels of one pixel.
  const isWhole = joins && isUnpadded && groups === 1 && y[2] * y[3] === 1 && weight[2] === x[2] && weight[3] === x[3];
  if (isWhole) return productOf(x[0], inChannels * x[2] * x[3], outChannels);
  return { images: x[0], groups, inChannels, outChannels, axes };
}

export function forwardGather(
  { images, groups, inChannels, outChannels, axes }: Seen,
  extras: Pick<Gather, 'bias' | 'summand' | 'activation'>,
): Gather {
  const [rows, cols] = axes.map(forwardAxis);
  return {
    images,
    groups,
    inChannels,
    outChannels,
    ...sizesOf(axes),
    rows: [rows],
    cols: [cols],
    ...extras,
  };
}

export function backwardGather({ images, groups, inChannels, outChannels, axes }: Seen): Gather {
  const { input, output, kernel } = sizesOf(axes);
  const [rows, cols] = axes.map(backwardAxes);
  return {
    images,
    groups,
    inChannels: outChannels,
    outChannels: inChannels,
    input: output,
    output: input,
    kernel,
    rows,
    cols,
    bias: false,
    summand: false,
  };
}

export const conv2d: Lower<'conv2d'> = (context, node) => {
  const [x, weight, bias, summand] = node.inputs;
  const [y] = node.outputs;
  const { params } = node;
  const conv = { x: x.shape, weight: weight.shape, y: y.shape, params };
  if (isDepthwise(conv)) {
    depthwise(context, node, conv);
    return;
  }
  const extras = { bias: bias !== undefined, summand: summand !== undefined, activation: params.activation };
  const reads = [
    context.inLayout(x, Layout.channelsLast(x.shape)),
    context.inLayout(weight, forwardPanels(weight.shape, params.groups, context.panel)),
  ];
  if (bias !== undefined) reads.push(context.plain(bias));
  if (summand !== undefined) reads.push(context.inLayout(summand, Layout.channelsLast(y.shape)));
  const isWinograd = context.usesWinograd && suitsWinograd(conv, 'forward', context.isConstant(weight));
  if (isWinograd) reads[1] = winogradPanels(context, weight, reads[1], weight.shape, false);
  const kernel = isWinograd
    ? context.generate(
        activatedWinograd,
        winogradShape(kind, x.shape, y.shape, [params.padding[0], params.padding[2]]),
        extras,
        context.threads,
      )
    : context.generate(gatherKernel, forwardGather(seen(conv), extras), context.threads);
  const target = context.output(y, Layout.channelsLast(y.shape));
  const name = summand === undefined ? nameOf(node) : nameOf(node).replace('conv2d', 'conv2d+add');
  context.run(name, kernel, reads, [target], isWinograd ? 'winograd' : name);
};

function activatedWinograd(
  shape: WinogradConvolution,
  { activation, ...extras }: WinogradExtras & { readonly activation?: Activation | undefined },
  threads: number,
): TaskKernel {
  return winogradKernel(shape, extras, threads, activation && ((to, x) => activate(to, activation, x)));
}

const kind = { lanes: 4, blocked: false } as const;

/** The weights, which are in panels, transformed. */
function winogradPanels(
  context: Lowering,
  weight: GraphValue,
  panels: Operand,
  [outChannels, inChannels]: Shape,
  turned: boolean,
): Operand {
  const count = Math.ceil(outChannels / context.panel);
  const layout = Layout.plain([places, transformedPlace(count * context.panel, inChannels)]);
  const transformed = { buffer: context.scratch(layout.size), layout };
  const kernel = context.generate(winogradWeights, count, inChannels, turned);
  context.run('winogradWeights', kernel, [panels], [transformed], 'winograd', context.isConstant(weight));
  return transformed;
}

export const conv2dBackwardData: Lower<'conv2dBackwardData'> = (context, node) => {
  const [dy, weight] = node.inputs;
  const [dx] = node.outputs;
  const { params } = node;
  const conv = { x: dx.shape, weight: weight.shape, y: dy.shape, params };
  if (isDepthwise(conv)) {
    depthwiseBackwardData(context, node, conv);
    return;
  }
  if (context.usesWinograd && suitsWinograd(conv, 'backwardData', context.isConstant(weight))) {
    const [out, channels] = weight.shape;
    const [top, , left] = params.padding;
    const turned = winogradShape(kind, dy.shape, dx.shape, [2 - top, 2 - left]);
    const panels = context.inLayout(weight, backwardPanels(weight.shape, 1, context.panel));
    const reads = [
      context.inLayout(dy, Layout.channelsLast(dy.shape)),
      winogradPanels(context, weight, panels, [channels, out], true),
    ];
    const kernel = context.generate(activatedWinograd, turned, { bias: false, summand: false }, context.threads);
    context.run(node.op, kernel, reads, [context.output(dx, Layout.channelsLast(dx.shape))], 'winograd');
    return;
  }
  // The channels of all pixels form panels only if those of each pixel do.
  const shape = seen(conv, weight.shape[1] % context.panel === 0);
  const isWhole = shape.inChannels > weight.shape[1];
  const block = { axis: 1, size: context.panel };
  const panels = isWhole
    ? new Layout(weight.shape, 'float32', [2, 3, 1, 0], block)
    : backwardPanels(weight.shape, params.groups, context.panel);
  const reads = [context.inLayout(dy, Layout.channelsLast(dy.shape)), context.inLayout(weight, panels)];
  const kernel = context.generate(gatherKernel, backwardGather(shape), context.threads);
  context.run(node.op, kernel, reads, [context.output(dx, Layout.channelsLast(dx.shape))]);
};

export const conv2dBackwardWeights: Lower<'conv2dBackwardWeights'> = (context, node) => {
  const [x, dy] = node.inputs;
  const [dWeight, dBias] = node.outputs;
  const { params } = node;
  const conv = { x: x.shape, weight: params.weightShape, y: dy.shape, params };
  const reads = [x, dy].map((value) => context.inLayout(value, Layout.channelsLast(value.shape)));
  if (context.isUsed(dWeight) && isDepthwise(conv)) depthwiseBackwardWeights(context, node, conv, reads);
  else if (context.isUsed(dWeight)) {
    const layout = forwardPanels(params.weightShape, params.groups, context.panel);
    if (context.usesWinograd && suitsWinograd(conv, 'backwardWeights')) {
      const shape = winogradShape(kind, x.shape, dy.shape, [params.padding[0], params.padding[2]]);
      const panels = Math.ceil(shape.outChannels / context.panel);
      const sums = Layout.plain([places, transformedPlace(panels * context.panel, shape.inChannels)]);
      const transformed = { buffer: context.scratch(sums.size), layout: sums };
      context.run(
        node.op,
        context.generate(winogradGradient, shape, context.threads),
        reads,
        [transformed],
        'winograd',
      );
      const results = context.generate(winogradWeightResults, panels, shape.inChannels);
      context.run('winogradWeights', results, [transformed], [context.output(dWeight, layout)], 'winograd');
    } else context.run(node.op, gradientKernel(context, seen(conv)), reads, [context.output(dWeight, layout)]);
  }
  if (params.bias) biasGradient(context, dy, dBias, reads[1]);
};

/** Sums over all pixels. */
export function biasGradient(context: Lowering, dy: GraphValue, dBias: GraphValue, placed: Operand): void {
  if (!context.isUsed(dBias)) return;
  const columns = dy.shape[1];
  const target = context.output(dBias, Layout.plain(dBias.shape));
  const shape = { matrices: 1, rows: numel(dy.shape) / columns, columns };
  context.run('biasGradient', context.generate(columnSums, shape), [placed], [target]);
}
