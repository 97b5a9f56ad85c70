import type { GraphNode } from '../../../compiler/graph.js';
import type { Pool2dParams } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import {
  avgPoolBackwardKernel,
  avgPoolKernel,
  maxPoolBackwardKernel,
  maxPoolKernel,
  type PoolShape,
} from '../kernels/pool.js';
import { columnSums, copiedRows } from '../kernels/sums.js';
import { Layout } from '../layout.js';
import type { Lower, Lowering } from '../lowering.js';
import { matricesOf } from './channelScale.js';

/** The places of a window are written out in code; a larger window is computed in TypeScript. */
const mostPlaces = 81;

const isLarge = ({ kernel }: Pool2dParams): boolean => kernel[0] * kernel[1] > mostPlaces;

function shapeOf({ kernel, stride, padding }: Pool2dParams, x: Shape, y: Shape): PoolShape {
  return { kernel, stride, padding, images: x[0], channels: x[1], input: [x[2], x[3]], output: [y[2], y[3]] };
}

export const maxPool2d: Lower<'maxPool2d'> = (context, node) => {
  const [x] = node.inputs;
  const [y, argmax] = node.outputs;
  if (isLarge(node.params)) {
    context.fallback(node);
    return;
  }
  const trains = context.isUsed(argmax);
  const layout = Layout.channelsLast(y.shape);
  const writes = [context.output(y, layout), ...(trains ? [context.output(argmax, layout)] : [])];
  const kernel = context.generate(maxPoolKernel, shapeOf(node.params, x.shape, y.shape), trains);
  context.run(node.op, kernel, [context.inLayout(x, Layout.channelsLast(x.shape))], writes);
};

export const maxPool2dBackward: Lower<'maxPool2dBackward'> = (context, node) => {
  const [dy, argmax] = node.inputs;
  const [dx] = node.outputs;
  if (isLarge(node.params)) {
    context.fallback(node);
    return;
  }
  const reads = [context.inLayout(dy, Layout.channelsLast(dy.shape)), context.locate(argmax)];
  const target = context.output(dx, Layout.channelsLast(dx.shape));
  context.run(node.op, context.generate(maxPoolBackwardKernel, shapeOf(node.params, dx.shape, dy.shape)), reads, [
    target,
  ]);
};

export const avgPool2d: Lower<'avgPool2d'> = (context, node) => {
  if (isWhole(node.params, node.inputs[0].shape)) wholeMean(context, node);
  else if (isLarge(node.params)) context.fallback(node);
  else average(context, node, node.params, node.params.countIncludePad);
};

export const avgPool2dBackward: Lower<'avgPool2dBackward'> = (context, node) => {
  if (isWhole(node.params, node.outputs[0].shape)) wholeMeanBackward(context, node);
  else if (isLarge(node.params)) context.fallback(node);
  else averageBackward(context, node, node.params, node.params.countIncludePad);
};

/** Whether the only window is the whole image. */
function isWhole({ kernel, padding }: Pool2dParams, x: Shape): boolean {
  return padding.every((n) => n === 0) && kernel[0] === x[2] && kernel[1] === x[3];
}

function wholeMean(context: Lowering, node: GraphNode): void {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const shape = matricesOf(x.shape);
  const target = context.output(y, Layout.channelsLast(y.shape));
  const source = context.inLayout(x, Layout.channelsLast(x.shape));
  context.run(node.op, context.generate(columnSums, shape, 1 / shape.rows), [source], [target]);
}

function wholeMeanBackward(context: Lowering, node: GraphNode): void {
  const [dy] = node.inputs;
  const [dx] = node.outputs;
  const shape = matricesOf(dx.shape);
  const target = context.output(dx, Layout.channelsLast(dx.shape));
  const source = context.inLayout(dy, Layout.channelsLast(dy.shape));
  context.run(node.op, context.generate(copiedRows, shape, 1 / shape.rows), [source], [target]);
}

function average(context: Lowering, node: GraphNode, window: Pool2dParams, includesPadding: boolean): void {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const kernel = context.generate(avgPoolKernel, shapeOf(window, x.shape, y.shape), includesPadding);
  const target = context.output(y, Layout.channelsLast(y.shape));
  context.run(node.op, kernel, [context.inLayout(x, Layout.channelsLast(x.shape))], [target]);
}

function averageBackward(context: Lowering, node: GraphNode, window: Pool2dParams, includesPadding: boolean): void {
  const [dy] = node.inputs;
  const [dx] = node.outputs;
  const kernel = context.generate(avgPoolBackwardKernel, shapeOf(window, dx.shape, dy.shape), includesPadding);
  const target = context.output(dx, Layout.channelsLast(dx.shape));
  context.run(node.op, kernel, [context.inLayout(dy, Layout.channelsLast(dy.shape))], [target]);
}

/** A window that gives the cells of adaptive pooling, if all have the same size. */
function windowOf(input: Shape, output: Shape): Pool2dParams | null {
  const sizes = [2, 3].map((axis) => input[axis] / output[axis]);
  if (!sizes.every(Number.isInteger)) return null;
  const [h, w] = sizes;
  return h * w > mostPlaces ? null : { kernel: [h, w], stride: [h, w], padding: [0, 0, 0, 0] };
}

export const adaptiveAvgPool2d: Lower<'adaptiveAvgPool2d'> = (context, node) => {
  const window = windowOf(node.inputs[0].shape, node.outputs[0].shape);
  if (node.params.outputSize.every((size) => size === 1)) wholeMean(context, node);
  else if (window === null) context.fallback(node);
  else average(context, node, window, true);
};

export const adaptiveAvgPool2dBackward: Lower<'adaptiveAvgPool2dBackward'> = (context, node) => {
  const window = windowOf(node.outputs[0].shape, node.inputs[0].shape);
  if (node.params.outputSize.every((size) => size === 1)) wholeMeanBackward(context, node);
  else if (window === null) context.fallback(node);
  else averageBackward(context, node, window, true);
};
