import { ShapeError } from '../errors.js';
import type { DType } from '../graph/dtype.js';
import { Node, type Value } from '../graph/node.js';
import type {
  Activation,
  BatchNormParams,
  BinaryFn,
  Conv2dParams,
  LayerNormParams,
  MatmulParams,
  OpParams,
  Pair,
  Pool2dParams,
  ReduceFn,
  SoftmaxParams,
  UnaryFn,
} from '../graph/op.js';
import { formatShape, normalizeAxis, numel, type Shape, sameShape } from '../graph/shape.js';
import { apply, withoutGrad } from './define.js';

// Gradients and the functional API build graphs with these functions. A call without effect adds no node.

export function unary(fn: UnaryFn, x: Value, alpha = 0): Value {
  return apply('unary', { fn, alpha }, [x])[0];
}

export function unaryBackward(activation: Activation, dy: Value, y: Value): Value {
  return apply('unaryBackward', activation, [dy, y])[0];
}

/** `scale·x + shift` */
export function affine(x: Value, scale: number, shift: number): Value {
  return apply('affine', { scale, shift }, [x])[0];
}

/** Emits `scaleChannels` where one factor multiplies all pixels of a channel; engines have a kernel. */
export function binary(fn: BinaryFn, a: Value, b: Value): Value {
  if (fn === 'mul' && scales(a, b)) return scaleChannels(a, b);
  if (fn === 'mul' && scales(b, a)) return scaleChannels(b, a);
  return apply('binary', { fn }, [a, b])[0];
}

/** Whether `factors` has one number for each channel of the images, for each channel or for each image. */
function scales({ shape, dtype }: Value, factors: Value): boolean {
  const [images, channels, ...pixels] = shape;
  const isImages = shape.length === 4 && dtype === 'float32' && numel(pixels) > 1;
  const [byImage, byChannel, ...rest] = factors.shape;
  const isFactors = factors.dtype === 'float32' && factors.shape.length === 4 && rest.every((size) => size === 1);
  const fits = (byImage === images || byImage === 1) && (byChannel === channels || byChannel === 1);
  return isImages && isFactors && fits && numel(factors.shape) > 1;
}

/** Multiplies the pixels of each channel of each image by a factor. */
export function scaleChannels(x: Value, factors: Value): Value {
  return apply('scaleChannels', {}, [x, broadcastTo(factors, [...x.shape.slice(0, 2), 1, 1])])[0];
}

/** Returns the gradients of the images and of the factors. */
export function scaleChannelsBackward(x: Value, scale: Value, dy: Value): readonly Value[] {
  return apply('scaleChannelsBackward', {}, [x, scale, dy]);
}

export function select(condition: Value, a: Value, b: Value): Value {
  return apply('select', {}, [condition, a, b])[0];
}

export function cast(x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : apply('cast', { dtype }, [x])[0];
}

/** A tensor filled with `value`. */
export function constant(shape: Shape, dtype: DType, value: number): Value {
  return apply('constant', { shape, dtype, value }, [])[0];
}

export function reshape(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : apply('reshape', { shape }, [x])[0];
}

/** A separate value with the elements of `x`. */
export function identity(x: Value): Value {
  return apply('reshape', { shape: x.shape }, [x])[0];
}

/** As {@link identity}, and gradients end here: it takes part in them even if `x` does not. */
export function watched(x: Value): Value {
  const detached = withoutGrad(() => identity(x));
  return new Node('reshape', { shape: x.shape }, [detached], [detached], true).outputs[0];
}

export function transpose(x: Value, permutation: readonly number[]): Value {
  return apply('transpose', { permutation }, [x])[0];
}

export function broadcastTo(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : apply('broadcastTo', { shape }, [x])[0];
}

export function concat(inputs: readonly Value[], axis: number): Value {
  return inputs.length === 1 ? inputs[0] : apply('concat', { axis }, inputs)[0];
}

