import { cpus } from 'node:os';
import { resolve } from 'node:path';
import * as check from '../check.js';
import { engineInfo } from '../engine/select.js';
import { InputError } from '../errors.js';
import { formatShape, type Shape, sameShape } from '../graph/shape.js';
import { fingerprint } from '../io/files/fingerprint.js';
import type { Layer } from '../nn/layer.js';
import { summarize } from '../nn/summary.js';
import { RandomGenerator, withGenerator } from '../random.js';
import type { OperatingRule } from '../statistics/index.js';
import { requireMemoryFor } from '../train/batchMemory.js';
import { Monitor } from '../train/callbacks/monitor.js';
import { inspectTraining } from '../train/checkOutputs.js';
import { RunningMetrics } from '../train/runningMetrics.js';
import { stepPlanner } from '../train/step.js';
import { version } from '../version.js';
import { preprocessing } from '../vision/images/preprocess.js';
import { loadPretrained } from '../vision/models/pretrained.js';
import { requireDownloaded } from '../vision/weights/node.js';
import {
  type DataFixes,
  findData,
  namedDataset,
  type OpenedData,
  type OpenedSplit,
  placedData,
} from './catalog/datasets.js';
import { type NamedModel, namedModel } from './catalog/models.js';
import type { PicturesRecord, RunConfig } from './config.js';
import { readFixes, requireFixable } from './dataCheck/fixes.js';
import { requireColours, requireHoldOut, requireMeaning, requireWork } from './dataOptions.js';
import { RunFolder } from './folder.js';
import { inputsFor } from './inputPipeline.js';
import { outputsFor } from './losses.js';
import { copyNotes, twoClassNotes, weightsNotes } from './notes.js';
import { type RunParts, stepOf, type TrainingParts, trainingParts } from './parts.js';
import { type PositiveClass, positiveClass, requireScreening } from './positive.js';
import { findPretrained, imagesAsTrained, type PretrainedWeights, requireInputs } from './pretrained.js';
import { type Recipe, recipeFor, requireChanges } from './recipe.js';
import type { RunOptions } from './runOptions.js';
import { requireSame } from './sameData.js';
import {
  describeSplits,
  openSplits,
  type PerSplit,
  partsOf,
  pictureNotesOf,
  picturesRecord,
  type SplitDescription,
  type Splits,
  usualHoldOut,
} from './splits.js';
import { splitDigest, splitTable } from './splitTable.js';
import { withTestData } from './testData.js';

/** The options of a run but for its folder. */
interface Asked extends Omit<RunOptions, 'out'> {
  /** Refuses data and weights that would be downloaded, and stores no decoded pictures. Default false. */
  readonly isDry?: boolean | undefined;
}

const usualRule: OperatingRule = { sensitivity: 0.95 };

/** A training with everything in place but a run folder. */
export interface Prepared {
  readonly training: TrainingParts;
  readonly recipe: Recipe;
  readonly generator: RandomGenerator;
  readonly inputShape: Shape;
  readonly splits: Splits;
  readonly data: OpenedData;
  readonly positive: PositiveClass | null;
  readonly modelOptions: RunConfig['model']['options'];
  /** The initial weights, and the file that they were read from. */
  readonly weights: PretrainedWeights | null;
  readonly begun: Awaited<ReturnType<typeof loadWeights>> | null;
}

/**
 * Opens the data and builds the network. Nothing is written.
 *
 * @throws {InputError} as `Run.create`
 */
