import { type Effects, requireEffect } from '../effect.js';
import { lookUp } from './catalog/lookUp.js';
import { namedModel } from './catalog/models.js';
import { type LossName, lossFor } from './losses.js';
import { defaultMomentum, type OptimizerChoice, type OptimizerName, optimizers } from './optimizers.js';
import type { Techniques } from './trainingOptions.js';

/** How a network is trained on a data set. */
export interface Recipe {
  readonly optimizer: OptimizerChoice;
  readonly loss: LossName;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly epochs: number;
  /** Batches between two lines of progress. */
  readonly logEvery: number;
  readonly techniques?: Techniques | undefined;
}

/** Changes to a model's recipe. */
export interface RecipeChanges {
  readonly optimizer?: OptimizerName | undefined;
  readonly learningRate?: number | undefined;
  readonly momentum?: number | undefined;
  readonly weightDecay?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly epochs?: number | undefined;
  readonly techniques?: Techniques | undefined;
}

type Wish = RecipeChanges & Techniques & Pick<Recipe, 'epochs'>;

/** When changes of a recipe have an effect. */
const effects: Effects<Wish> = {
  momentum: ({ optimizer }) => (optimizer === 'momentum' ? null : `the optimizer ${optimizer} has none`),
  learningRate: ({ schedule }) =>
    schedule?.name === 'PiecewiseDecay' ? 'the values of PiecewiseDecay are the learning rates' : null,
  earlyStopping: ({ earlyStopping = 0, evalEvery = 1, saveBest = '', epochs }) => {
    // Training metrics come with each epoch. The first evaluation is the best so far, and the last epoch ends
    // anyway.
    const every = saveBest.startsWith('train_') ? 1 : evalEvery;
    const most = Math.floor((epochs - 1) / every) - 1;
    if (earlyStopping <= most) return null;
    const count = epochs === 1 ? '1 epoch ends' : `${epochs} epochs end`;
    return `${count} before so many evaluations can show it${most < 1 ? '' : ` (at most ${most} can)`}`;
  },
  probeEpochs: ({ probeEpochs = 0, epochs }) => (probeEpochs > epochs ? `there are only ${epochs} epochs` : null),
  probeLr: ({ probeEpochs }) => (probeEpochs === undefined ? 'it is the rate of probeEpochs' : null),
  freeze: ({ freeze, probeEpochs, epochs }) =>
    freeze !== undefined && probeEpochs === epochs ? 'all epochs train the last layer alone' : null,
  recomputeFeatures: ({ freeze, probeEpochs }) =>
    freeze === undefined && probeEpochs === undefined ? 'no layer is frozen' : null,
  mixup: ({ probeEpochs, epochs }) => mixingObstacle(probeEpochs, epochs),
  cutmix: ({ probeEpochs, epochs }) => mixingObstacle(probeEpochs, epochs),
};

function mixingObstacle(probeEpochs: number | undefined, epochs: number): string | null {
  return probeEpochs === epochs ? 'all epochs train the last layer alone, on features of whole images' : null;
}

/** @throws {InputError} for unknown names, and for changes without effect, such as a momentum for Adam */
export function requireChanges(model: string, changes: RecipeChanges): void {
  const usual = namedModel(model).recipe;
  const { optimizer = usual.optimizer.name, epochs = usual.epochs } = changes;
  requireEffect<Wish>('recipe', { ...changes, ...changes.techniques, optimizer, epochs }, effects);
}

/**
 * The recipe of a model for a number of classes, with changes. Two classes make one output with binary cross
 * entropy, others as many outputs as classes with cross entropy.
 *
 * @throws {InputError} see {@link requireChanges}
 */
export function recipeFor(model: string, classes: number, changes: RecipeChanges = {}): Recipe {
  requireChanges(model, changes);
  const { data: _, ...recipe } = namedModel(model).recipe;
  return {
    ...recipe,
    loss: lossFor(classes),
    batchSize: changes.batchSize ?? recipe.batchSize,
    epochs: changes.epochs ?? recipe.epochs,
    optimizer: optimizerFor(recipe.optimizer, changes),
    ...(changes.techniques !== undefined && { techniques: changes.techniques }),
  };
}

function optimizerFor(usual: OptimizerChoice, changes: RecipeChanges): OptimizerChoice {
  const name = changes.optimizer ?? usual.name;
  const { weightDecay } = lookUp('optimizer', optimizers, name);
  const own: OptimizerChoice = name === usual.name ? usual : { name, learningRate: usual.learningRate, weightDecay };
  const momentum = changes.momentum ?? own.momentum ?? defaultMomentum;
  return {
    name,
    learningRate: changes.learningRate ?? own.learningRate,
    weightDecay: changes.weightDecay ?? own.weightDecay,
    ...(name === 'momentum' ? { momentum } : {}),
  };
}
