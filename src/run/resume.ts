import { resolve } from 'node:path';
import { record, requireValue } from '../check.js';
import { InputError } from '../errors.js';
import type { Optimizer } from '../optimizer/index.js';
import { RandomGenerator, withGenerator } from '../random.js';
import { restoreRate } from '../train/resumeConditions.js';
import { namedDataset, placedData } from './catalog/datasets.js';
import { namedModel } from './catalog/models.js';
import type { RunConfig } from './config.js';
import { RunFolder } from './folder.js';
import { imageLoadingAs } from './imageLoading.js';
import { copyNotes } from './notes.js';
import { optimizerFor, type RunParts, trainingParts } from './parts.js';
import { positiveOf } from './positive.js';
import type { Recipe } from './recipe.js';
import type { RepeatOptions, ResumeOptions, RunOptions } from './runOptions.js';
import { knownPlace, requireSame } from './sameData.js';
import { describeSplits, openAsTrained, openSplits, picturesRecord } from './splits.js';

/** Opens the folder of a training; see `Run.resume`. */
export async function resumeRun(path: string, options: ResumeOptions): Promise<RunParts> {
  requireValue('run', 'options', options, record);
  const folder = await RunFolder.begun(path);
  return folder.locked(() => resumed(folder, options));
}

async function resumed(folder: RunFolder, options: ResumeOptions): Promise<RunParts> {
  const { config } = folder;
  const { model, data: known } = config;
  const recipe = { ...config.recipe, epochs: options.epochs ?? config.recipe.epochs };
  const hasState = await folder.hasState();
  if (hasState) {
    await folder.read();
    folder.requireOptimizer();
    requireEpochs(folder, recipe.epochs);
  }
  const place = knownPlace(known, options);
  const opened = await openAsTrained(
    config,
    { ...place, isOther: false, testData: options.testData, split: await folder.readSplit() },
    options,
  );
  const splits = await openSplits(opened, recipe);
  const described = await describeSplits(splits, options.onProgress);
  requireSame(config, splits, described);
  // A run that was killed at its start has no checksums, nor has one of an older version.
  if ((await folder.readPictures()) === null) await folder.writePictures(picturesRecord(described));
  const generator = new RandomGenerator(config.seed);
  const network = withGenerator(generator, () => namedModel(model.name).create(model.options, model.inputShape));
  const training = await trainingParts(network, recipe, model.inputShape, splits);
  const parts = { ...training, folder, generator, splits, understood: opened, notes: copyNotes(described, splits) };
  if (hasState) requireSteadyRate(folder, recipe, optimizerFor(network, recipe, splits.train));
  const location = place.location && resolve(place.location);
  const testData = options.testData === undefined ? known.testData : placedData(options.testData);
  const moved = (location !== undefined && location !== known.location) || testData !== known.testData;
  if (recipe.epochs !== config.recipe.epochs || moved) {
    const data = {
      ...known,
      ...(location !== undefined && { location }),
      ...(testData !== undefined && { testData }),
      train: { ...known.train, source: described.train.record.source },
      eval: { ...known.eval, source: described.eval.record.source },
      ...(known.test !== undefined &&
        described.test !== null && { test: { ...known.test, source: described.test.record.source } }),
    };
    await folder.reconfigure({ ...config, data, recipe });
  }
  if (!hasState) {
    if (model.pretrained === undefined) return parts;
    throw new InputError(
      `[run] ${folder.path}: expected a saved state, got none yet; start a new training with the same weights`,
    );
  }
  await folder.loadWeights(network);
  await folder.loadOptimizer(parts.optimizer, network);
  return { ...parts, from: { state: folder.state.training, history: folder.history } };
}

function requireEpochs({ state: { training } }: RunFolder, epochs: number): void {
  const least = training.batch > 0 ? training.epoch : Math.max(1, training.epoch - 1);
  if (epochs >= least) return;
  const begun = training.batch > 0 ? 'that are done or begun' : 'that are done';
  throw new InputError(`[run] epochs: expected at least the ${least} ${begun}, got ${epochs}`);
}

/** A schedule over all epochs has another rate at the same step if their number changes. */
function requireSteadyRate({ state, config }: RunFolder, { epochs, techniques }: Recipe, optimizer: Optimizer): void {
  if (epochs === config.recipe.epochs) return;
  try {
    restoreRate(optimizer, state.training);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `[run] epochs: expected ${config.recipe.epochs}, over which the schedule ${techniques?.schedule?.name} goes, got ` +
        `${epochs}: the learning rate would jump; start a new training with ${epochs} epochs`,
      { cause: error },
    );
  }
}

/** How photographs become inputs, as an option. Grey inputs take no order of colours. */
function imagesAgain({ recipe, model }: RunConfig, { order, ...images }: NonNullable<RunConfig['data']['images']>) {
  const isGrey = recipe.techniques?.transforms?.some((spec) => 'Grayscale' in spec) === true;
  const size = [images.height, images.width] as const;
  return { ...images, size, ...((!isGrey || model.pretrained !== undefined) && { order }) };
}

/** The options that make a run once more; see `Run.repeat`. */
export async function repeatOptions(path: string, options: RepeatOptions): Promise<RunOptions> {
  const folder = await RunFolder.begun(path);
  const { config } = folder;
  const { model, data: known } = config;
  const { images, holdOut } = known;
  const { location } = knownPlace(known, options);
  const takesLocation = namedDataset(known.name).location !== null;
  return {
    model: model.name,
    data: takesLocation && location !== undefined ? `${known.name}:${location}` : known.name,
    ...(!takesLocation && { dataDir: location }),
    out: options.out,
    seed: options.seed ?? config.seed,
    ...(images !== null && { images: imagesAgain(config, images) }),
    imageLoading: images === null ? options.imageLoading : imageLoadingAs(known, options.imageLoading),
    ...(holdOut !== null && { holdOut: [holdOut.share, holdOut.test ?? 0] as const, holdOutSeed: holdOut.seed }),
    group: known.group,
    fixes: known.fixes,
    ...(known.fold !== undefined && {
      fold: {
        ...known.fold,
        classNames: known.classNames,
        pictures: (await folder.readSplit()) ?? new Map(),
        unreadable: known.train.unreadable.map(({ path: unread }) => unread),
      },
    }),
    testData: options.testData ?? known.testData,
    pretrained: model.pretrained?.path,
    auxiliaryHeads: model.options.auxiliaryHeads,
    operatingRule: config.operatingRule ?? undefined,
    calibration: config.calibration,
    positive: positiveOf(config)?.name,
    screening: config.screening,
    recipe: config.recipe,
    sameAs: config,
    onDownload: options.onDownload,
    onProgress: options.onProgress,
  };
}
