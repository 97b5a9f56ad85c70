import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { engineInfo } from '../engine/select.js';
import { FileError, FoveaError, InputError } from '../errors.js';
import { formatShape, type Shape, sameShape } from '../graph/shape.js';
import { DataLoader } from '../io/data/dataloader.js';
import type { DownloadProgress } from '../io/files/download.js';
import { fingerprint } from '../io/files/fingerprint.js';
import type { OperatingRule } from '../metric/index.js';
import type { Layer } from '../nn/layer.js';
import { summarize } from '../nn/summary.js';
import type { Optimizer } from '../optimizer/index.js';
import { seed as setSeed } from '../random.js';
import type { Tensor } from '../tensor/tensor.js';
import { formatCount } from '../text/numbers.js';
import { requireMemoryFor } from '../train/batchMemory.js';
import type { Callback, Training } from '../train/callback.js';
import { TensorBoard } from '../train/callbacks/index.js';
import { Monitor } from '../train/callbacks/monitor.js';
import { inspectTraining } from '../train/checkOutputs.js';
import { classWeightsOf } from '../train/classBalance.js';
import { DivergenceError } from '../train/divergence.js';
import type { TrainingState, TrainOutcome } from '../train/history.js';
import { missingClasses } from '../train/missingClasses.js';
import type { LossFunction } from '../train/objective.js';
import type { TrainOptions } from '../train/options.js';
import { restoreRate } from '../train/resumeConditions.js';
import { RunningMetrics } from '../train/runningMetrics.js';
import { stepPlanner } from '../train/step.js';
import { train } from '../train/train.js';
import { version } from '../version.js';
import { type PreprocessOptions, preprocessing } from '../vision/images/preprocess.js';
import { loadPretrained } from '../vision/models/pretrained.js';
import { trainingNotice } from './advice.js';
import { readingAs } from './badImages.js';
import { callbacksOf } from './callbacks.js';
import type { OpenedSplit, OpenOptions, Understanding } from './catalog/datasets.js';
import { type ModelKind, withHeads } from './catalog/models.js';
import { ChecksumIndex, packChecksums } from './checksums.js';
import type { PicturesRecord, RunConfig } from './config.js';
import { requireHoldOut, requireMeaning, requireWork } from './dataOptions.js';
import { RunFolder } from './folder.js';
import { describeInputs, inputsFor, judgedAs } from './inputPipeline.js';
import { positiveClass, positiveOf, requireScreening } from './positive.js';
import { classNotes, findPretrained, imagesAsTrained, type PretrainedWeights, requireInputs } from './pretrained.js';
import {
  datasetKind,
  findData,
  lossOf,
  makeOptimizer,
  modelKind,
  outputsFor,
  type Recipe,
  type RecipeChanges,
  recipeFor,
  requireChanges,
} from './recipes.js';
import { Keeper } from './recorder.js';
import { describeSplit, evalBatchSize, pictureNotesOf, type SplitDescription } from './splits.js';
import { optimizerExtras, trainLoaderOf } from './techniques.js';
import { weightsMetadata, weightsRecordOf } from './weightsRecord.js';

const usualHoldOut = 0.2;
const usualRule: OperatingRule = { sensitivity: 0.95 };
/** Weight of the loss of each auxiliary head: Szegedy et al., 2015, section 5. */
const auxiliaryWeight = 0.3;

