import { z } from 'zod';
import { convolutionNames, engineNames, precisionNames } from '../engine/select.js';
import { samplerNames } from '../io/data/sampler.js';
import type { Json } from '../text/json.js';
import { fits } from '../vision/images/preprocess.js';
import { fixedTransformNames } from '../vision/transforms/registry.js';
import { dataForms } from './catalog/datasets.js';
import { optimizerNames } from './optimizers.js';
import {
  count,
  flag,
  made,
  maxFloat32,
  natural,
  rate,
  share,
  type TrainingOption,
  text,
  type Values,
} from './option.js';
import { parseHoldOut, parseOperatingRule, parseSize, transformsOf, writtenRule } from './optionParsers.js';
import { parseSchedule, writtenSchedule } from './schedule.js';

/** The table of all options of a training. A new option is one entry. */

/** Names in code, with a word before the last. */
function names(all: readonly string[], word = 'or'): string {
  const code = all.map((name) => `\`${name}\``);
  return code.length === 1 ? code[0] : `${code.slice(0, -1).join(', ')} ${word} ${code.at(-1)}`;
}

type Table = Readonly<Record<string, TrainingOption>>;

const sourceOptions = {
  model: {
    type: text,
    help: 'network',
    default: 'that of the command line',
    placeholder: null,
  },
  data: {
    type: text,
    help: names(dataForms),
    default: 'the usual one of the network',
    usual: ({ data }) => data,
    placeholder: '<data>',
    existing: 'both',
  },
  dataDir: {
    type: text,
    help: "folder with the data set's files",
    default: 'cache, or download',
    placeholder: '<dir>',
    existing: 'both',
  },
} as const satisfies Table;

export const imageOptions = {
  size: {
    type: z.union([count.transform((edge) => [edge, edge] as const), z.tuple([count, count]).readonly()]),
    help: 'edge that photographs are resized to, or height and width',
    default: "the network's, 224 mostly",
    usual: ({ images }) => images?.size,
    placeholder: '<edge>',
    parse: parseSize,
  },
  order: {
    type: z.enum(['RGB', 'BGR']),
    help: 'order of the color channels',
    default: '`RGB`, with `palm` `BGR`, or that of the initial weights',
    usual: ({ images }) => images?.order,
    placeholder: '<order>',
  },
  antialias: {
    type: flag,
    help: 'resize photographs with antialiasing',
    default: '`false`',
    usual: ({ images }) => images && false,
    placeholder: '',
  },
  fit: {
    type: z.enum(fits),
    help: 'photographs of other proportions: `squash`, `crop` to the middle, or `pad` with black',
    default: '`squash`',
    usual: ({ images }) => images && 'squash',
    placeholder: '<how>',
  },
} as const satisfies Table;

export const recipeOptions = {
  epochs: {
    type: count,
    help: 'passes over the training images',
    default: 'recipe',
    usual: ({ recipe }) => recipe.epochs,
    placeholder: '<n>',
    existing: 'resume',
  },
  batchSize: {
    type: count,
    help: 'images in a batch',
    default: 'recipe',
    usual: ({ recipe }) => recipe.batchSize,
    placeholder: '<n>',
  },
  lr: {
    type: rate,
    help: 'learning rate; with a schedule its first or highest value',
    default: 'recipe',
    usual: ({ recipe: { optimizer, techniques } }) =>
      techniques?.schedule?.name === 'PiecewiseDecay' ? undefined : optimizer.learningRate,
    placeholder: '<rate>',
    as: 'learningRate',
  },
  optimizer: {
    type: z.enum(optimizerNames),
    help: 'how parameters are updated',
    default: 'recipe',
    usual: ({ recipe }) => recipe.optimizer.name,
    placeholder: '<name>',
  },
  momentum: {
    type: share,
    help: 'momentum of the optimizer `momentum`',
    default: 'recipe, or `0.9`',
    usual: ({ recipe }) => recipe.optimizer.momentum,
    placeholder: '<share>',
  },
  weightDecay: {
    type: rate,
    help: 'L2 penalty; decoupled with `adamw`',
    default: 'recipe; `0.01` with `adamw`',
    usual: ({ recipe }) => recipe.optimizer.weightDecay,
    placeholder: '<coefficient>',
  },
} as const satisfies Table;