export function slice(x: Value, starts: readonly number[], sizes: readonly number[]): Value {
  return sameShape(x.shape, sizes) && starts.every((n) => n === 0) ? x : apply('slice', { starts, sizes }, [x])[0];
}

export function pad(x: Value, before: readonly number[], after: readonly number[], value: number): Value {
  return apply('pad', { before, after, value }, [x])[0];
}

/** Reduces over `axes` (all when undefined; negative ones count from the end). */
export function reduce(fn: ReduceFn, x: Value, axes?: readonly number[], keepdim = false): Value {
  const rank = x.shape.length;
  const unique = axes === undefined ? x.shape.map((_, i) => i) : axes.map((axis) => normalizeAxis(fn, axis, rank));
  if (new Set(unique).size !== unique.length) {
    throw new ShapeError(`[${fn}] axes: expected each axis once, got ${formatShape(axes ?? [])}`);
  }
  if (unique.length === 0) return x;
  return apply('reduce', { fn, axes: unique.sort((a, b) => a - b), keepdim }, [x])[0];
}

/** Sums a gradient over the axes that broadcasting had expanded. */
export function sumTo(gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const offset = gradient.shape.length - shape.length;
  const axes: number[] = [];
  gradient.shape.forEach((size, i) => {
    if (i < offset || (shape[i - offset] === 1 && size !== 1)) axes.push(i);
  });
  return reshape(reduce('sum', gradient, axes, true), shape);
}

export function argmax(x: Value, axis: number, keepdim: boolean): Value {
  return apply('argmax', { axis: normalizeAxis('argmax', axis, x.shape.length), keepdim }, [x])[0];
}

export function topk(x: Value, k: number, axis: number): readonly Value[] {
  return apply('topk', { k, axis: normalizeAxis('topk', axis, x.shape.length) }, [x]);
}

export function conv2d(params: Conv2dParams, x: Value, weight: Value, bias: Value | null): Value {
  return apply('conv2d', params, bias === null ? [x, weight] : [x, weight, bias])[0];
}

export function conv2dBackwardData(params: Conv2dParams, inputShape: Shape, dy: Value, weight: Value): Value {
  const { stride, padding, dilation, groups } = params;
  return apply('conv2dBackwardData', { stride, padding, dilation, groups, inputShape }, [dy, weight])[0];
}

export function conv2dBackwardWeights(
  params: Conv2dParams,
  weightShape: Shape,
  bias: boolean,
  x: Value,
  dy: Value,
): readonly Value[] {
  const { stride, padding, dilation, groups } = params;
  return apply('conv2dBackwardWeights', { stride, padding, dilation, groups, weightShape, bias }, [x, dy]);
}

/** The product of each matrix of `a` with the one of `b` at the same place. */
export function multiplyMatrices(params: MatmulParams, a: Value, b: Value): Value {
  return apply('matmul', params, [a, b])[0];
}

export function linear(x: Value, weight: Value, bias: Value | null): Value {
  return apply('linear', {}, bias === null ? [x, weight] : [x, weight, bias])[0];
}

export function linearBackwardData(dy: Value, weight: Value): Value {
  return apply('linearBackwardData', {}, [dy, weight])[0];
}

export function linearBackwardWeights(bias: boolean, x: Value, dy: Value): readonly Value[] {
  return apply('linearBackwardWeights', { bias }, [x, dy]);
}

export function maxPool2d(params: Pool2dParams, x: Value): Value {
  return apply('maxPool2d', params, [x])[0];
}

export function maxPool2dBackward(params: Pool2dParams, inputShape: Shape, dy: Value, argmax: Value): Value {
  const { kernel, stride, padding } = params;
  return apply('maxPool2dBackward', { kernel, stride, padding, inputShape }, [dy, argmax])[0];
}

export function avgPool2d(params: OpParams['avgPool2d'], x: Value): Value {
  return apply('avgPool2d', params, [x])[0];
}

