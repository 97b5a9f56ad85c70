import { record, requireValue } from '../check.js';
import { kindOf } from '../kind.js';
import type { Layer } from '../nn/layer.js';
import { requireTensor, type Tensor } from '../tensor/tensor.js';
import type { ComputeScope } from './scope.js';

/**
 * Computes the mean loss of a batch from the network's outputs and the classes (int32 `[samples]`). A loss
 * that can weight classes also gets their weights (float32 `[classes]`), if there are any.
 */
export type LossFunction = (outputs: Tensor, labels: Tensor, classWeight?: Tensor) => Tensor;

/** Loss and outputs of a batch. */
export interface Objective {
  /** The mean loss of the batch. */
  readonly loss: Tensor;
  /** `[samples, classes]` */
  readonly outputs: Tensor;
}

/** A network and the loss that it is trained with. */
export interface ObjectiveOptions extends ComputeScope {
  readonly network: Layer;
  readonly loss: LossFunction;
  /** Default: the loss of `network.forward(images)`. */
  readonly objective?: ((images: Tensor, labels: Tensor) => Objective) | undefined;
  /** Weight of each class in the training's loss, `[classes]`: the third parameter of the loss function. */
  readonly classWeight?: Tensor | undefined;
}

/** Adds the network and its loss to the graph. */
export function objectiveOf(
  { network, loss, objective, classWeight }: ObjectiveOptions,
  images: Tensor,
  labels: Tensor,
): Objective {
  if (objective !== undefined) return requireObjective(objective(images, labels));
  const outputs = requireTensor(kindOf(network), network.forward(images), 'result of forward');
  return { loss: requireTensor('loss', loss(outputs, labels, classWeight), 'result'), outputs };
}

function requireObjective(objective: Objective): Objective {
  const { loss, outputs } = requireValue('objective', 'result', objective, record) as Objective;
  return { loss: requireTensor('objective', loss, 'loss'), outputs: requireTensor('objective', outputs, 'outputs') };
}
