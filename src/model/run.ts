import { cpus } from 'node:os';
import { engineInfo } from '../engine/select.js';
import { FoveaError } from '../errors.js';
import { DataLoader } from '../io/dataloader.js';
import type { DownloadProgress } from '../io/download.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import { seed as setSeed } from '../random.js';
import type { OpenedSplit } from '../vision/datasets/registry.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { formatCount } from './format.js';
import { datasetKind, lossOf, makeOptimizer, modelKind, type RecipeChanges, recipeFor } from './recipes.js';
import type { RunConfig } from './records.js';
import { fingerprint, RunFolder } from './runFolder.js';
import { renderRunReport } from './runReport.js';
import {
  type Callback,
  DivergenceError,
  type Training,
  type TrainOptions,
  type TrainOutcome,
  train,
} from './trainer.js';
import { version } from './version.js';

/** Samples of an evaluation's batch; more than in training, since nothing is kept for a backward pass. */
const evalBatchSize = 100;
/** A report of a long run is renewed on the way, at most so often. */
const reportSeconds = 60;

export interface RunOptions {
  /** `lenet` */
  readonly model: string;
  /** `mnist` */
  readonly data: string;
  /** The run folder, which must be new or empty. */
  readonly out: string;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Folder with the data set's files. */
  readonly dataDir?: string | undefined;
  /** What to do otherwise than the model's recipe for that data set. */
  readonly changes?: RecipeChanges | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
}

/** A training with its data, network and run folder: everything is checked and in place, and nothing trained yet. */
export class Run {
  readonly folder: RunFolder;
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly #train: DataLoader;
  readonly #eval: DataLoader;

  private constructor(
    folder: RunFolder,
    network: Layer,
    optimizer: Optimizer,
    loaders: { readonly train: DataLoader; readonly eval: DataLoader },
  ) {
    this.folder = folder;
    this.network = network;
    this.optimizer = optimizer;
    this.#train = loaders.train;
    this.#eval = loaders.eval;
  }

  /**
   * Opens the data, builds the network and makes the run folder.
   *
   * @throws {InputError} for anything wrong with the names, numbers, files and folders; no folder is made then
   */
  static async create(options: RunOptions): Promise<Run> {
    const started = new Date();
    const { model, data, dataDir, out, seed = 0, onDownload } = options;
    const recipe = recipeFor(model, data, options.changes);
    const modelOf = modelKind(model);
    const dataOf = datasetKind(data);
    setSeed(seed);
    const modelOptions = { numClasses: dataOf.classNames.length };
    const network = modelOf.create(modelOptions);
    const optimizer = makeOptimizer(recipe.optimizer, network.parameters());
    const training = await dataOf.open('train', { dataDir, onDownload });
    const judged = await dataOf.open('test', { dataDir, onDownload });
    const { batchSize, shuffle } = recipe;
    const loaders = {
      train: new DataLoader(training.dataset, { batchSize, shuffle }),
      eval: new DataLoader(judged.dataset, { batchSize: evalBatchSize }),
    };
    const config: RunConfig = {
      format: 1,
      version,
      started: started.toISOString(),
      model: {
        name: model,
        options: modelOptions,
        inputShape: [...modelOf.inputShape],
        parameters: network.parameterCount(),
      },
      data: {
        name: data,
        classNames: [...dataOf.classNames],
        train: await describeSplit(training),
        eval: await describeSplit(judged),
      },
      recipe,
      seed,
      engine: engineInfo(),
      machine: {
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        processor: cpus()[0]?.model.trim() ?? 'unknown',
      },
    };
    return new Run(await RunFolder.create(out, config), network, optimizer, loaders);
  }

  /** What is trained on what, for {@link train}. */
  loop(): TrainOptions {
    const { recipe } = this.folder.config;
    return {
      network: this.network,
      optimizer: this.optimizer,
      loss: lossOf(recipe).compute,
      trainLoader: this.#train,
      evalLoader: this.#eval,
      epochs: recipe.epochs,
    };
  }

