import type { Layer } from '../nn/layer.js';
import type { Tensor } from '../tensor/tensor.js';
import { type MixingOptions, mixedObjective } from '../train/mixing.js';
import type { Objective } from '../train/objective.js';
import type { TrainOptions } from '../train/options.js';
import { withHeads } from './catalog/models.js';
import { lossOf } from './losses.js';
import type { Recipe } from './recipe.js';

/** Weight of the loss of each auxiliary head: Szegedy et al., 2015, section 5. */
const auxiliaryWeight = 0.3;

/**
 * The objective of a training step; undefined for the usual loss of the usual outputs.
 *
 * @param weight of each class
 * @param isMixing whether images are mixed now, if the recipe says so
 */
export function objectiveOf(
  network: Layer,
  recipe: Pick<Recipe, 'techniques' | 'loss'>,
  weight: Tensor | undefined,
  isMixing: () => boolean = () => true,
): TrainOptions['objective'] {
  const { labelSmoothing = 0, mixup, cutmix } = recipe.techniques ?? {};
  const inner = withHeads(network);
  const mixes = mixup !== undefined || cutmix !== undefined;
  if (inner === null && labelSmoothing === 0 && !mixes) return undefined;
  const named = lossOf(recipe);
  const loss = labelSmoothing === 0 ? named.compute : named.smoothed(labelSmoothing);
  const plain = (images: Tensor, labels: Tensor): Objective => {
    const { outputs, total } = forward(network, images);
    return { loss: total((one) => loss(one, labels, weight)), outputs };
  };
  if (!mixes) return plain;
  const mixing: MixingOptions = { mixup, cutmix };
  return (images, labels) => {
    if (!isMixing()) return plain(images, labels);
    // The heads are those of the outputs, for the losses with both classes.
    let of: ReturnType<typeof forward>;
    return mixedObjective(mixing, images, labels, {
      forward: (mixed) => {
        of = forward(network, mixed);
        return of.outputs;
      },
      loss: (_, classes) => of.total((one) => loss(one, classes, weight)),
    });
  };
}

/** The outputs of a network, and the sum of a loss over them and the auxiliary heads. */
function forward(network: Layer, images: Tensor) {
  const inner = withHeads(network);
  const { logits, auxiliary } =
    inner === null ? { logits: network.forward(images), auxiliary: [] } : inner.forwardWithHeads(images);
  const total = (ofHead: (outputs: Tensor) => Tensor) =>
    auxiliary.reduce((sum, head) => sum.add(ofHead(head).mul(auxiliaryWeight)), ofHead(logits));
  return { outputs: logits, total };
}

/** Sum of the weights of all losses that a network is trained on. */
export function totalWeight(network: Layer): number {
  return 1 + (withHeads(network) === null ? 0 : 2) * auxiliaryWeight;
}