const specs = z.array(z.record(z.string(), z.record(z.string(), z.unknown()))).readonly();

export const techniqueOptions = {
  schedule: {
    type: z.unknown().transform(made(parseSchedule)),
    record: z.strictObject({
      name: z.string(),
      by: z.enum(['step', 'epoch']),
      options: z.record(z.string(), z.custom<Json>()),
    }),
    help: 'how the learning rate changes; see Schedules',
    default: 'it is constant',
    write: writtenSchedule,
    placeholder: null,
  },
  clipGradNorm: {
    type: z.number().gt(0).max(maxFloat32),
    help: 'largest norm of all gradients together; larger gradients are scaled down',
    default: 'none',
    placeholder: null,
  },
  accumulateGradBatches: {
    type: count,
    help: 'batches whose gradients make one step',
    default: '`1`',
    placeholder: null,
  },
  classWeight: {
    type: z.union([z.literal('auto'), z.array(rate).readonly()]),
    help: 'weight of each class in the training loss: `auto` (all classes have the same total weight), or one number each',
    default: 'none',
    placeholder: null,
  },
  sampler: {
    type: z.enum(samplerNames),
    help: '`balanced` shows every class equally often, `stratified` spreads each class evenly over the epoch',
    default: 'every image once, shuffled',
    placeholder: null,
  },
  transforms: {
    type: z.union([z.string(), z.array(z.unknown())]).transform(made(transformsOf)),
    record: specs,
    help: 'changes of the training images; evaluation and prediction keep those that are not random; see Transforms',
    default: 'none',
    placeholder: '<list>',
    flagHelp:
      "changes of the training images, such as 'RandomCrop(32, padding=4),RandomHorizontalFlip'; evaluation and prediction " +
      `keep those that are not random (${fixedTransformNames.join(', ')}); see \`data show\``,
    parse: transformsOf,
  },
  freeze: {
    type: text,
    help:
      'layers that are not trained: all up to the last one that matches a name, such as `layer3`, or a pattern with `*`; their ' +
      'batch norm keeps its statistics. `fovea summary` lists the names',
    default: 'none',
    placeholder: '<until>',
  },
  probeEpochs: {
    type: count,
    help: 'epochs at the beginning that train the last layer alone (a linear probe); later ones train what `freeze` leaves',
    default: 'none',
    placeholder: '<n>',
  },
  probeLr: {
    type: z.number().gt(0).max(maxFloat32).describe('a number above 0'),
    help: 'learning rate of `probeEpochs`',
    default: 'that of `lr`',
    placeholder: '<rate>',
  },
  recomputeFeatures: {
    type: flag,
    help:
      'compute the features of frozen layers again in each epoch, so that random transforms change them; else they are ' +
      'computed once and kept, in `probeEpochs` and, without those, with `freeze`',
    default: '`false`',
    placeholder: '',
  },
  layerDecay: {
    type: z.number().gt(0).max(1).describe('a number above 0 and at most 1'),
    help: 'factor of the learning rate from each block of layers to the one before it, counted from the last layer',
    default: '`1`',
    placeholder: '<factor>',
  },
  layerRates: {
    type: z.record(z.string(), rate),
    help: 'factors of the learning rate by name or pattern of layers, such as `{ layer1: 0.1 }`; the last one that matches counts',
    default: 'none',
    placeholder: null,
  },
  labelSmoothing: {
    type: share,
    help: 'share of the training targets that is spread evenly over all classes',
    default: '`0`',
    placeholder: '<share>',
  },
  mixup: {
    type: z.number().gt(0).max(1000).describe('a number above 0 and at most 1000'),
    help: 'mixes pairs of training images and their losses; both parameters of the beta distribution of the shares, such as `0.2`',
    default: 'none',
    placeholder: '<alpha>',
  },
  cutmix: {
    type: z.number().gt(0).max(1000).describe('a number above 0 and at most 1000'),
    help: 'puts a rectangle of another image into each training image; parameters of the beta distribution of the shares, such as `1`. With `mixup`, each batch gets one of the two',
    default: 'none',
    placeholder: '<alpha>',
  },
  averageWeights: {
    type: share,
    help: 'evaluates and saves an exponential moving average of the parameters with this decay, such as `0.999`',
    default: 'none',
    placeholder: '<decay>',
  },
  evalEvery: {
    type: count,
    help: 'epochs between two evaluations; the last epoch is always evaluated',
    default: '`1`',
    placeholder: '<n>',
  },
  saveBest: {
    type: text,
    help: 'keep the weights of the best epoch as well, by `loss`, `acc`, `train_loss` …; `eval` and `predict` can use them',
    default: 'no',
    placeholder: '<metric>',
  },
  earlyStopping: {
    type: count,
    help: 'end the training if the metric of `saveBest`, or else the loss, has not improved in so many evaluations',
    default: 'no',
    placeholder: '<n>',
  },
} as const satisfies Table;

