import { ShapeError } from '../errors.js';
import { formatShape } from '../graph/shape.js';
import * as F from '../tensor/functional.js';
import { concat, type Tensor } from '../tensor/tensor.js';

/**
 * Probabilities of the classes, `[N, classes]`: the softmax of the outputs, or for a network with one output, whose
 * sigmoid is the probability of class 1, both classes.
 */
export function classProbabilities(outputs: Tensor): Tensor {
  if (outputs.shape.length !== 2) {
    throw new ShapeError(`[evaluate] outputs: expected [samples, classes], got ${formatShape(outputs.shape)}`);
  }
  if (outputs.shape[1] > 1) return F.softmax(outputs);
  const positive = F.sigmoid(outputs);
  return concat([positive.affine(-1, 1), positive], 1);
}
