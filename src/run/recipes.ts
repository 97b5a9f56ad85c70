import { statSync } from 'node:fs';
import { type Effects, requireEffect } from '../effect.js';
import { InputError } from '../errors.js';
import { Adam, AdamW, Momentum, type Optimizer, type OptimizerOptions, SGD } from '../optimizer/index.js';
import * as F from '../tensor/functional.js';
import type { Parameter } from '../tensor/state.js';
import { formatCount } from '../text/numbers.js';
import { nearestName } from '../text/suggest.js';
import { binaryCrossEntropy } from '../train/losses.js';
import type { LossFunction } from '../train/objective.js';
import { type DatasetKind, datasetKinds, parseDataName } from './catalog/datasets.js';
import { type ModelKind, modelKinds } from './catalog/models.js';
import { zooKinds } from './catalog/zooModels.js';
import { describeTechniques, type optimizerExtras, type Techniques } from './techniques.js';

export const optimizerNames = ['sgd', 'momentum', 'adam', 'adamw'] as const;
export type OptimizerName = (typeof optimizerNames)[number];

/** An optimizer by name, with every setting that counts. */
export interface OptimizerSettings {
  readonly name: OptimizerName;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Of the optimizer momentum, and only of it. */
  readonly momentum?: number | undefined;
}

/** How a network is trained on a data set. */
export interface Recipe {
  readonly optimizer: OptimizerSettings;
  readonly loss: LossName;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly epochs: number;
  /** Batches between two lines of progress. */
  readonly logEvery: number;
  readonly techniques?: Techniques | undefined;
}

/** What the user wants otherwise than the recipe. */
export interface RecipeChanges {
  readonly optimizer?: OptimizerName | undefined;
  readonly learningRate?: number | undefined;
  readonly momentum?: number | undefined;
  readonly weightDecay?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly epochs?: number | undefined;
  readonly techniques?: Techniques | undefined;
}

export const lossNames = ['crossEntropy', 'binaryCrossEntropy'] as const;
export type LossName = (typeof lossNames)[number];

interface LossKind {
  readonly title: string;
  readonly compute: LossFunction;
  /** Outputs that a network needs for so many classes. */
  outputs(classes: number): number;
}

const losses: Readonly<Record<LossName, LossKind>> = {
  crossEntropy: {
    title: 'cross entropy',
    compute: (outputs, labels, weight) => F.crossEntropy(outputs, labels, { weight }),
    outputs: (classes) => classes,
  },
  binaryCrossEntropy: {
    title: 'binary cross entropy',
    compute: binaryCrossEntropy,
    outputs: () => 1,
  },
};

export function lossOf({ loss }: Pick<Recipe, 'loss'>): LossKind {
  return losses[loss];
}

interface OptimizerKind {
  readonly title: string;
  /** Unless the recipe says otherwise. */
  readonly weightDecay: number;
  make(
    parameters: readonly Parameter[],
    settings: Omit<OptimizerSettings, 'learningRate'> & Pick<OptimizerOptions, 'learningRate' | 'gradClip'>,
  ): Optimizer;
}

const defaultMomentum = 0.9;

const optimizers: Readonly<Record<OptimizerName, OptimizerKind>> = {
  sgd: { title: 'SGD', weightDecay: 0, make: (parameters, settings) => new SGD({ ...settings, parameters }) },
  momentum: {
    title: 'Momentum',
    weightDecay: 0,
    make: (parameters, { momentum = defaultMomentum, ...settings }) =>
      new Momentum({ ...settings, momentum, parameters }),
  },
  adam: { title: 'Adam', weightDecay: 0, make: (parameters, settings) => new Adam({ ...settings, parameters }) },
  adamw: { title: 'AdamW', weightDecay: 0.01, make: (parameters, settings) => new AdamW({ ...settings, parameters }) },
};

/** @param extras in place of the settings: a schedule, say */
export function makeOptimizer(
  settings: OptimizerSettings,
  parameters: readonly Parameter[],
  extras: ReturnType<typeof optimizerExtras> = {},
): Optimizer {
  return optimizers[settings.name].make(parameters, { ...settings, ...extras });
}

/** What all recipes of the networks for photographs share. */
const photographs = { batchSize: 10, shuffle: true, epochs: 5, logEvery: 20 } as const;
const momentum = { name: 'momentum', learningRate: 0.001, momentum: 0.9, weightDecay: 0 } as const;
const decayed = { ...momentum, weightDecay: 0.001 } as const;

/** How a model is trained unless told otherwise; the loss follows from the number of classes. */
interface UsualRecipe extends Omit<Recipe, 'loss'> {
  readonly data: UsualData;
}

/** The data set that a model is usually trained on. */
interface UsualData {
  readonly name: string;
  readonly classes: number;
}

