import { requireFinite } from '../errors.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import { realizeAll } from '../tensor/evaluate.js';
import type { Tensor } from '../tensor/tensor.js';
import type { LossFunction } from './evaluate.js';
import type { Figures } from './figures.js';

/** What a batch is trained on, and what the network said. */
export interface Objective {
  /** The mean loss of the batch. */
  readonly loss: Tensor;
  /** `[samples, classes]` */
  readonly outputs: Tensor;
}

/** What trains a network. */
export interface StepOptions {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly loss: LossFunction;
  readonly objective?: ((images: Tensor, labels: Tensor) => Objective) | undefined;
  readonly classWeight?: Tensor | undefined;
}

/** Adds the network and its loss to the graph. */
export function objectiveOf(
  { network, loss, objective, classWeight }: StepOptions,
  images: Tensor,
  labels: Tensor,
): Objective {
  if (objective !== undefined) return objective(images, labels);
  const outputs = network.forward(images);
  return { loss: loss(outputs, labels, classWeight), outputs };
}

/**
 * Trains on a batch: forward, backward and, if `update`, a step with all gradients since the last one.
 *
 * @param part.share what the batch's gradient is multiplied by
 * @returns the mean loss of the batch
 * @throws {NonFiniteError} if that is infinite or no number; nothing is learned then
 */
export async function trainStep(
  options: StepOptions,
  figures: Figures,
  images: Tensor,
  labels: Tensor,
  { share, update }: { readonly share: number; readonly update: boolean },
): Promise<number> {
  const { optimizer } = options;
  const { loss: mean, outputs } = objectiveOf(options, images, labels);
  const scores = figures.scores(outputs, labels);
  (share === 1 ? mean : mean.mul(share)).backward();
  if (update) {
    await optimizer.step({ also: share === 1 ? scores : [mean, ...scores], finiteLoss: true });
    optimizer.clearGrad();
  } else {
    const gradients = optimizer.parameters.flatMap(({ grad }) => (grad === null ? [] : [grad]));
    await realizeAll([mean, ...scores, ...gradients]);
  }
  const value = await mean.item();
  requireFinite(value);
  const taking = figures.add(value, scores, labels);
  if (taking !== undefined) await taking;
  return value;
}