export async function prepareRun(options: Asked): Promise<Prepared> {
  check.requireValue('run', 'options', options, check.record);
  for (const name of ['model', 'data'] as const) check.requireValue('run', name, options[name], check.text);
  const { model, seed = 0 } = options;
  const entry = namedModel(model);
  const asked = findData(options.data);
  requireMeaning(asked, namedDataset(asked.name), options);
  if (options.changes !== undefined) requireChanges(model, options.changes);
  const weights = await weightsToBeginWith(options, entry);
  const data = await openNew(options, entry, weights);
  const { positive, recipe, inputShape } = planned(options, entry, data, weights);
  const modelOptions = {
    numClasses: outputsFor(recipe, data.classNames.length),
    ...(options.auxiliaryHeads && { auxiliaryHeads: true }),
  };
  const generator = new RandomGenerator(seed);
  const network = withGenerator(generator, () => entry.create(modelOptions, inputShape));
  withGenerator(generator, () => summarize(network, [1, ...inputShape]));
  const splits = await openSplits(data, recipe);
  requireAllClasses(splits.train, data.classNames);
  const training = await trainingParts(network, recipe, inputShape, splits);
  const begun = weights === null ? null : await loadWeights(network, entry, modelOptions.numClasses, weights, options);
  requireFits(training, recipe, inputShape, splits.train);
  return { training, recipe, generator, inputShape, splits, data, positive, modelOptions, weights, begun };
}

/** A training with everything in place, and all that its folder will have at first. */
export interface DescribedRun extends Prepared {
  readonly config: RunConfig;
  readonly pictures: PicturesRecord;
  /** The table of the split; null for data that have one of their own. */
  readonly split: string | null;
  /** Notes for people about data, pictures and initial weights. */
  readonly notes: readonly string[];
}

/** Opens the data, builds the network and makes the run folder; see `Run.create`. */
export async function createRun(options: RunOptions): Promise<RunParts> {
  check.requireValue('run', 'options', options, check.record);
  const { out } = options;
  check.requireValue('run', 'out', out, check.either(check.text, check.listOf(check.text, { least: 1 })));
  check.requireValue('run', 'model', options.model, check.text);
  namedModel(options.model);
  if (typeof out === 'string') await RunFolder.check(out);
  const described = await describeRun(options);
  const { training, config, pictures, split, notes, generator, splits, data } = described;
  const folder = await RunFolder.create(out, config, pictures, split);
  return { ...training, folder, generator, splits, understood: data, notes };
}

/** Opens the data, builds the network and makes the record of a run. Nothing is written. */
export async function describeRun(options: Asked): Promise<DescribedRun> {
  const started = new Date();
  const prepared = await prepareRun(options);
  const { model, seed = 0, onProgress } = options;
  const { training, recipe, inputShape, splits, data, positive, modelOptions, weights, begun } = prepared;
  const described = await describeSplits(splits, onProgress);
  if (options.sameAs !== undefined) requireSame(options.sameAs, splits, described, begun?.origin.sha256);
  const split = splitTable(splits, data, options.testData !== undefined);
  const config: RunConfig = {
    format: 2,
    version,
    started: started.toISOString(),
    model: {
      name: model,
      options: modelOptions,
      inputShape: [...inputShape],
      parameters: training.network.parameterCount(),
      ...(begun !== null && { pretrained: begun.origin }),
    },
    data: dataRecord(options, data, described, split, await fixesOf(options)),
    recipe,
    operatingRule: positive === null ? null : (options.operatingRule ?? usualRule),
    ...(options.calibration !== undefined && options.calibration !== 'none' && { calibration: options.calibration }),
    ...(positive !== null && { positive: positive.name }),
    ...(options.screening !== undefined && { screening: options.screening }),
    seed,
    engine: engineInfo(),
    machine: {
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
    },
  };
  const pictureNotes = await pictureNotesOf(partsOf(splits), data.images, onProgress);
  const notes = [
    ...pictureNotes,
    ...(weights === null || begun === null ? [] : weightsNotes(weights, begun.renewed, config)),
    ...copyNotes(described, splits),
    ...twoClassNotes(described, splits),
    ...(training.transfer?.notes() ?? []),
  ];
  return { ...prepared, config, pictures: picturesRecord(described), split, notes };
}

/** Opens the data of runs before they are divided into folds. */
export async function openForFolds(options: Asked): Promise<{ readonly data: OpenedData; readonly name: string }> {
  const weights = await weightsToBeginWith(options, namedModel(options.model));
  return { data: await openNew(options, namedModel(options.model), weights), name: findData(options.data).name };
}

/** @throws {InputError} for data without single pictures */
async function fixesOf({ fixes, data }: Pick<RunOptions, 'fixes' | 'data'>): Promise<DataFixes | undefined> {
  if (fixes === undefined) return undefined;
  requireFixable(findData(data).name);
  return typeof fixes === 'string' ? readFixes(fixes) : fixes;
}