const foldOptions = {
  folds: {
    type: z.int().min(2).describe('an integer of at least 2'),
    help:
      'cross-validation: divide the pictures into so many parts, with groups and shares of classes kept, and train a network ' +
      'without each; metrics, threshold and calibration come from the out-of-fold predictions',
    default: 'one network, with validation images held out',
    placeholder: '<k>',
  },
} as const satisfies Table;

export const beginningOptions = {
  holdOut: {
    type: z.union([share, z.tuple([share, share]).readonly()]),
    help: 'fraction of each class held out for validation if the data has no split, or `0.15,0.15` for validation and test',
    default: '`0.2`',
    placeholder: '<shares>',
    parse: parseHoldOut,
  },
  group: {
    type: text,
    help:
      'keeps pictures of one group, such as a patient, in one part of the data: with `csv:FILE` the column of the groups, with ' +
      "`folder:DIR` a regular expression that finds the group in the path, such as '^[^/]+/(\\d+)_'",
    default: 'each picture by itself',
    placeholder: '<column>',
  },
  fixes: {
    type: text,
    help:
      'decisions about single pictures of `data check`: a folder with `exclude.csv` and `relabel.csv`, or one of the tables; no ' +
      'picture is changed or removed',
    default: 'none',
    placeholder: '<path>',
  },
  testData: {
    type: text,
    help: 'test images from another place: `folder:DIR` or `csv:FILE`. They choose nothing and are evaluated once, after the training',
    default: 'the test part of the data, if there is one',
    placeholder: '<data>',
    existing: 'both',
  },
  pretrained: {
    type: z.union([z.literal(true), z.string()]),
    help:
      "initial weights: a .pdparams or .safetensors file, or a run folder; `true` for Paddle's weights of a zoo- network, " +
      'trained on RGB pictures of ImageNet. Inputs are made as the weights had them',
    default: 'new weights',
    placeholder: '[weights]',
    flagHelp:
      "initial weights: a .pdparams or .safetensors file, or a run folder; without a value Paddle's weights of a zoo- network, " +
      'trained on RGB pictures of ImageNet. Inputs are made as the weights had them',
  },
  best: {
    type: flag,
    help: 'with a run folder as `pretrained`: its best weights instead of its last ones',
    usual: false,
    placeholder: '',
  },
  auxiliaryHeads: {
    type: flag,
    help: 'train `googlenet` with its inner classifiers',
    usual: false,
    placeholder: '',
  },
  operatingPoint: {
    type: z.string().transform(made(parseOperatingRule)),
    help: '`sensitivity=S`, `specificity=S` or `youden`: how the threshold between two classes is chosen, on the validation images',
    default: '`sensitivity=0.95`',
    write: writtenRule,
    placeholder: '<rule>',
    parse: parseOperatingRule,
    as: 'operatingRule',
  },
  calibration: {
    type: z.enum(['none', 'temperature', 'platt', 'isotonic']),
    help:
      'how probabilities are calibrated, on the validation images: `temperature` divides the logits by a number; for two ' +
      'classes also `platt` (slope and intercept) and `isotonic` (a curve, for some hundred images or more)',
    usual: 'none',
    placeholder: '<method>',
  },
  positive: {
    type: text,
    help: 'of two classes, the one that sensitivity, precision and AUC are computed for',
    default: 'by the names: not `normal`, `negative`, `no…` and the like; else the last',
    placeholder: '<class>',
  },
  screening: {
    type: flag,
    help: 'reports describe a screening test, with the statements that one needs',
    default: '`false`; `true` with `palm`',
    placeholder: '',
  },
} as const satisfies Table;