const mnist: UsualData = { name: 'mnist', classes: 10 };
const palm: UsualData = { name: 'palm', classes: 2 };
const cifar10: UsualData = { name: 'cifar10', classes: 10 };

/**
 * Of the ready-made networks: rate and decay of the tutorial's example on CIFAR-10. The usual rate of 0.1·batch/256 wants
 * a schedule that begins and ends lower; without one this is as much as is safe, and a tenth of it without batch norm.
 */
const ready: UsualRecipe = {
  data: cifar10,
  optimizer: { ...momentum, learningRate: 0.01, weightDecay: 1e-4 },
  batchSize: 32,
  shuffle: true,
  epochs: 10,
  logEvery: 20,
};
const readyUnnormed: UsualRecipe = { ...ready, optimizer: { ...ready.optimizer, learningRate: 0.001 } };

function recipeOfReady(name: string): UsualRecipe {
  if (name === 'zoo-lenet') return { ...ready, data: mnist, batchSize: 64, logEvery: 200 };
  // These two take 224×224 alone; AlexNet's weights begin so small that it hardly moves at a lower rate.
  if (name === 'zoo-alexnet') return { ...ready, data: palm };
  if (name === 'zoo-googlenet') return { ...readyUnnormed, data: palm };
  return /vgg\d+$/.test(name) ? readyUnnormed : ready;
}

/** Those of PaddlePaddle's tutorial on image classification, and those of the ready-made networks. */
const recipes: Readonly<Record<string, UsualRecipe>> = {
  lenet: { data: mnist, optimizer: momentum, batchSize: 10, shuffle: true, epochs: 5, logEvery: 2000 },
  lenet224: { data: palm, optimizer: momentum, ...photographs },
  alexnet: {
    data: palm,
    optimizer: { name: 'adam', learningRate: 0.001, weightDecay: 0 },
    ...photographs,
  },
  vgg16: { data: palm, optimizer: momentum, ...photographs },
  googlenet: { data: palm, optimizer: decayed, ...photographs },
  resnet50: { data: palm, optimizer: decayed, ...photographs },
  resnet101: { data: palm, optimizer: decayed, ...photographs },
  resnet152: { data: palm, optimizer: decayed, ...photographs },
  ...Object.fromEntries(Object.keys(zooKinds).map((name) => [name, recipeOfReady(name)])),
};

export function modelKind(name: string): ModelKind {
  return lookUp('model', modelKinds, name);
}

export function datasetKind(name: string): DatasetKind {
  return lookUp('data', datasetKinds, name);
}

/** The data set that a model is usually trained on. */
export function usualData(model: string): UsualData {
  return lookUp('model', recipes, model).data;
}

/**
 * The name of the data set that a model is trained on unless another is asked for.
 *
 * @throws {InputError} listing what can be given, if that data set needs a folder or file
 */
export function dataFor(model: string): string {
  const { name } = usualData(model);
  const { location, locationOptional } = datasetKind(name);
  if (location === null || locationOptional === true) return name;
  throw new InputError(
    `[data] ${model}: expected data to train on, got none; give folder:DIR (a folder for each class), csv:FILE (a table with ` +
      `the columns file and label), cifar10 or another set that is downloaded (${downloadable().join(', ')}), or ${name}:${location}`,
  );
}

function downloadable(): string[] {
  return Object.entries(datasetKinds).flatMap(([name, kind]) =>
    kind.location === null || kind.locationOptional === true ? [name] : [],
  );
}

/**
 * Finds the data set that a model is to be trained on.
 *
 * @param data as in `palm:DIR`; default: the usual one of the model
 * @throws {InputError} for an unknown name, or a folder or file that is missing or not wanted
 */
export function findData(data: string): { readonly name: string; readonly location: string | undefined } {
  const { name, location } = parseDataName(data);
  if (!Object.hasOwn(datasetKinds, name)) refuseIfPath(data);
  const kind = datasetKind(name);
  if (kind.location !== null && kind.locationOptional !== true && location === undefined) {
    throw new InputError(
      `[data] ${name}: expected ${name}:${kind.location}, got no ${kind.location === 'DIR' ? 'folder' : 'file'}; ` +
        `give it with --data ${name}:${kind.location}`,
    );
  }
  if (kind.location === null && location !== undefined) {
    throw new InputError(`[data] ${data}: expected ${name} alone, got '${location}'; a folder goes to --data-dir`);
  }
  return { name, location };
}

/** @throws {InputError} with the name that is meant, if there is such a folder or file, or the text can only be a path */
function refuseIfPath(data: string): void {
  const info = statSync(data, { throwIfNoEntry: false });
  const isTable = /\.(csv|tsv|xlsx)$/i.test(data);
  const isName = info === undefined && !isTable && !/[/\\]/.test(data);
  if (isName && nearestName(data, Object.keys(datasetKinds)) !== null) return;
  const kind = (info?.isDirectory() ?? !isTable) ? 'folder' : 'csv';
  throw new InputError(
    `[data] '${data}': expected ${Object.keys(datasetKinds).join(', ')}, got a path; give ${kind}:${data}`,
  );
}

