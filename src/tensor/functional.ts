import { InputError, ShapeError } from '../errors.js';
import { Value } from '../graph/node.js';
import type { Padding, Pair, UnaryFn } from '../graph/op.js';
import { formatShape, numel, sameShape } from '../graph/shape.js';
import * as ops from '../ops/index.js';
import { defaultGenerator, type RandomGenerator } from '../random.js';
import { linearWith } from './lastLayer.js';
import { Tensor } from './tensor.js';

/** One number for both axes, or `[height, width]`. */
export type Size2D = number | Pair;

/**
 * Zeros around an image: one number for all sides, `[vertical, horizontal]`, or `[top, bottom, left, right]`.
 */
export type Padding2D = number | Pair | Padding;

export type Reduction = 'mean' | 'sum' | 'none';

export function pairOf(size: Size2D): Pair {
  return typeof size === 'number' ? [size, size] : size;
}

export function paddingOf(padding: Padding2D): Padding {
  if (typeof padding === 'number') return [padding, padding, padding, padding];
  if (padding.length === 4) return padding;
  return [padding[0], padding[0], padding[1], padding[1]];
}

export interface Conv2dOptions {
  /** Default: 1. */
  readonly stride?: Size2D;
  /** Default: 0. */
  readonly padding?: Padding2D;
  /** Default: 1. */
  readonly dilation?: Size2D;
  /** Default: 1. */
  readonly groups?: number;
}

/**
 * 2-D convolution (cross-correlation, as everywhere in the field).
 *
 * @param x `[N, C, H, W]`
 * @param weight `[O, C/groups, kh, kw]`
 * @param bias `[O]`
 * @returns `[N, O, OH, OW]`, OH = ⌊(H + padding − dilation·(kh − 1) − 1)/stride⌋ + 1
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv2dOptions = {}): Tensor {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const params = { stride: pairOf(stride), padding: paddingOf(padding), dilation: pairOf(dilation), groups };
  return new Tensor(ops.conv2d(params, x.value, weight.value, bias === null ? null : bias.value));
}

/**
 * `x·weight + bias` over the last axis.
 *
 * @param x `[…, in]`
 * @param weight `[in, out]`, as in Paddle (the transpose of PyTorch's)
 * @param bias `[out]`
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const rows = x.shape.length === 2 ? x : x.reshape([-1, x.shape[x.shape.length - 1] ?? 1]);
  const y = new Tensor(ops.linear(rows.value, weight.value, bias === null ? null : bias.value));
  return x.shape.length === 2 ? y : y.reshape([...x.shape.slice(0, -1), weight.shape[1]]);
}

export interface Pool2dOptions {
  /** Default: the kernel size. */
  readonly stride?: Size2D;
  /** Default: 0. */
  readonly padding?: Padding2D;
}

/** Maximum over windows of `[N, C, H, W]`; padding is never the maximum. */
export function maxPool2d(x: Tensor, kernelSize: Size2D, options: Pool2dOptions = {}): Tensor {
  return new Tensor(ops.maxPool2d(poolParams(kernelSize, options), x.value));
}

/**
 * Mean over windows of `[N, C, H, W]`.
 *
 * @param options.exclusive leave the padding out of the mean (default true, as in Paddle; false in PyTorch)
 */
export function avgPool2d(
  x: Tensor,
  kernelSize: Size2D,
  options: Pool2dOptions & { readonly exclusive?: boolean } = {},
): Tensor {
  const params = { ...poolParams(kernelSize, options), countIncludePad: options.exclusive === false };
  return new Tensor(ops.avgPool2d(params, x.value));
}

function poolParams(kernelSize: Size2D, { stride = kernelSize, padding = 0 }: Pool2dOptions) {
  return { kernel: pairOf(kernelSize), stride: pairOf(stride), padding: paddingOf(padding) };
}

/** Mean over cells so that `[N, C, H, W]` becomes `[N, C, ...outputSize]`. */
export function adaptiveAvgPool2d(x: Tensor, outputSize: Size2D): Tensor {
  return new Tensor(ops.adaptiveAvgPool2d(pairOf(outputSize), x.value));
}

const activation =
  (fn: UnaryFn) =>
  (x: Tensor): Tensor =>
    new Tensor(ops.unary(fn, x.value));

