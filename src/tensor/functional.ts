import * as check from '../check.js';
import { ShapeError } from '../errors.js';
import { Value } from '../graph/node.js';
import type { UnaryFn } from '../graph/op.js';
import { formatShape, numel, sameShape } from '../graph/shape.js';
import * as ops from '../ops/index.js';
import { defaultGenerator } from '../random.js';
import { linearWith } from './lastLayer.js';
import {
  type AvgPool2dOptions,
  avgPoolChecks,
  type Conv2dOptions,
  type CrossEntropyOptions,
  convChecks,
  convParams,
  count,
  crossEntropyChecks,
  type DropoutOptions,
  dropoutChecks,
  type LossOptions,
  lossChecks,
  type Pool2dOptions,
  paddingOf,
  pairOf,
  poolChecks,
  type Size2D,
  size2D,
} from './operands.js';
import { operandOf, requireTensor, Tensor } from './tensor.js';

export { scaledDotProductAttention } from './attention.js';
export { type LayerNormOptions, layerNorm } from './layerNorm.js';
export type {
  AvgPool2dOptions,
  Conv2dOptions,
  CrossEntropyOptions,
  DropoutOptions,
  LossOptions,
  Padding2D,
  Pool2dOptions,
  Reduction,
  Size2D,
} from './operands.js';

/**
 * 2-D convolution (cross-correlation, as everywhere in the field).
 *
 * @param x `[N, C, H, W]`
 * @param weight `[O, C/groups, kh, kw]`
 * @param bias `[O]`
 * @returns `[N, O, OH, OW]`, OH = ⌊(H + padding − dilation·(kh − 1) − 1)/stride⌋ + 1
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv2dOptions = {}): Tensor {
  const params = convParams(check.requireOptions('conv2d', options, convChecks));
  return new Tensor(
    ops.conv2d(params, operandOf('conv2d', x), operandOf('conv2d', weight, 'weight'), biasOf('conv2d', bias)),
  );
}

/**
 * `x·weight + bias` over the last axis.
 *
 * @param x `[…, in]`
 * @param weight `[in, out]`, as in Paddle (the transpose of PyTorch's)
 * @param bias `[out]`
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  requireTensor('linear', x);
  const rows = x.shape.length === 2 ? x : x.reshape([-1, x.shape[x.shape.length - 1] ?? 1]);
  const y = new Tensor(ops.linear(rows.value, operandOf('linear', weight, 'weight'), biasOf('linear', bias)));
  return x.shape.length === 2 ? y : y.reshape([...x.shape.slice(0, -1), weight.shape[1]]);
}

function biasOf(where: string, bias: Tensor | null): Value | null {
  return bias === null ? null : operandOf(where, bias, 'bias');
}

/** Maximum over windows of `[N, C, H, W]`; padding is never the maximum. */
export function maxPool2d(x: Tensor, kernelSize: Size2D, options: Pool2dOptions = {}): Tensor {
  check.requireOptions('maxPool2d', options, poolChecks);
  return new Tensor(ops.maxPool2d(poolParams('maxPool2d', kernelSize, options), operandOf('maxPool2d', x)));
}

/** Mean over windows of `[N, C, H, W]`. */
export function avgPool2d(x: Tensor, kernelSize: Size2D, options: AvgPool2dOptions = {}): Tensor {
  check.requireOptions('avgPool2d', options, avgPoolChecks);
  const params = { ...poolParams('avgPool2d', kernelSize, options), countIncludePad: options.exclusive === false };
  return new Tensor(ops.avgPool2d(params, operandOf('avgPool2d', x)));
}

function poolParams(where: string, kernelSize: Size2D, { stride = kernelSize, padding = 0 }: Pool2dOptions) {
  check.requireValue(where, 'kernelSize', kernelSize, size2D);
  return { kernel: pairOf(kernelSize), stride: pairOf(stride), padding: paddingOf(padding) };
}

/** Mean over cells so that `[N, C, H, W]` becomes `[N, C, ...outputSize]`. */
export function adaptiveAvgPool2d(x: Tensor, outputSize: Size2D): Tensor {
  check.requireValue('adaptiveAvgPool2d', 'outputSize', outputSize, size2D);
  return new Tensor(ops.adaptiveAvgPool2d(pairOf(outputSize), operandOf('adaptiveAvgPool2d', x)));
}

const activation =
  (fn: UnaryFn) =>
  (x: Tensor): Tensor =>
    new Tensor(ops.unary(fn, operandOf(fn, x)));

/** max(x, 0) */
export const relu = activation('relu');
/** min(max(x, 0), 6) (Krizhevsky, 2010), with gradient 0 at both ends. */
export const relu6 = activation('relu6');
/** 1/(1 + e^(−x)) */
export const sigmoid = activation('sigmoid');
export const tanh = activation('tanh');
/** x·relu6(x + 3)/6 (Howard et al., 2019) */
export const hardswish = activation('hardswish');
/** x·sigmoid(x) (Hendrycks & Gimpel, 2016) */
export const silu = activation('silu');
/** The same as {@link silu} (Ramachandran et al., 2017). */
export function swish(x: Tensor): Tensor {
  return silu(x);
}
/** x·Φ(x), where Φ is the distribution function of the normal distribution (Hendrycks & Gimpel, 2016) */
export const gelu = activation('gelu');