export const outputOptions = {
  seed: {
    type: natural,
    help: 'random seed: the same seed gives the same network',
    usual: 0,
    placeholder: '<n>',
    existing: 'repeat',
  },
  out: {
    type: text,
    help: 'run folder, new or empty',
    default: '`runs/MODEL-DATA-TIME`',
    placeholder: '<dir>',
    existing: 'repeat',
  },
  saveSteps: {
    type: count,
    help: 'save the state after so many steps as well as after each epoch',
    default: 'after each epoch',
    placeholder: '<n>',
    existing: 'both',
  },
  logEvery: {
    type: count,
    help: 'batches between two lines of progress',
    default: 'recipe',
    usual: ({ recipe }) => recipe.logEvery,
    placeholder: '<n>',
    existing: 'both',
  },
  tensorBoard: {
    type: flag,
    help: 'write the metrics of each epoch for TensorBoard too, to RUN/tensorboard',
    usual: false,
    placeholder: '',
    flag: 'tensorboard',
    existing: 'both',
  },
} as const satisfies Table;

export const loadingOptions = {
  workers: {
    type: natural,
    help: 'threads that decode pictures and apply transforms',
    default: 'one a processor, at most 4',
    placeholder: '<n>',
    as: 'numWorkers',
    existing: 'both',
  },
  cache: {
    type: flag,
    help: 'keep decoded pictures on disk',
    usual: true,
    placeholder: '',
    flag: 'no-cache',
    flagHelp: 'do not keep decoded pictures on disk',
    existing: 'both',
  },
  onBadImage: {
    type: z.enum(['fail', 'skip']),
    help: 'pictures that cannot be decoded: `fail` with an error, or `skip` and list them',
    default: '`fail`',
    usual: ({ isPhotographs }) => (isPhotographs ? 'fail' : undefined),
    placeholder: '<choice>',
    existing: 'both',
  },
} as const satisfies Table;

export const tableOptions = {
  fileColumn: {
    type: text,
    help: 'with `csv:FILE`: the column with the pictures',
    default: '`file`, `image`, `path` …',
    placeholder: '<name>',
  },
  labelColumn: {
    type: text,
    help: 'with `csv:FILE`: the column with the classes',
    default: '`label`, `class`, `target` …',
    placeholder: '<name>',
  },
  splitColumn: {
    type: text,
    help: 'with `csv:FILE`: the column that says which images are for validation',
    default: '`split`, or one of train, val …',
    placeholder: '<name>',
  },
  root: {
    type: text,
    help: 'with `csv:FILE`: the folder that its paths start from',
    default: 'that of the table',
    placeholder: '<dir>',
    existing: 'both',
  },
} as const satisfies Table;

export const engineOptions = {
  engine: {
    type: z.enum(engineNames),
    help: 'compute engine',
    default: '`onednn` if installed, else `portable`',
    usual: ({ engine }) => engine.name,
    placeholder: '<name>',
    existing: 'both',
  },
  threads: {
    type: count,
    help: 'most threads to use',
    default: 'all processors',
    placeholder: '<n>',
    existing: 'both',
  },
  conv: {
    type: z.enum(convolutionNames),
    help: "kernels of convolutions: `auto` takes Winograd's where they are faster",
    default: '`auto`',
    usual: ({ engine }) => engine.convolution,
    placeholder: '<kernels>',
    existing: 'both',
  },
  precision: {
    type: z.enum(precisionNames),
    help: '`bf16` keeps features in 16 bits, where the processor gains by it',
    default: '`float32`',
    usual: ({ engine }) => engine.precision,
    placeholder: '<precision>',
    existing: 'both',
  },
} as const satisfies Table;

/** All options, in the order of the help and the guide. */
export const trainingOptions = {
  ...sourceOptions,
  ...imageOptions,
  ...recipeOptions,
  ...techniqueOptions,
  ...foldOptions,
  ...beginningOptions,
  ...outputOptions,
  ...loadingOptions,
  ...tableOptions,
  ...engineOptions,
};

export type TrainingOptions = Values<typeof trainingOptions>;
/** The optional parts of a recipe. */
export type Techniques = Values<typeof techniqueOptions>;