/** max(x, 0) */
export const relu = activation('relu');
/** min(max(x, 0), 6) (Krizhevsky, 2010), with gradient 0 at both ends. */
export const relu6 = activation('relu6');
/** 1/(1 + e^(−x)) */
export const sigmoid = activation('sigmoid');
export const tanh = activation('tanh');

/**
 * x where positive, otherwise `negativeSlope`·x.
 *
 * @param negativeSlope at least 0; default 0.01
 */
export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
  if (!(negativeSlope >= 0)) {
    throw new InputError(`[leakyRelu] negativeSlope: expected a number of at least 0, got ${negativeSlope}`);
  }
  return new Tensor(ops.unary('leakyRelu', x.value, negativeSlope));
}

/** Exponentials along an axis, scaled to sum up to 1. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return new Tensor(ops.softmax(x.value, axis));
}

/** Logarithm of the softmax along an axis. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return new Tensor(ops.softmax(x.value, axis, true));
}

export interface DropoutOptions {
  /** Probability of dropping an element, from 0 up to but not including 1. Default: 0.5. */
  readonly p?: number;
  /** Outside of training, nothing is dropped. Default: true. */
  readonly training?: boolean;
  /**
   * `upscaleInTrain` (default) divides the remaining elements by 1 − p in training. `downscaleInInfer`
   * multiplies by 1 − p outside of training instead.
   */
  readonly mode?: 'upscaleInTrain' | 'downscaleInInfer';
  /** Default: the generator that `seed()` sets. */
  readonly generator?: RandomGenerator;
}

/** Sets elements to zero at random (Srivastava et al., 2014). */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  const { p = 0.5, training = true, mode = 'upscaleInTrain', generator = defaultGenerator() } = options;
  if (!(p >= 0 && p < 1)) throw new InputError(`[dropout] p: expected 0 <= p < 1, got ${p}`);
  const upscale = mode === 'upscaleInTrain';
  if (!training) return upscale || p === 0 ? x : x.affine(1 - p, 0);
  if (p === 0) return x;
  // The seed is an input of the program. A new seed at every step then needs no new program.
  const seed = Value.from(Int32Array.from(generator.seedPair()), [2], 'int32');
  const mask = ops.dropoutMask({ shape: x.shape, p, upscale }, seed);
  return new Tensor(ops.binary('mul', x.value, mask));
}

export interface CrossEntropyOptions {
  /**
   * Default: `mean`, as in Paddle: the sum divided by the number of samples. Ignored samples count only if
   * `ignoreIndex` is negative. With weights, the divisor is the sum of the samples' weights. The mean is 0 if
   * no sample counts.
   */
  readonly reduction?: Reduction;
  /** The loss of samples with this label is 0. Default: -100. */
  readonly ignoreIndex?: number;
  /** Weight of each class, `[C]`. */
  readonly weight?: Tensor | undefined;
}

/**
 * Cross entropy of softmax(logits) with the true classes.
 *
 * @param logits `[N, C]`, or `[N, C, …]` with classes on axis 1
 * @param labels int32 classes `[N]` or `[N, …]`, also with an axis of size 1 for the classes, as in Paddle's
 *   `[N, 1]`
 * @returns a scalar, or with reduction `none` the losses in the shape of the labels
 * @throws {ShapeError} if the labels have another shape, and for a single class, whose softmax is always 1
 */