/** relu6(x + 3)/6: 0 up to −3, 1 from 3 on, a line in between. */
export function hardsigmoid(x: Tensor): Tensor {
  const moved = ops.affine(operandOf('hardsigmoid', x), 1, 3);
  return new Tensor(ops.affine(ops.unary('relu6', moved), 1 / 6, 0));
}

/**
 * x where positive, otherwise `negativeSlope`·x.
 *
 * @param negativeSlope at least 0; default 0.01
 */
export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
  check.requireValue('leakyRelu', 'negativeSlope', negativeSlope, check.nonNegative);
  return new Tensor(ops.unary('leakyRelu', operandOf('leakyRelu', x), negativeSlope));
}

/**
 * Mixes the channels of `[N, C, H, W]` (Zhang et al., 2018): the first channel of each group, then the second
 * of each, and so on.
 *
 * @param groups a divisor of C
 */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  const { shape } = operandOf('channelShuffle', x);
  check.requireValue('channelShuffle', 'groups', groups, check.integer(1));
  const [images, channels, height, width] = shape;
  if (shape.length !== 4 || channels % groups !== 0) {
    throw new ShapeError(
      `[channelShuffle] input: expected [N, C, H, W] with C a multiple of ${groups}, got ${formatShape(shape)}`,
    );
  }
  const split = x.reshape([images, groups, channels / groups, height, width]);
  return split.transpose([0, 2, 1, 3, 4]).reshape([images, channels, height, width]);
}

/** Exponentials along an axis, scaled to sum up to 1. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return new Tensor(ops.softmax(operandOf('softmax', x), axis));
}

/** Logarithm of the softmax along an axis. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return new Tensor(ops.softmax(operandOf('logSoftmax', x), axis, true));
}

/** Sets elements to zero at random (Srivastava et al., 2014). */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  requireTensor('dropout', x);
  check.requireOptions('dropout', options, dropoutChecks);
  const { p = 0.5, training = true, mode = 'upscaleInTrain', generator = defaultGenerator() } = options;
  const upscale = mode === 'upscaleInTrain';
  if (!training) return upscale || p === 0 ? x : x.affine(1 - p, 0);
  if (p === 0) return x;
  // The seed is an input of the program. A new seed at every step then needs no new program.
  const seed = Value.from(Int32Array.from(generator.seedPair()), [2], 'int32');
  const mask = ops.dropoutMask({ shape: x.shape, p, upscale }, seed);
  return new Tensor(ops.binary('mul', x.value, mask));
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
  requireTensor('crossEntropy', logits, 'logits');
  requireTensor('crossEntropy', labels, 'labels');
  const {
    reduction = 'mean',
    ignoreIndex = -100,
    weight,
    labelSmoothing = 0,
  } = check.requireOptions('crossEntropy', options, crossEntropyChecks);
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
  const hard = weights === null ? plain : plain.mul(weights);
  const losses =
    labelSmoothing === 0
      ? hard
      : hard
          .affine(1 - labelSmoothing, 0)
          .add(lossOfAllClasses(rows, flat, weight, ignoreIndex).affine(labelSmoothing, 0));
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

/** The mean over all classes of their losses, each with its weight, `[N]`; 0 where the label is ignored. */
function lossOfAllClasses(rows: Tensor, labels: Tensor, weight: Tensor | undefined, ignoreIndex: number): Tensor {
  const logarithms = logSoftmax(rows);
  const weighted = weight === undefined ? logarithms : logarithms.mul(weight.reshape([1, -1]));
  return weighted.mean({ axis: 1 }).affine(-1, 0).mul(labels.notEqual(ignoreIndex).cast('float32'));
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

/**
 * Binary cross entropy of sigmoid(logits) with targets from 0 to 1, computed without overflow.
 *
 * @param logits any shape
 * @param targets float32 of the same shape
 */
export function binaryCrossEntropyWithLogits(logits: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  const where = 'binaryCrossEntropyWithLogits';
  check.requireOptions(where, options, lossChecks);
  const [x, y] = [operandOf(where, logits, 'logits'), operandOf(where, targets, 'targets')];
  return reduced(new Tensor(ops.bceWithLogits(x, y)), options);
}

/**
 * Squared difference of two tensors of one shape.
 *
 * @throws {ShapeError} if the shapes differ: `[N, 1]` minus `[N]` would compare every pair of elements
 */
export function mseLoss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  requireTensor('mseLoss', prediction, 'prediction');
  requireTensor('mseLoss', target, 'target');
  check.requireOptions('mseLoss', options, lossChecks);
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
  requireTensor('accuracy', scores, 'scores');
  requireTensor('accuracy', labels, 'labels');
  check.requireValue('accuracy', 'k', k, count);
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