async function weightsToBeginWith(options: Asked, entry: NamedModel): Promise<PretrainedWeights | null> {
  const { pretrained, model, best = false } = options;
  if (pretrained === undefined) {
    if (!best) return null;
    throw new InputError('[run] best weights: expected with a run folder to begin with, got none');
  }
  const weights = await findPretrained(pretrained, model, entry, best);
  if (options.isDry && weights.file === true) requireDownloaded(entry.weights ?? model);
  requireInputs(weights, options.images, techniquesOf(options)?.transforms ?? []);
  return weights;
}

function techniquesOf({ recipe, changes }: Asked): Recipe['techniques'] {
  return (recipe ?? changes)?.techniques;
}

async function openNew(
  options: Asked,
  { inputShape }: NamedModel,
  weights: PretrainedWeights | null,
): Promise<OpenedData> {
  const { seed = 0, isDry, onDownload, onProgress } = options;
  const imageLoading = isDry ? { ...options.imageLoading, cache: false } : options.imageLoading;
  const { name, location } = placeOf(options);
  const [, height, width] = inputShape;
  const data = await namedDataset(name).open({
    location,
    images: preprocessing({
      size: [height, width],
      order: namedDataset(name).order ?? 'RGB',
      ...(weights?.record && imagesAsTrained(weights.record)),
      ...options.images,
    }),
    imageLoading,
    offline: isDry,
    holdOut: { ...sharesOf(options.holdOut), seed: options.holdOutSeed ?? seed },
    group: options.group,
    fixes: await fixesOf(options),
    ...(options.fold !== undefined && {
      classNames: options.fold.classNames,
      split: { pictures: options.fold.pictures, unreadable: options.fold.unreadable, mayDiffer: false },
    }),
    onDownload,
    onProgress,
  });
  requireHoldOut(name, data, options);
  if (data.obstacle !== null) throw new InputError(data.obstacle);
  const { testData } = options;
  return testData === undefined ? data : withTestData(data, testData, { imageLoading, onProgress });
}

function sharesOf(holdOut: RunOptions['holdOut'] = usualHoldOut) {
  const [share, test] = typeof holdOut === 'number' ? [holdOut] : holdOut;
  return { share, ...(test !== undefined && test > 0 && { test }) };
}

function placeOf({ data, dataDir }: Asked) {
  const { name, location } = findData(data);
  return { name, location: location ?? dataDir };
}

interface Plan {
  readonly positive: PositiveClass | null;
  readonly recipe: Recipe;
  readonly inputShape: Shape;
}

/** Checks the options against the data, and completes the recipe. */
function planned(options: Asked, entry: NamedModel, data: OpenedData, weights: PretrainedWeights | null): Plan {
  const { model, changes, imageLoading } = options;
  const { classNames } = data;
  const asked = techniquesOf(options);
  const positive = positiveClass(classNames, options.positive);
  requireScreening(options.screening, classNames);
  const { transforms, shape } = inputsFor(data, entry, asked?.transforms ?? [], weights?.record ?? null);
  const { name } = placeOf(options);
  requireWork(name, namedDataset(name), imageLoading, transforms.length > 0);
  requireColours(name, options, transforms);
  const techniques = transforms.length === 0 ? asked : { ...asked, transforms };
  const recipe = options.recipe ?? recipeFor(model, classNames.length, { ...changes, techniques });
  requireTwoClasses(classNames, options);
  requireModel(entry, options, shape);
  requireMetric(recipe);
  return { positive, recipe, inputShape: shape };
}

/** Finds out before anything is made what the callbacks would find out when the training begins. */
function requireMetric({ techniques = {} }: Recipe): void {
  const { saveBest } = techniques;
  if (saveBest === undefined) return;
  new Monitor('run', { monitor: saveBest }).check({ metricNames: new RunningMetrics([]).names, evaluating: true });
}