export function crossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { reduction = 'mean', ignoreIndex = -100, weight } = options;
  const rank = logits.shape.length;
  if (rank < 2) {
    throw new ShapeError(`[crossEntropy] logits: expected [batch, classes, …], got ${formatShape(logits.shape)}`);
  }
  const classes = logits.shape[1];
  if (classes === 1) {
    throw new ShapeError(
      `[crossEntropy] logits: expected at least two classes, got ${formatShape(logits.shape)}: the softmax of one output ` +
        `is always 1; for two classes use BCEWithLogitsLoss, or a last layer with two outputs${linearWith(logits, 2)}`,
    );
  }
  const [samples, , ...places] = logits.shape;
  if (!sameShape(labels.shape, [samples, ...places]) && !sameShape(labels.shape, [samples, 1, ...places])) {
    throw new ShapeError(
      `[crossEntropy] labels shape: expected ${formatShape([samples, ...places])} ` +
        `(logits ${formatShape(logits.shape)}), got ${formatShape(labels.shape)}`,
    );
  }
  const rows =
    rank === 2
      ? logits
      : logits.transpose([0, ...logits.shape.slice(2).map((_, i) => i + 2), 1]).reshape([-1, classes]);
  const flat = labels.shape.length === 1 ? labels : labels.reshape([-1]);
  const plain = new Tensor(ops.crossEntropy(ignoreIndex, rows.value, flat.value));
  const weights = weight === undefined ? null : classWeights(flat, weight, classes, ignoreIndex);
  const losses = weights === null ? plain : plain.mul(weights);
  if (reduction === 'none') return labels.shape.length === 1 ? losses : losses.reshape(labels.shape);
  if (reduction === 'sum') return losses.sum();
  if (weights !== null) {
    const total = weights.sum();
    return losses.sum().div(total.add(total.equal(0).cast('float32')));
  }
  if (ignoreIndex < 0) return losses.mean();
  const counted = flat.notEqual(ignoreIndex).cast('float32').sum().maximum(1);
  return losses.sum().div(counted);
}

/** The weight of each sample's class, `[N]`; 0 where the label is ignored. */
function classWeights(labels: Tensor, weight: Tensor, classes: number, ignoreIndex: number): Tensor {
  if (weight.shape.length !== 1 || weight.shape[0] !== classes) {
    throw new ShapeError(`[crossEntropy] weight: expected [${classes}], got ${formatShape(weight.shape)}`);
  }
  const numbers = Tensor.fromData(Int32Array.from({ length: classes }, (_, i) => (i === ignoreIndex ? -1 : i)));
  const own = labels
    .reshape([-1, 1])
    .equal(numbers.reshape([1, -1]))
    .cast('float32');
  return own.mul(weight.reshape([1, -1])).sum({ axis: 1 });
}

/** Options of losses that are means of elementwise terms. */
export interface LossOptions {
  /** Default: `mean`. */
  readonly reduction?: Reduction;
}

/**
 * Binary cross entropy of sigmoid(logits) with targets from 0 to 1, computed without overflow.
 *
 * @param logits any shape
 * @param targets float32 of the same shape
 */
export function binaryCrossEntropyWithLogits(logits: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  return reduced(new Tensor(ops.bceWithLogits(logits.value, targets.value)), options);
}

/**
 * Squared difference of two tensors of one shape.
 *
 * @throws {ShapeError} if the shapes differ: `[N, 1]` minus `[N]` would compare every pair of elements
 */
export function mseLoss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  if (!sameShape(prediction.shape, target.shape)) {
    throw new ShapeError(
      `[mseLoss] target shape: expected that of the prediction, ${formatShape(prediction.shape)}, got ` +
        `${formatShape(target.shape)}; reshape() one of them`,
    );
  }
  return reduced(prediction.sub(target).square(), options);
}

function reduced(terms: Tensor, { reduction = 'mean' }: LossOptions): Tensor {
  if (reduction === 'none') return terms;
  return reduction === 'sum' ? terms.sum() : terms.mean();
}

/**
 * Share of samples whose true class is among the k classes with the largest scores. With k classes or fewer,
 * that is every sample with a label from 0 to C − 1, as in the metric of that name.
 *
 * @param scores `[N, C]`
 * @param labels int32 `[N]` or `[N, 1]`
 * @returns a float32 scalar
 */
export function accuracy(scores: Tensor, labels: Tensor, k = 1): Tensor {
  if (!Number.isInteger(k) || k < 1) throw new InputError(`[accuracy] k: expected a positive integer, got ${k}`);
  if (scores.shape.length !== 2) {
    throw new ShapeError(`[accuracy] scores: expected [samples, classes], got ${formatShape(scores.shape)}`);
  }
  const [n, classes] = scores.shape;
  const { indices } = scores.detach().topk(Math.min(k, classes), { axis: 1 });
  if (numel(labels.shape) !== n) {
    throw new ShapeError(`[accuracy] labels: expected ${n} (scores ${formatShape(scores.shape)}), got ${labels.size}`);
  }
  return indices
    .equal(labels.reshape([n, 1]))
    .cast('float32')
    .sum({ axis: 1 })
    .mean();
}
