import { numel, type Shape } from '../graph/shape.js';
import { DataLoader } from '../io/data/dataloader.js';
import type { Dataset } from '../io/data/dataset.js';
import type { Layer } from '../nn/layer.js';
import { largestBatchFor } from '../train/batchMemory.js';
import { orderOf } from '../train/classBalance.js';
import { evaluationPlanner } from '../train/evaluate.js';
import { parseTransforms } from '../vision/transforms/parse.js';
import type { OpenedSplit } from './catalog/datasets.js';
import { lossOf } from './losses.js';
import type { Recipe } from './recipe.js';

type Data = Pick<OpenedSplit, 'dataset'>;
type Evaluated = Pick<Recipe, 'batchSize' | 'loss'>;

/** The images of the training, with all transforms. */
export function transformed({ dataset }: Data, { techniques }: Pick<Recipe, 'techniques'>): Dataset {
  const { transforms } = techniques ?? {};
  return transforms === undefined ? dataset : dataset.withTransform(parseTransforms(transforms));
}

/** The batches of the training. @param data with its transforms */
export async function trainLoaderOf({ dataset }: { readonly dataset: Dataset }, recipe: Recipe): Promise<DataLoader> {
  const { batchSize, shuffle, techniques: { sampler, accumulateGradBatches } = {} } = recipe;
  // A step is over before the next batch, unless several make one.
  const reuse = accumulateGradBatches === undefined;
  return new DataLoader(dataset, { batchSize, reuse, ...(await orderOf(dataset, sampler, shuffle)) });
}

/** A network, and the shape of its input without the batch. */
export interface SizedNetwork {
  readonly network: Layer;
  readonly inputShape: Shape;
}

/**
 * The batches of an evaluation. Small images come in large batches. Large ones would take gigabytes, so they
 * come as in the training. A batch is never larger than the memory allows.
 *
 * @param asked images in a batch, instead of the number that is computed
 */
export function evalLoaderOf(
  { dataset }: { readonly dataset: Dataset },
  sized: SizedNetwork,
  recipe: Evaluated,
  asked?: number,
): DataLoader {
  const batchSize = asked ?? evalBatchSize(sized, recipe, dataset.length);
  return new DataLoader(dataset, { batchSize, reuse: true });
}

function evalBatchSize({ network, inputShape }: SizedNetwork, recipe: Evaluated, images: number): number {
  const { batchSize } = recipe;
  const usual = numel(inputShape) > 10_000 ? batchSize : Math.max(100, batchSize);
  const planner = evaluationPlanner({ network, loss: lossOf(recipe).compute }, inputShape);
  return largestBatchFor('evaluate', Math.min(usual, images), inputShape, planner);
}