function requireModel(entry: NamedModel, { model, data, auxiliaryHeads }: Asked, imageShape: Shape): void {
  const { inputShape, anySize } = entry;
  const fits = anySize ? imageShape[0] === inputShape[0] : sameShape(imageShape, inputShape);
  if (!fits) {
    throw new InputError(
      `[run] ${model}: expected images ${formatShape(inputShape)}, got ${formatShape(imageShape)} (${data}); ` +
        `choose another network${imageShape[0] === inputShape[0] ? ', or another size where the images are resized' : ''}`,
    );
  }
  if (auxiliaryHeads && !entry.auxiliaryHeads) {
    throw new InputError(`[run] auxiliary heads: expected with googlenet only, got them with ${model}`);
  }
}

const calibrations = check.oneOf(['none', 'temperature', 'platt', 'isotonic']);

function requireTwoClasses({ length }: readonly string[], { operatingRule, calibration = 'none' }: Asked): void {
  check.requireValue('run', 'calibration', calibration, calibrations);
  if (operatingRule !== undefined && length !== 2) {
    throw new InputError(
      `[run] operating point: expected with two classes only, got ${length}; it is a threshold between the two`,
    );
  }
  if ((calibration === 'platt' || calibration === 'isotonic') && length !== 2) {
    throw new InputError(
      `[run] calibration: expected temperature for ${length} classes, got ${calibration}, which is for two`,
    );
  }
}

function requireAllClasses({ classCounts, source }: OpenedSplit, classNames: readonly string[]): void {
  const empty = classNames.filter((_, i) => classCounts[i] === 0);
  if (empty.length === 0) return;
  throw new InputError(`[run] ${source}: expected training images of each class, got none of ${empty.join(', ')}`);
}

/** @throws {InputError} if outputs and loss do not fit together, or a step needs more memory than there is */
function requireFits(training: TrainingParts, recipe: Recipe, inputShape: Shape, { dataset }: OpenedSplit): void {
  const step = stepOf(training, recipe);
  const batch = Math.min(recipe.batchSize, dataset.length);
  const accumulate = recipe.techniques?.accumulateGradBatches;
  const rest = dataset.length % batch || batch;
  inspectTraining(step, inputShape, { where: 'run', smallestBatch: rest, batchSize: batch, labels: [] });
  requireMemoryFor('run', batch, inputShape, stepPlanner(step, inputShape, { accumulate }));
}

async function loadWeights(
  network: Layer,
  { weights: paddleName }: NamedModel,
  numClasses: number,
  { file }: PretrainedWeights,
  { model, onDownload }: Asked,
) {
  const { path, renewed } = await loadPretrained(
    network,
    paddleName ?? model,
    { pretrained: file, onDownload },
    numClasses,
  );
  return { origin: { path: resolve(path), sha256: (await fingerprint(path)).sha256 }, renewed };
}

function dataRecord(
  options: Asked,
  data: OpenedData,
  described: PerSplit<SplitDescription>,
  split: string | null,
  fixes: DataFixes | undefined,
): RunConfig['data'] {
  const { imageLoading } = options;
  const { name, location } = placeOf(options);
  const table = imageLoading?.table;
  return {
    name,
    title: data.title,
    ...(location !== undefined && { location: resolve(location) }),
    images: data.images,
    holdOut: options.fold === undefined ? data.holdOut : null,
    ...(options.fold !== undefined && { fold: { number: options.fold.number, of: options.fold.of } }),
    ...(data.images !== null && { onBadImage: imageLoading?.onBadImage ?? 'fail' }),
    ...(table !== undefined && {
      table: { ...table, ...(table.root !== undefined && { root: resolve(table.root) }) },
    }),
    ...(options.group !== undefined && { group: options.group }),
    ...(fixes !== undefined && { fixes: { excluded: [...fixes.excluded], relabelled: { ...fixes.relabelled } } }),
    ...(split !== null && { splitSha256: splitDigest(split) }),
    synthetic: data.synthetic,
    classNames: [...data.classNames],
    train: described.train.record,
    eval: described.eval.record,
    ...(described.test !== null && { test: described.test.record }),
    ...(options.testData !== undefined && { testData: placedData(options.testData) }),
  };
}