export interface RunOptions {
  /** `lenet`, `resnet50` and so on. */
  readonly model: string;
  /** `mnist`, `palm:DIR`, `folder:DIR` or `csv:FILE`. */
  readonly data: string;
  /** The run folder, which must be new or empty; or several, of which the first is taken that is not there yet. */
  readonly out: string | Iterable<string>;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Folder with MNIST's files. */
  readonly dataDir?: string | undefined;
  /** How photographs become inputs; by default as OpenCV does it, in the size that the model is made for. */
  readonly images?: PreprocessOptions | undefined;
  /** How photographs are read. */
  readonly reading?: OpenOptions['reading'];
  /** Share of each class that is kept back for judging where the data does not say which images are. Default 0.2. */
  readonly holdOut?: number | undefined;
  /**
   * Begin with the weights of a `.safetensors` or `.pdparams` file, or of a run folder; `true` for a ready-made network:
   * with Paddle's weights, trained on ImageNet. A classifier for another number of classes begins anew. Inputs are made
   * as the weights had them, unless `images` and transforms say otherwise.
   */
  readonly pretrained?: true | string | undefined;
  /** With a run folder as `pretrained`: begin with its best weights in place of its last ones. Default false. */
  readonly best?: boolean | undefined;
  /** Train GoogLeNet with its auxiliary heads. Default false. */
  readonly auxiliaryHeads?: boolean | undefined;
  /**
   * With two classes: how the threshold of the decision is chosen, on the training images and before any other is
   * judged with it. Default `{ sensitivity: 0.95 }`.
   */
  readonly operatingRule?: OperatingRule | undefined;
  /**
   * With two classes: the one that sensitivity, precision and AUC speak of. Default: the one that is told from `normal`,
   * `negative`, `no…`, `0` and the like; else the second.
   */
  readonly positive?: string | undefined;
  /** Reports speak of a screening test, with what has to be said of one. Default: with iChallenge-PM alone. */
  readonly screening?: boolean | undefined;
  /** What to do otherwise than the model's recipe. */
  readonly changes?: RecipeChanges | undefined;
  /** The whole recipe, in place of the model's recipe and `changes`. */
  readonly recipe?: Recipe | undefined;
  /** The choice of what is kept back for judging. Default: follows from `seed`. */
  readonly holdOutSeed?: number | undefined;
  /** A run whose data and weights to begin with these have to be the same as. */
  readonly sameAs?: RunConfig | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** Told how far the looking through files has got, and the adding up of their checksums. */
  readonly onProgress?: OpenOptions['onProgress'];
}

export interface ResumeOptions {
  /** Where the data lie now, as in `folder:DIR`, if they have moved. They must be the same. */
  readonly data?: string | undefined;
  /** The same for data that lie in a folder; for MNIST the folder with its files. */
  readonly dataDir?: string | undefined;
  /** Epochs in all, also for a run that has finished. Default: as many as it was begun with. */
  readonly epochs?: number | undefined;
  /** How photographs are read. Default: bad ones are treated as before. */
  readonly reading?: OpenOptions['reading'];
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  readonly onProgress?: OpenOptions['onProgress'];
}

export interface RepeatOptions extends Omit<ResumeOptions, 'epochs'> {
  /** The new run folder; see {@link RunOptions}. */
  readonly out: string | Iterable<string>;
  /** Default: that of the run. The images that are kept back for judging stay the same. */
  readonly seed?: number | undefined;
}

export interface RunTrainOptions {
  readonly callbacks?: readonly Callback[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly saveSteps?: number | undefined;
  /** Told of what came short and ends nothing, such as a report that could not be written. Default: to stderr. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Writes the figures of each epoch for TensorBoard too, to the folder `tensorboard` of the run. Default false. */
  readonly tensorBoard?: boolean | undefined;
}

const tell = (note: string) => void process.stderr.write(`${note}\n`);

interface RunParts {
  readonly folder: RunFolder;
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly train: OpenedSplit;
  readonly eval: OpenedSplit;
  readonly understood: Understanding;
  readonly trainLoader: DataLoader;
  readonly classWeight: Tensor | undefined;
  readonly from?: TrainOptions['from'];
  /** What there is to say of the weights that it begins with, and of its data. */
  readonly beginnings?: readonly string[];
}

/** A training with its data, network and run folder: everything is checked and in place, and nothing trained yet. */
export class Run {
  readonly folder: RunFolder;
  readonly network: Layer;
  readonly optimizer: Optimizer;
  /** How the files of the data were understood. */
  readonly understood: Understanding;
  readonly #train: OpenedSplit;
  readonly #eval: OpenedSplit;
  readonly #trainLoader: DataLoader;
  readonly #classWeight: Tensor | undefined;
  readonly #from: TrainOptions['from'];
  readonly #beginnings: readonly string[];