/** The number of outputs of a network for so many classes, and what it is trained on. */
export function outputsFor({ loss }: Pick<Recipe, 'loss'>, classes: number): number {
  return losses[loss].outputs(classes);
}

type Wish = RecipeChanges & Techniques & Pick<Recipe, 'epochs'>;

/** When changes of a recipe mean something. */
const effects: Effects<Wish> = {
  momentum: ({ optimizer }) => (optimizer === 'momentum' ? null : `the optimizer ${optimizer} has none`),
  learningRate: ({ schedule }) =>
    schedule?.name === 'PiecewiseDecay' ? 'the values of PiecewiseDecay are the learning rates' : null,
  earlyStopping: ({ earlyStopping = 0, evalEvery = 1, saveBest = '', epochs }) => {
    // Figures of the training come with each epoch. The first one is the best, and the last epoch ends anyway.
    const every = saveBest.startsWith('train_') ? 1 : evalEvery;
    const most = Math.floor((epochs - 1) / every) - 1;
    if (earlyStopping <= most) return null;
    const count = epochs === 1 ? '1 epoch ends' : `${epochs} epochs end`;
    return `${count} before so many evaluations can show it${most < 1 ? '' : ` (at most ${most} can)`}`;
  },
};

/** @throws {InputError} for unknown names, and for changes without effect, such as a momentum for Adam */
export function requireChanges(model: string, changes: RecipeChanges): void {
  const usual = lookUp('model', recipes, model);
  const { optimizer = usual.optimizer.name, epochs = usual.epochs } = changes;
  requireEffect<Wish>('recipe', { ...changes, ...changes.techniques, optimizer, epochs }, effects);
}

/**
 * The recipe of a model for a number of classes, with changes. Two classes make one output with binary cross entropy,
 * others as many outputs as classes with cross entropy.
 *
 * @throws {InputError} see {@link requireChanges}
 */
export function recipeFor(model: string, classes: number, changes: RecipeChanges = {}): Recipe {
  requireChanges(model, changes);
  const { data: _, ...recipe } = lookUp('model', recipes, model);
  const { optimizer: usual } = recipe;
  const name = changes.optimizer ?? usual.name;
  const { weightDecay } = lookUp('optimizer', optimizers, name);
  const own: OptimizerSettings = name === usual.name ? usual : { name, learningRate: usual.learningRate, weightDecay };
  const momentum = changes.momentum ?? own.momentum ?? defaultMomentum;
  return {
    ...recipe,
    loss: classes === 2 ? 'binaryCrossEntropy' : 'crossEntropy',
    batchSize: changes.batchSize ?? recipe.batchSize,
    epochs: changes.epochs ?? recipe.epochs,
    optimizer: {
      name,
      learningRate: changes.learningRate ?? own.learningRate,
      weightDecay: changes.weightDecay ?? own.weightDecay,
      ...(name === 'momentum' ? { momentum } : {}),
    },
    ...(changes.techniques !== undefined && { techniques: changes.techniques }),
  };
}

/** A recipe as people read it, in order. */
export function describeRecipe({
  optimizer,
  loss,
  batchSize,
  shuffle,
  epochs,
  techniques,
}: Recipe): Record<string, string> {
  const { title } = optimizers[optimizer.name];
  return {
    Optimizer: optimizer.momentum === undefined ? title : `${title} ${optimizer.momentum}`,
    'Learning rate': String(optimizer.learningRate),
    ...(optimizer.weightDecay === 0 ? {} : { 'Weight decay': String(optimizer.weightDecay) }),
    'Batch size': formatCount(batchSize),
    Order: shuffle ? 'shuffled' : 'as stored',
    Epochs: formatCount(epochs),
    Loss: losses[loss].title,
    ...describeTechniques(techniques ?? {}),
  };
}

/** A recipe in one line. */
export function recipeLine(recipe: Recipe): string {
  const { Optimizer: optimizer, Order: order, Epochs: epochs, Loss: loss, ...numbers } = describeRecipe(recipe);
  const named = Object.entries(numbers).map(([name, value]) => `${name.toLowerCase()} ${value}`);
  return [optimizer, ...named, order, `${epochs} ${recipe.epochs === 1 ? 'epoch' : 'epochs'}`, loss].join(', ');
}

/** An entry of a table, or an error that names the nearest one. */
function lookUp<T>(what: string, table: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name];
  const names = Object.keys(table);
  const near = nearestName(name, names);
  throw new InputError(
    `[${what}] ${what} '${name}': expected one of ${names.join(', ')}${near === null ? '' : `; did you mean ${near}?`}`,
  );
}