  /**
   * Trains. The state is saved after each epoch and when the signal ends the training; at the end `report.html` is
   * written.
   *
   * @throws {DivergenceError} if a loss is infinite or no number: what was saved last stays
   */
  async train({
    callbacks = [],
    signal,
  }: {
    readonly callbacks?: readonly Callback[];
    readonly signal?: AbortSignal | undefined;
  } = {}): Promise<TrainOutcome> {
    const { folder } = this;
    const keeper = new Keeper(folder, this.#eval);
    try {
      // Whoever is told that an epoch has ended finds it saved.
      return await train({ ...this.loop(), callbacks: [keeper, ...callbacks], signal });
    } catch (error) {
      if (!(error instanceof DivergenceError)) throw error;
      const done = keeper.savedEpochs;
      const left =
        done === 0 ? 'nothing had been saved yet' : `the state after epoch ${done} is kept in ${folder.path}`;
      await keeper.report(`Ended early: ${error.message}`);
      throw new FoveaError(`${error.message}; ${left}`, { cause: error });
    }
  }
}

/** Saves the state and writes the report as the training goes on. */
class Keeper implements Callback {
  savedEpochs = 0;
  readonly #folder: RunFolder;
  readonly #evalLoader: DataLoader;
  #training: Training | null = null;
  #reported = performance.now();

  constructor(folder: RunFolder, evalLoader: DataLoader) {
    this.#folder = folder;
    this.#evalLoader = evalLoader;
  }

  onTrainBegin(training: Training): void {
    this.#training = training;
  }

  async onEpochEnd(training: Training): Promise<void> {
    await this.#folder.save(training);
    this.savedEpochs = training.history.length;
    const due = performance.now() - this.#reported > 1000 * reportSeconds;
    if (due && training.epoch <= training.epochs) await this.report('The training goes on.');
  }

  async onTrainEnd(training: Training, { completed }: TrainOutcome): Promise<void> {
    const { epoch, epochs, batch, batches } = training;
    if (!completed) await this.#folder.save(training);
    await this.report(
      completed
        ? undefined
        : `Stopped early: in epoch ${epoch} of ${epochs}, after batch ${formatCount(batch)} of ${formatCount(batches)}. ` +
            'The figures are those of the last whole epoch.',
    );
  }

  async report(note?: string): Promise<void> {
    const { history = [], evaluation = null } = this.#training ?? {};
    const page = await renderRunReport({
      config: this.#folder.config,
      history,
      evaluation,
      evalData: this.#evalLoader.dataset,
      ended: new Date(),
      note,
    });
    await this.#folder.writeReport(page);
    this.#reported = performance.now();
  }
}

async function describeSplit({ dataset, source, files }: OpenedSplit): Promise<RunConfig['data']['train']> {
  const records = files.map(async (path) => ({ path, ...(await fingerprint(path)) }));
  return { images: dataset.length, source, files: await Promise.all(records) };
}

/** A trained network, read from a run folder. */
export interface TrainedRun {
  readonly folder: RunFolder;
  /** In evaluation mode. */
  readonly network: Layer;
}

/**
 * Reads a run folder and its network.
 *
 * @throws {FileError} naming the file of the folder that is missing, cut, altered or not what it should be
 */
export async function openRun(path: string): Promise<TrainedRun> {
  const folder = await RunFolder.open(path);
  const { model } = folder.config;
  const network = modelKind(model.name).create(model.options).eval();
  await folder.loadWeights(network);
  return { folder, network };
}

export interface EvaluateRunOptions {
  readonly dataDir?: string | undefined;
  /** Default 100. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  readonly onBatch?: ((samples: number, total: number) => void) | undefined;
}

export interface RunEvaluation extends Evaluation {
  readonly source: string;
  /** Whether the files are those that the training was judged on. */
  readonly sameData: boolean;
}

/** Judges a trained network on the data set's images for that. */
export async function evaluateRun(run: TrainedRun, options: EvaluateRunOptions = {}): Promise<RunEvaluation> {
  const { dataDir, batchSize = evalBatchSize, signal, onDownload, onBatch } = options;
  const { data, recipe } = run.folder.config;
  const opened = await datasetKind(data.name).open('test', { dataDir, onDownload });
  const total = opened.dataset.length;
  const result = await evaluate({
    network: run.network,
    loader: new DataLoader(opened.dataset, { batchSize }),
    loss: lossOf(recipe).compute,
    signal,
    onBatch: (samples) => onBatch?.(samples, total),
  });
  const { files, source } = await describeSplit(opened);
  const digests = (all: RunConfig['data']['eval']['files']) => all.map(({ sha256 }) => sha256).join();
  return { ...result, source, sameData: digests(files) === digests(data.eval.files) };
}
