import type { Layer } from '../nn/layer.js';
import type { Tensor } from '../tensor/tensor.js';
import type { LossFunction } from '../train/objective.js';
import type { TrainOptions } from '../train/options.js';
import { withHeads } from './catalog/models.js';

/** Weight of the loss of each auxiliary head: Szegedy et al., 2015, section 5. */
const auxiliaryWeight = 0.3;

/** The loss of a network with auxiliary heads; undefined for the usual loss of a network without. */
export function objectiveOf(network: Layer, loss: LossFunction, weight: Tensor | undefined): TrainOptions['objective'] {
  const inner = withHeads(network);
  if (inner === null) return undefined;
  return (images, labels) => {
    const { logits, auxiliary } = inner.forwardWithHeads(images);
    const plain = loss(logits, labels, weight);
    const total = auxiliary.reduce((sum, head) => sum.add(loss(head, labels, weight).mul(auxiliaryWeight)), plain);
    return { loss: total, outputs: logits };
  };
}

/** Sum of the weights of all losses that a network is trained on. */
export function totalWeight(network: Layer): number {
  return 1 + (withHeads(network) === null ? 0 : 2) * auxiliaryWeight;
}
