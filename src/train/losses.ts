import * as check from '../check.js';
import { ShapeError } from '../errors.js';
import { formatShape } from '../graph/shape.js';
import { kindOf } from '../kind.js';
import { BCEWithLogitsLoss, CrossEntropyLoss } from '../nn/index.js';
import { Layer } from '../nn/layer.js';
import * as F from '../tensor/functional.js';
import { linearWith } from '../tensor/lastLayer.js';
import type { Tensor } from '../tensor/tensor.js';
import type { LossFunction } from './objective.js';

/**
 * A loss as a function of outputs and classes. A layer for logits of class 1 gets classes as targets 0 and 1.
 */
export function lossFunction(loss: LossFunction | Layer): LossFunction {
  if (check.callable.is(loss)) return loss as LossFunction;
  check.requireValue('loss', 'loss', loss, lossOrLayer);
  const named = functionOf(loss as Layer);
  layerLosses.set(named, kindOf(loss));
  if (isMeanCrossEntropy(loss)) crossEntropies.add(named);
  return named;
}

const lossOrLayer = check.rule<Layer>(
  'a function or a layer, such as new nn.CrossEntropyLoss()',
  check.instanceOf(Layer).is,
);

/** Names of the layer classes, by the loss function made from the layer. */
const layerLosses = new WeakMap<LossFunction, string>();

/** Losses that are the mean cross entropy of the classes. */
const crossEntropies = new WeakSet<LossFunction>();

/** Whether a loss is known to be the mean cross entropy of the classes, without weights of its own. */
export function isCrossEntropy(loss: LossFunction): boolean {
  return crossEntropies.has(loss);
}

function isMeanCrossEntropy(loss: Layer): boolean {
  if (loss instanceof BCEWithLogitsLoss) return (loss.options.reduction ?? 'mean') === 'mean';
  if (!(loss instanceof CrossEntropyLoss)) return false;
  const { reduction = 'mean', weight, labelSmoothing = 0 } = loss.options;
  return reduction === 'mean' && weight === undefined && labelSmoothing === 0;
}

/** Name of the class if the loss is a layer, else `function`. */
export function lossNameOf(loss: LossFunction): string {
  return layerLosses.get(loss) ?? 'function';
}

function functionOf(loss: Layer): LossFunction {
  if (loss instanceof CrossEntropyLoss) {
    return (outputs, labels, classWeight) => loss.forward(outputs, labels, classWeight);
  }
  if (loss instanceof BCEWithLogitsLoss) {
    return (outputs, labels, classWeight) =>
      classWeight === undefined
        ? loss.forward(outputs, targetsFor(outputs, labels))
        : binaryCrossEntropy(outputs, labels, classWeight, { reduction: loss.options.reduction });
  }
  return (outputs, labels) => loss.forward(outputs, labels);
}

/**
 * Binary cross entropy of one logit per sample with its class, 0 or 1. With weights of the classes the mean
 * is divided by the mean weight, as in cross entropy, and is 0 if all samples have the weight 0. With label
 * smoothing the targets are `labelSmoothing / 2` and `1 − labelSmoothing / 2`.
 *
 * @throws {ShapeError} unless there is one output per sample
 */
export function binaryCrossEntropy(
  outputs: Tensor,
  labels: Tensor,
  classWeight?: Tensor,
  {
    reduction = 'mean',
    labelSmoothing = 0,
  }: { readonly reduction?: F.Reduction | undefined; readonly labelSmoothing?: number } = {},
): Tensor {
  const hard = targetsFor(outputs, labels);
  const targets = labelSmoothing === 0 ? hard : hard.affine(1 - labelSmoothing, labelSmoothing / 2);
  if (classWeight === undefined) return F.binaryCrossEntropyWithLogits(outputs, targets, { reduction });
  const [negative, positive] = [0, 1].map((i) => classWeight.slice([i], [i + 1]));
  const weights = hard.mul(positive.sub(negative)).add(negative);
  const losses = F.binaryCrossEntropyWithLogits(outputs, targets, { reduction: 'none' });
  const weighted = losses.mul(weights);
  if (reduction !== 'mean') return reduction === 'sum' ? weighted.sum() : weighted;
  const total = weights.sum();
  return weighted.sum().div(total.add(total.equal(0).cast('float32')));
}

/** Classes 0 and 1 as targets in the shape of the outputs. */
function targetsFor(outputs: Tensor, labels: Tensor): Tensor {
  if (outputs.size !== labels.size) {
    throw new ShapeError(
      `[loss] outputs: expected one a sample with binary cross entropy, got ${formatShape(outputs.shape)} for ` +
        `${labels.size} samples; use CrossEntropyLoss, or a last layer with one output${linearWith(outputs, 1)}`,
    );
  }
  return labels.cast('float32').reshape(outputs.shape);
}