  private constructor(parts: RunParts) {
    this.folder = parts.folder;
    this.network = parts.network;
    this.optimizer = parts.optimizer;
    this.understood = parts.understood;
    this.#train = parts.train;
    this.#eval = parts.eval;
    this.#trainLoader = parts.trainLoader;
    this.#classWeight = parts.classWeight;
    this.#from = parts.from;
    this.#beginnings = parts.beginnings ?? [];
  }

  /**
   * Opens the data, builds the network and makes the run folder.
   *
   * @throws {InputError} for anything wrong with the names, numbers, files and folders; no folder is made then
   */
  static async create(options: RunOptions): Promise<Run> {
    const started = new Date();
    const { model, dataDir, out, seed = 0, reading, onDownload, onProgress, auxiliaryHeads = false } = options;
    const kind = modelKind(model);
    const asFound = findData(options.data);
    const { name, location } = asFound;
    requireMeaning(asFound, datasetKind(name), options);
    if (options.changes !== undefined) requireChanges(model, options.changes);
    if (typeof out === 'string') await RunFolder.check(out);
    const [, height, width] = kind.inputShape;
    const asked = (options.recipe ?? options.changes)?.techniques;
    const weights =
      options.pretrained === undefined
        ? null
        : await findPretrained(options.pretrained, model, kind, options.best ?? false);
    if (weights !== null) requireInputs(weights, options.images, asked?.transforms ?? []);
    else if (options.best)
      throw new InputError('[run] best weights: expected with a run folder to begin with, got none');
    const before = weights?.record ?? null;
    const data = await datasetKind(name).open({
      location: location ?? dataDir,
      images: preprocessing({
        size: [height, width],
        order: datasetKind(name).order ?? 'RGB',
        ...(before !== null && imagesAsTrained(before)),
        ...options.images,
      }),
      reading,
      holdOut: { share: options.holdOut ?? usualHoldOut, seed: options.holdOutSeed ?? seed },
      onDownload,
      onProgress,
    });
    requireHoldOut(name, data, options);
    if (data.obstacle !== null) throw new InputError(data.obstacle);
    const { classNames } = data;
    const positive = positiveClass(classNames, options.positive);
    requireScreening(options.screening, classNames);
    const { transforms, shape: imageShape } = inputsFor(data, kind, asked?.transforms ?? [], before);
    requireWork(name, datasetKind(name), reading, transforms.length > 0);
    const techniques = transforms.length === 0 ? asked : { ...asked, transforms };
    const recipe = options.recipe ?? recipeFor(model, classNames.length, { ...options.changes, techniques });
    requireTwoClasses(classNames, options.operatingRule);
    checkModel(model, kind, options, imageShape);
    checkFigure(recipe);
    setSeed(seed);
    const modelOptions = {
      numClasses: outputsFor(recipe, classNames.length),
      ...(auxiliaryHeads && { auxiliaryHeads }),
    };
    const network = kind.create(modelOptions, imageShape);
    summarize(network, [1, ...imageShape]);
    const parts = {
      train: judgedAs(await data.open('train'), recipe),
      eval: judgedAs(await data.open('validation'), recipe),
    };
    checkClasses(parts.train, classNames);
    const optimizer = optimizerOf(recipe, network, parts.train);
    const trainLoader = await trainLoaderOf(parts.train, recipe.techniques ?? {}, recipe);
    const classWeight = weightsOf(recipe, parts.train);
    const begun = weights === null ? null : await loadWeights(network, kind, modelOptions.numClasses, weights, options);
    const loss = lossOf(recipe).compute;
    const trained = {
      network,
      optimizer,
      loss,
      objective: objectiveOf(network, loss, classWeight),
      classWeight,
      trainAccuracy: true,
    };
    const batch = Math.min(recipe.batchSize, parts.train.dataset.length);
    const accumulate = recipe.techniques?.accumulateGradBatches;
    const rest = parts.train.dataset.length % batch || batch;
    inspectTraining(trained, imageShape, { where: 'run', smallestBatch: rest, batchSize: batch, labels: [] });
    requireMemoryFor('run', batch, imageShape, stepPlanner(trained, imageShape, { accumulate }));
    const described = {
      train: await describeSplit(parts.train, onProgress),
      eval: await describeSplit(parts.eval, onProgress),
    };
    if (options.sameAs !== undefined) requireSame(options.sameAs, parts, described, begun?.origin.sha256);
    const config: RunConfig = {
      format: 2,
      version,
      started: started.toISOString(),
      model: {
        name: model,
        options: modelOptions,
        inputShape: [...imageShape],
        parameters: network.parameterCount(),
        ...(begun !== null && { pretrained: begun.origin }),
      },
      data: {
        name,
        title: data.title,
        ...((location ?? dataDir) !== undefined && { location: resolve(location ?? (dataDir as string)) }),
        images: data.images,
        holdOut: data.holdOut,
        ...(data.images !== null && { onBadImage: reading?.onBadImage ?? 'fail' }),
        ...(reading?.table !== undefined && {
          table: { ...reading.table, ...(reading.table.root !== undefined && { root: resolve(reading.table.root) }) },
        }),
        synthetic: data.synthetic,
        classNames: [...classNames],
        train: described.train.record,
        eval: described.eval.record,
      },
      recipe,
      operatingRule: positive === null ? null : (options.operatingRule ?? usualRule),
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
    const pictureNotes = await pictureNotesOf([parts.train, parts.eval], data.images);
    const folder = await RunFolder.create(out, config, picturesOf(described));
    const beginnings = [
      ...pictureNotes,
      ...(weights === null || begun === null ? [] : beginningNotes(weights, begun.renewed, config)),
      ...copyNotes(described, parts),
      ...twoClassNotes(described, parts),
    ];
    const understood = understandingOf(data);
    return new Run({ folder, network, optimizer, trainLoader, classWeight, beginnings, understood, ...parts });
  }

  /**
   * Opens the folder of a training that was stopped or killed, to go on where its state was saved: it ends with the
   * same bits as one that was left alone, on the same machine with the same engine and number of threads. A run that
   * has finished gets its report anew.
   *
   * @throws {FileError} naming the file of the folder that is missing, cut, altered or not what it should be
   * @throws {InputError} if the optimizer's state was removed, another training writes to the folder, the images or labels are not those of before, or a
   * schedule over all epochs would jump with more of them
   */
  static async resume(path: string, options: ResumeOptions = {}): Promise<Run> {
    const folder = await RunFolder.begun(path);
    return folder.locked(() => Run.#goOn(folder, options));
  }

  /**
   * Does a run once more, in a new folder: with its data, recipe, seed and weights to begin with. On the same machine, with
   * the same engine and number of threads, its weights come out equal; see {@link compareRuns}.
   *
   * @throws {FileError} naming the file of the folder that is missing or not what it should be
   * @throws {InputError} if the images or labels are not those of before
   */
  static async repeat(path: string, options: RepeatOptions): Promise<Run> {
    const { config } = await RunFolder.begun(path);
    const { model, data: known } = config;
    const { images, holdOut } = known;
    const location = placeOf(known, options);
    const takesLocation = datasetKind(known.name).location !== null;
    return Run.create({
      model: model.name,
      data: takesLocation && location !== undefined ? `${known.name}:${location}` : known.name,
      ...(!takesLocation && { dataDir: location }),
      out: options.out,
      seed: options.seed ?? config.seed,
      ...(images !== null && {
        images: { ...images, size: [images.height, images.width] },
      }),
      reading: images === null ? options.reading : readingAs(known, options.reading),
      ...(holdOut !== null && { holdOut: holdOut.share, holdOutSeed: holdOut.seed }),
      pretrained: model.pretrained?.path,
      auxiliaryHeads: model.options.auxiliaryHeads,
      operatingRule: config.operatingRule ?? undefined,
      positive: positiveOf(config)?.name,
      screening: config.screening,
      recipe: config.recipe,
      sameAs: config,
      onDownload: options.onDownload,
      onProgress: options.onProgress,
    });
  }

  static async #goOn(folder: RunFolder, options: ResumeOptions): Promise<Run> {
    const { model, data: known, seed } = folder.config;
    const { epochs = folder.config.recipe.epochs } = options;
    const recipe = { ...folder.config.recipe, epochs };
    const hasState = await folder.hasState();
    if (hasState) {
      await folder.read();
      folder.requireOptimizer();
      requireEpochs(folder, epochs);
    }
    const location = placeOf(known, options);
    const opened = await datasetKind(known.name).open({
      location,
      images: known.images ?? preprocessing({ size: [model.inputShape[1], model.inputShape[2]] }),
      reading: readingAs(known, options.reading),
      holdOut: known.holdOut,
      classNames: known.classNames,
      onDownload: options.onDownload,
      onProgress: options.onProgress,
    });
    const parts = {
      train: judgedAs(await opened.open('train'), recipe),
      eval: judgedAs(await opened.open('validation'), recipe),
    };
    const described = {
      train: await describeSplit(parts.train, options.onProgress),
      eval: await describeSplit(parts.eval, options.onProgress),
    };
    requireSame(folder.config, parts, described);
    // A run that was killed while it began has none, nor has one of an older version.
    if ((await folder.readPictures()) === null) await folder.writePictures(picturesOf(described));
    setSeed(seed);
    const network = modelKind(model.name).create(model.options, model.inputShape);
    const optimizer = optimizerOf(recipe, network, parts.train);
    const trainLoader = await trainLoaderOf(parts.train, recipe.techniques ?? {}, recipe);
    const classWeight = weightsOf(recipe, parts.train);
    const beginnings = copyNotes(described, parts);
    const understood = understandingOf(opened);
    const made = { folder, network, optimizer, trainLoader, classWeight, beginnings, understood, ...parts };
    if (hasState) requireSteadyRate(folder, recipe, optimizerOf(recipe, network, parts.train));
    const moved = location !== undefined && resolve(location) !== known.location;
    if (epochs !== folder.config.recipe.epochs || moved) {
      const { train, eval: judged } = described;
      const data = {
        ...known,
        ...(location !== undefined && { location: resolve(location) }),
        train: { ...known.train, source: train.record.source },
        eval: { ...known.eval, source: judged.record.source },
      };
      await folder.reconfigure({ ...folder.config, data, recipe });
    }
    if (!hasState) {
      if (model.pretrained === undefined) return new Run(made);
      throw new InputError(
        `[run] ${folder.path}: expected a saved state, got none yet; train anew with the same weights`,
      );
    }
    await folder.loadWeights(network);
    await folder.loadOptimizer(optimizer, network);
    const from = { state: folder.state.training, history: folder.history };
    return new Run({ ...made, from });
  }

  /** Where the training goes on; null if it begins. */
  get from(): TrainingState | null {
    return this.#from?.state ?? null;
  }

  /** What there is to say before the training: of data, pictures and weights to begin with, classes that nothing is judged by, and see {@link differences}. */
  notes(): string[] {
    const { classNames, eval: judged } = this.folder.config.data;
    const missing = missingClasses('images for judging', classNames, judged.classCounts);
    const missed = missing === null ? [] : [missing];
    return [...this.#beginnings, ...this.understood.notes, ...missed, ...this.differences()];
  }

  /** In what this process computes otherwise than the one that the run began in: the same bits cannot be promised then. */
  differences(): string[] {
    const { name, description, threads, precision } = this.folder.config.engine;
    const now = engineInfo();
    const pairs = [
      ['engine', `${name} (${description})`, `${now.name} (${now.description})`],
      ['threads', threads, now.threads],
      ['precision', precision, now.precision],
    ] as const;
    return pairs
      .filter(([, then, here]) => then !== here)
      .map(([what, then, here]) => `${what}: ${here}, before ${then}`);
  }

  /** What is trained on what, for {@link train}. */
  loop(): TrainOptions {
    const { recipe, model } = this.folder.config;
    const { epochs, techniques } = recipe;
    const loss = lossOf(recipe).compute;
    const judged = this.#eval.dataset;
    return {
      network: this.network,
      optimizer: this.optimizer,
      loss,
      objective: objectiveOf(this.network, loss, this.#classWeight),
      classWeight: this.#classWeight,
      trainAccuracy: true,
      trainLoader: this.#trainLoader,
      accumulateGradBatches: techniques?.accumulateGradBatches,
      evalFreq: techniques?.evalEvery,
      evalLoader: new DataLoader(judged, {
        batchSize: evalBatchSize(this.network, model.inputShape, recipe, judged.length),
        reuse: true,
      }),
      epochs,
      from: this.#from,
    };
  }

  /** What there is to say if the training went wrong, and what to try; else null. */
  notice(history: TrainOutcome['history']): string | null {
    const { data, model, recipe } = this.folder.config;
    const heads = withHeads(this.network) === null ? 0 : 2;
    return trainingNotice(history, data.train.classCounts, {
      weight: 1 + heads * auxiliaryWeight,
      evalCounts: data.eval.classCounts,
      classNames: data.classNames,
      model: model.name,
      inputShape: model.inputShape,
      optimizer: recipe.optimizer.name,
      techniques: recipe.techniques,
    });
  }

  /**
   * Trains. The state is saved after each epoch and when the signal ends the training; at the end `report.html` is
   * written. Nobody else can train in the folder meanwhile.
   *
   * @param options.saveSteps saves the state after so many steps too
   * @param options.tensorBoard writes the figures of each epoch for TensorBoard too
   * @throws {DivergenceError} if a loss is infinite or no number: what was saved last stays
   */
  async train(options: RunTrainOptions = {}): Promise<TrainOutcome> {
    const { callbacks = [], signal, saveSteps, tensorBoard = false, onNote = tell } = options;
    const { folder } = this;
    await folder.lock();
    const keeper = new Keeper(this, this.#train, this.#eval, { signal, onNote });
    try {
      const save = (training: Training) => keeper.save(training);
      const own = callbacksOf(folder.config.recipe.techniques ?? {}, folder.path, weightsMetadata(folder.config));
      if (tensorBoard) own.push(new TensorBoard({ logDir: folder.tensorBoardPath }));
      const outcome = await train({ ...this.loop(), callbacks: [...own, ...callbacks], signal, save, saveSteps });
      return await keeper.end(outcome);
    } catch (error) {
      if (error instanceof DivergenceError) {
        await keeper.report(`Ended early: ${error.message}`);
        throw new FoveaError(`${error.message}; ${await leftIn(folder)}`, { cause: error });
      }
      // So that the call can be repeated as it was, once what is wrong has been mended.
      await folder.unlock();
      const left = await leftIn(folder);
      if (!(error instanceof FileError)) throw error;
      throw new FileError(`${error.message}; ${left}`, { cause: error });
    } finally {
      await folder.unlock();
    }
  }
}

function understandingOf({ parts, passedOver, notes }: Understanding): Understanding {
  return { parts, passedOver, notes };
}

/** Pictures that are in two classes: nothing can be right for both. */
function twoClassNotes({ train, eval: judged }: Described, splits: Record<'train' | 'eval', OpenedSplit>): string[] {
  if (train.checksums === null || judged.checksums === null) return [];
  const checksums = [...train.checksums, ...judged.checksums];
  const files = [...splits.train.files, ...splits.eval.files];
  const first = new Map<string, number>();
  const pairs = checksums.flatMap((checksum, i) => {
    const before = first.get(checksum);
    if (before === undefined) first.set(checksum, i);
    return before === undefined || files[before].label === files[i].label ? [] : [[before, i]];
  });
  if (pairs.length === 0) return [];
  const [one, other] = pairs[0].map((i) => files[i].path);
  const count = pairs.length === 1 ? 'a picture is' : `${formatCount(pairs.length)} pictures are`;
  return [`${count} in two classes, byte for byte (${other} is ${one}): remove those in the wrong one`];
}

/** Where the state of a training that failed is, and what to do with it. A folder without a state is taken away. */
async function leftIn(folder: RunFolder): Promise<string> {
  if (!folder.isSaved) {
    const discarded = await folder.discard().catch(() => false);
    return discarded ? 'nothing had been saved, so there is no run folder' : 'nothing had been saved yet';
  }
  const { epoch, batch } = folder.state.training;
  const place = batch === 0 ? `epoch ${epoch - 1}` : `batch ${formatCount(batch)} of epoch ${epoch}`;
  return (await folder.hasState())
    ? `the state after ${place} is kept in ${folder.path}`
    : `the state after ${place} was saved in ${folder.path}, which is no longer there; resume it where it is now`;
}

function optimizerOf({ optimizer, techniques = {}, ...extent }: Recipe, network: Layer, { dataset }: OpenedSplit) {
  const extras = optimizerExtras(techniques, optimizer.learningRate, { ...extent, images: dataset.length });
  return makeOptimizer(optimizer, network.parameters(), extras);
}

function weightsOf({ techniques }: Recipe, { classCounts }: OpenedSplit): Tensor | undefined {
  const weights = techniques?.classWeight;
  return weights === undefined ? undefined : classWeightsOf(weights, classCounts);
}

/** Finds out before anything is made what the callbacks would find out when the training begins. */
function checkFigure({ techniques = {} }: Recipe): void {
  const { saveBest } = techniques;
  if (saveBest === undefined) return;
  new Monitor('run', { monitor: saveBest }).check({ metricNames: new RunningMetrics([]).names, evaluating: true });
}

function checkModel(model: string, kind: ModelKind, { data, auxiliaryHeads }: RunOptions, imageShape: Shape): void {
  const { inputShape, anySize } = kind;
  const fits = anySize ? imageShape[0] === inputShape[0] : sameShape(imageShape, inputShape);
  if (!fits) {
    throw new InputError(
      `[run] ${model}: expected images ${formatShape(inputShape)}, got ${formatShape(imageShape)} (${data}); ` +
        `choose another network${imageShape[0] === inputShape[0] ? ', or another size where the images are resized' : ''}`,
    );
  }
  if (auxiliaryHeads && !kind.auxiliaryHeads) {
    throw new InputError(`[run] auxiliary heads: expected with googlenet only, got them with ${model}`);
  }
}

async function loadWeights(
  network: Layer,
  { weights: paddleName }: ModelKind,
  numClasses: number,
  { file }: PretrainedWeights,
  { model, onDownload }: RunOptions,
) {
  const { path, renewed } = await loadPretrained(
    network,
    paddleName ?? model,
    { pretrained: file, onDownload },
    numClasses,
  );
  return { origin: { path: resolve(path), sha256: (await fingerprint(path)).sha256 }, renewed };
}

/** What there is to say of the weights that a training begins with. */
function beginningNotes(weights: PretrainedWeights, renewed: readonly string[], config: RunConfig): string[] {
  const then = weights.record && describeInputs(weights.record);
  const now = describeInputs(weightsRecordOf(config));
  return [
    ...classNotes(weights, config.data.classNames, renewed),
    ...(then === null || now === then ? [] : [`the inputs are ${now}; those of the weights were ${then}`]),
  ];
}

type Described = Readonly<Record<'train' | 'eval', SplitDescription>>;

/** The checksums of files, before pixels were looked at. */
function picturesOf({ train, eval: judged }: Described): PicturesRecord {
  const packed = ({ checksums }: SplitDescription) => ({
    files: checksums && packChecksums(checksums),
    pixels: null,
  });
  return { format: 1, train: packed(train), validation: packed(judged) };
}

/** Pictures that are both learned from and judged by make figures too good. */
function copyNotes({ train, eval: judged }: Described, splits: Record<'train' | 'eval', OpenedSplit>): string[] {
  if (train.checksums === null || judged.checksums === null) return [];
  const index = new ChecksumIndex(train.checksums);
  const copies = judged.checksums.flatMap((checksum, i) => (index.has(checksum) ? [i] : []));
  if (copies.length === 0) return [];
  const original = train.checksums.indexOf(judged.checksums[copies[0]]);
  return [
    `${formatCount(copies.length)} of the ${formatCount(judged.checksums.length)} pictures for judging ` +
      `${copies.length === 1 ? 'is a training picture' : 'are training pictures'} too, byte for byte ` +
      `(${splits.eval.files[copies[0]].path} is ${splits.train.files[original].path}): the figures are too ` +
      'good; remove the copies',
  ];
}

/** Where the data of a run lie: where they lay, unless the caller says otherwise. */
function placeOf(known: RunConfig['data'], { data, dataDir }: Pick<ResumeOptions, 'data' | 'dataDir'>) {
  if (data !== undefined) {
    const { name, location } = findData(data);
    if (name === known.name) return location ?? dataDir ?? known.location;
    throw new InputError(`[run] data: expected ${known.name}, which the run was trained on, got ${name}`);
  }
  if (dataDir !== undefined && datasetKind(known.name).location === 'FILE') {
    throw new InputError(
      `[run] folder of the data: expected with data in a folder, got ${known.name}, which is a file; give the file as ` +
        `${known.name}:FILE`,
    );
  }
  return dataDir ?? known.location;
}

/** @throws {InputError} unless images, labels and weights to begin with are those of a run */
function requireSame(
  { data: known, model }: RunConfig,
  parts: Readonly<Record<'train' | 'eval', OpenedSplit>>,
  described: Described,
  weights = model.pretrained?.sha256,
): void {
  for (const split of ['train', 'eval'] as const) {
    if (described[split].record.sha256 === known[split].sha256) continue;
    throw new InputError(
      `[run] ${parts[split].source}: expected the images and labels of the run, got others; ` +
        'put the data back as they were, or train anew',
    );
  }
  if (weights === model.pretrained?.sha256) return;
  throw new InputError(
    `[run] ${model.pretrained?.path}: expected the weights that the run began with, got others; put them back`,
  );
}

function requireTwoClasses({ length }: readonly string[], rule: OperatingRule | undefined): void {
  if (rule === undefined || length === 2) return;
  throw new InputError(
    `[run] operating point: expected with two classes only, got ${length}; it is a threshold between the two`,
  );
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
        `${epochs}: the learning rate would jump; train anew with ${epochs} epochs`,
      { cause: error },
    );
  }
}

function checkClasses({ classCounts, source }: OpenedSplit, classNames: readonly string[]): void {
  const empty = classNames.filter((_, i) => classCounts[i] === 0);
  if (empty.length === 0) return;
  throw new InputError(`[run] ${source}: expected training images of each class, got none of ${empty.join(', ')}`);
}

function objectiveOf(network: Layer, loss: LossFunction, weight: Tensor | undefined): TrainOptions['objective'] {
  const inner = withHeads(network);
  if (inner === null) return undefined;
  return (images, labels) => {
    const { logits, auxiliary } = inner.forwardWithHeads(images);
    const plain = loss(logits, labels, weight);
    const total = auxiliary.reduce((sum, head) => sum.add(loss(head, labels, weight).mul(auxiliaryWeight)), plain);
    return { loss: total, outputs: logits };
  };
}
