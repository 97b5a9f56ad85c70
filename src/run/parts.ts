import type { Shape } from '../graph/shape.js';
import type { DataLoader } from '../io/data/dataloader.js';
import type { Layer } from '../nn/layer.js';
import { ClipGradByGlobalNorm, type Optimizer } from '../optimizer/index.js';
import type { RandomGenerator } from '../random.js';
import type { Tensor } from '../tensor/tensor.js';
import { classWeightsOf } from '../train/classBalance.js';
import { ImagesOrFeatures } from '../train/frozen/features.js';
import type { TrainOptions } from '../train/options.js';
import type { OpenedSplit, Understanding } from './catalog/datasets.js';
import { withHeads } from './catalog/models.js';
import type { RunFolder } from './folder.js';
import { trainLoaderOf, transformed } from './loaders.js';
import { lossOf } from './losses.js';
import { objectiveOf } from './objective.js';
import { makeOptimizer, type OptimizerExtras } from './optimizers.js';
import type { Recipe } from './recipe.js';
import { makeSchedule } from './schedule.js';
import type { Splits } from './splits.js';
import { setLayerRates } from './transfer/layerRates.js';
import { Transfer } from './transfer/transfer.js';

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
  /** Its frozen layers; null if there are none. */
  readonly transfer: Transfer | null;
}

/**
 * @param inputShape of an image
 * @throws {InputError} for names of layers that the network does not have
 */
export async function trainingParts(
  network: Layer,
  recipe: Recipe,
  inputShape: Shape,
  splits: Pick<Splits, 'train' | 'eval'>,
): Promise<TrainingParts> {
  const { train } = splits;
  const { freeze, probeEpochs } = recipe.techniques ?? {};
  setLayerRates(network, recipe);
  const images = transformed(train, recipe);
  const freezes = freeze !== undefined || probeEpochs !== undefined;
  const transfer = freezes ? new Transfer(network, recipe, inputShape, splits, new ImagesOrFeatures(images)) : null;
  return {
    network,
    optimizer: optimizerFor(network, recipe, train),
    trainLoader: await trainLoaderOf({ dataset: transfer?.train ?? images }, recipe),
    classWeight: weightsFor(recipe, train),
    transfer,
  };
}

/** Makes the optimizer of a run, with its schedule over all epochs. */
export function optimizerFor(network: Layer, recipe: Recipe, { dataset }: OpenedSplit): Optimizer {
  return makeOptimizer(recipe.optimizer, network.parameters(), extrasOf(recipe, dataset.length));
}

function extrasOf({ optimizer, techniques = {}, batchSize, epochs }: Recipe, images: number): OptimizerExtras {
  const { schedule, clipGradNorm, accumulateGradBatches = 1, averageWeights: average } = techniques;
  const steps = Math.ceil(Math.ceil(images / batchSize) / accumulateGradBatches);
  const total = schedule?.by === 'epoch' ? epochs : epochs * steps;
  return {
    ...(schedule !== undefined && { learningRate: makeSchedule(schedule, optimizer.learningRate, total) }),
    ...(average !== undefined && { average }),
    ...(clipGradNorm !== undefined && { gradClip: new ClipGradByGlobalNorm({ clipNorm: clipGradNorm }) }),
  };
}

function weightsFor({ techniques }: Recipe, { classCounts }: OpenedSplit): Tensor | undefined {
  const weights = techniques?.classWeight;
  return weights === undefined ? undefined : classWeightsOf(weights, classCounts);
}

/** The options of the training loop that describe a step. */
export function stepOf({ network: whole, optimizer, classWeight, transfer }: TrainingParts, recipe: Recipe) {
  const network = transfer?.network ?? whole;
  const loss = lossOf(recipe).compute;
  const isMixing = () => transfer?.network.takesFeatures !== true;
  const objective = objectiveOf(withHeads(whole) === null ? network : whole, recipe, classWeight, isMixing);
  return { network, optimizer, loss, objective, classWeight, trainAccuracy: true };
}