export function avgPool2dBackward(params: OpParams['avgPool2d'], inputShape: Shape, dy: Value): Value {
  return apply('avgPool2dBackward', { ...params, inputShape }, [dy])[0];
}

/** Emits a plain average pool where all cells are of one size, for which engines have a fast kernel. */
export function adaptiveAvgPool2d(outputSize: Pair, x: Value): Value {
  const [height, width] = x.shape.slice(2);
  if (x.shape.length === 4 && height % outputSize[0] === 0 && width % outputSize[1] === 0) {
    const kernel = [height / outputSize[0], width / outputSize[1]] as const;
    return avgPool2d({ kernel, stride: kernel, padding: [0, 0, 0, 0], countIncludePad: false }, x);
  }
  return apply('adaptiveAvgPool2d', { outputSize }, [x])[0];
}

export function adaptiveAvgPool2dBackward(outputSize: Pair, inputShape: Shape, dy: Value): Value {
  return apply('adaptiveAvgPool2dBackward', { outputSize, inputShape }, [dy])[0];
}

/** Normalizes with given statistics. */
export function batchNorm(
  params: BatchNormParams,
  x: Value,
  mean: Value,
  variance: Value,
  scale: Value,
  shift: Value,
): Value {
  return apply('batchNorm', params, [x, mean, variance, scale, shift])[0];
}

/** Normalizes with the batch's own statistics; returns `y, mean, variance, mask`. */
export function batchNormTrain(params: BatchNormParams, x: Value, scale: Value, shift: Value): readonly Value[] {
  return apply('batchNormTrain', params, [x, scale, shift]);
}

export function batchNormBackward(params: BatchNormParams, ...inputs: readonly Value[]): readonly Value[] {
  return apply('batchNormBackward', params, inputs);
}

/** Returns `y, mean, inverse`. */
export function layerNorm(params: LayerNormParams, x: Value, scale: Value, shift: Value): readonly Value[] {
  return apply('layerNorm', params, [x, scale, shift]);
}

export function layerNormBackward(params: LayerNormParams, ...inputs: readonly Value[]): readonly Value[] {
  return apply('layerNormBackward', params, inputs);
}

export function runningAverage(decay: number, running: Value, batch: Value): Value {
  return apply('runningAverage', { decay }, [running, batch])[0];
}

export function softmax(x: Value, axis: number, log = false): Value {
  return apply('softmax', { axis: normalizeAxis('softmax', axis, x.shape.length), log }, [x])[0];
}

export function softmaxBackward(params: SoftmaxParams, dy: Value, y: Value): Value {
  return apply('softmaxBackward', params, [dy, y])[0];
}

export function crossEntropy(ignoreIndex: number, logits: Value, labels: Value): Value {
  return apply('crossEntropy', { ignoreIndex }, [logits, labels])[0];
}

export function crossEntropyBackward(
  params: OpParams['crossEntropy'],
  logits: Value,
  labels: Value,
  dLoss: Value,
): Value {
  return apply('crossEntropyBackward', params, [logits, labels, dLoss])[0];
}

export function bceWithLogits(x: Value, target: Value): Value {
  return apply('bceWithLogits', {}, [x, target])[0];
}

export function bceWithLogitsBackward(x: Value, target: Value, dLoss: Value): Value {
  return apply('bceWithLogitsBackward', {}, [x, target, dLoss])[0];
}

export function dropoutMask(params: OpParams['dropoutMask'], seed: Value): Value {
  return apply('dropoutMask', params, [seed])[0];
}

export function sgdUpdate(params: OpParams['sgdUpdate'], ...inputs: readonly Value[]): readonly Value[] {
  return apply('sgdUpdate', params, inputs);
}

export function momentumUpdate(params: OpParams['momentumUpdate'], ...inputs: readonly Value[]): readonly Value[] {
  return apply('momentumUpdate', params, inputs);
}

export function adamUpdate(params: OpParams['adamUpdate'], ...inputs: readonly Value[]): readonly Value[] {
  return apply('adamUpdate', params, inputs);
}
