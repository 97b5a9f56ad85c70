import type { DataLoader } from '../io/data/dataloader.js';
import type { Layer } from '../nn/layer.js';
import { ClipGradByGlobalNorm, type Optimizer } from '../optimizer/index.js';
import type { RandomGenerator } from '../random.js';
import type { Tensor } from '../tensor/tensor.js';
import { classWeightsOf } from '../train/classBalance.js';
import type { TrainOptions } from '../train/options.js';
import type { OpenedSplit, Understanding } from './catalog/datasets.js';
import type { RunFolder } from './folder.js';
import { trainLoaderOf } from './loaders.js';
import { lossOf } from './losses.js';
import { objectiveOf } from './objective.js';
import { makeOptimizer, type OptimizerExtras } from './optimizers.js';
import type { Recipe } from './recipe.js';
import { makeSchedule } from './schedule.js';
import type { Splits } from './splits.js';

/** Everything that a run is made of. */
export interface RunParts extends TrainingParts {
  readonly folder: RunFolder;
  /** Makes the initial weights, shuffles and so on. Each run has its own. */
  readonly generator: RandomGenerator;
  readonly splits: Splits;
  /** How the files of the data were understood. */
  readonly understood: Understanding;
  /** The saved state to resume from. */
  readonly from?: TrainOptions['from'];
  /** Notes about the data and the initial weights. */
  readonly notes: readonly string[];
}

/** The parts of a run that follow from its recipe. */
export interface TrainingParts {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly trainLoader: DataLoader;
  readonly classWeight: Tensor | undefined;
}

export async function trainingParts(network: Layer, recipe: Recipe, train: OpenedSplit): Promise<TrainingParts> {
  return {
    network,
    optimizer: optimizerFor(network, recipe, train),
    trainLoader: await trainLoaderOf(train, recipe),
    classWeight: weightsFor(recipe, train),
  };
}

/** Makes the optimizer of a run, with its schedule over all epochs. */
export function optimizerFor(network: Layer, recipe: Recipe, { dataset }: OpenedSplit): Optimizer {
  return makeOptimizer(recipe.optimizer, network.parameters(), extrasOf(recipe, dataset.length));
}

function extrasOf({ optimizer, techniques = {}, batchSize, epochs }: Recipe, images: number): OptimizerExtras {
  const { schedule, clipGradNorm, accumulateGradBatches = 1 } = techniques;
  const steps = Math.ceil(Math.ceil(images / batchSize) / accumulateGradBatches);
  const total = schedule?.by === 'epoch' ? epochs : epochs * steps;
  return {
    ...(schedule !== undefined && { learningRate: makeSchedule(schedule, optimizer.learningRate, total) }),
    ...(clipGradNorm !== undefined && { gradClip: new ClipGradByGlobalNorm({ clipNorm: clipGradNorm }) }),
  };
}

function weightsFor({ techniques }: Recipe, { classCounts }: OpenedSplit): Tensor | undefined {
  const weights = techniques?.classWeight;
  return weights === undefined ? undefined : classWeightsOf(weights, classCounts);
}

/** The options of the training loop that describe a step. */
export function stepOf({ network, optimizer, classWeight }: TrainingParts, recipe: Recipe) {
  const loss = lossOf(recipe).compute;
  const objective = objectiveOf(network, loss, classWeight);
  return { network, optimizer, loss, objective, classWeight, trainAccuracy: true };
}
