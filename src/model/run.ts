import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { engineInfo } from '../engine/select.js';
import { FoveaError, InputError } from '../errors.js';
import { formatShape, numel, type Shape, sameShape } from '../graph/shape.js';
import { DataLoader } from '../io/dataloader.js';
import type { DownloadProgress } from '../io/download.js';
import { chooseOperatingPoint, type OperatingRule } from '../metric/index.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import { seed as setSeed } from '../random.js';
import type { OpenedSplit, OpenOptions } from '../vision/datasets/registry.js';
import { type ModelKind, withHeads } from '../vision/models/registry.js';
import { type PreprocessOptions, preprocessing } from '../vision/transforms/preprocess.js';
import { evaluate, type LossFunction } from './evaluate.js';
import { formatCount } from './format.js';
import { plateauNotice } from './plateau.js';
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
} from './recipes.js';
import type { RunConfig, SplitRecord } from './records.js';
import type { Picture } from './report/data.js';
import { combinedFingerprint, RunFolder } from './runFolder.js';
import { picturesOf, renderRunReport } from './runReport.js';
import { secondClass } from './screening.js';
import { summarize } from './summary.js';
import {
  type Callback,
  DivergenceError,
  type Training,
  type TrainOptions,
  type TrainOutcome,
  train,
} from './trainer.js';
import { version } from './version.js';

/** A report of a long run is renewed on the way, at most so often. */
const reportSeconds = 60;
const usualHoldOut = 0.2;
const usualRule: OperatingRule = { sensitivity: 0.95 };
/** Weight of the loss of each auxiliary head: Szegedy et al., 2015, section 5. */
const auxiliaryWeight = 0.3;

export interface RunOptions {
  /** `lenet`, `resnet50` and so on. */
  readonly model: string;
  /** `mnist`, `palm:DIR`, `folder:DIR` or `csv:FILE`. */
  readonly data: string;
  /** The run folder, which must be new or empty. */
  readonly out: string;
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
  /** Train GoogLeNet with its auxiliary heads. Default false. */
  readonly auxiliaryHeads?: boolean | undefined;
  /**
   * With two classes: how the threshold of the decision is chosen, on the training images and before any other is
   * judged with it. Default `{ sensitivity: 0.95 }`.
   */
  readonly operatingRule?: OperatingRule | undefined;
  /** What to do otherwise than the model's recipe. */
  readonly changes?: RecipeChanges | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
}

interface RunParts {
  readonly folder: RunFolder;
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly train: OpenedSplit;
  readonly eval: OpenedSplit;
}

/** A training with its data, network and run folder: everything is checked and in place, and nothing trained yet. */
export class Run {
  readonly folder: RunFolder;
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly #train: OpenedSplit;
  readonly #eval: OpenedSplit;

  private constructor(parts: RunParts) {
    this.folder = parts.folder;
    this.network = parts.network;
    this.optimizer = parts.optimizer;
    this.#train = parts.train;
    this.#eval = parts.eval;
  }

  /**
   * Opens the data, builds the network and makes the run folder.
   *
   * @throws {InputError} for anything wrong with the names, numbers, files and folders; no folder is made then
   */
  static async create(options: RunOptions): Promise<Run> {
    const started = new Date();
    const { model, dataDir, out, seed = 0, reading, onDownload, auxiliaryHeads = false } = options;
    const kind = modelKind(model);
    const { name, location } = findData(options.data);
    const [, height, width] = kind.inputShape;
    const data = await datasetKind(name).open({
      location: location ?? dataDir,
      images: preprocessing({ size: [height, width], ...options.images }),
      reading,
      holdOut: { share: options.holdOut ?? usualHoldOut, seed },
      onDownload,
    });
    const { classNames, imageShape } = data;
    const recipe = recipeFor(model, classNames.length, options.changes);
    checkModel(model, kind, options, imageShape);
    setSeed(seed);
    const modelOptions = {
      numClasses: outputsFor(recipe, classNames.length),
      ...(auxiliaryHeads && { auxiliaryHeads }),
    };
    const network = kind.create(modelOptions, imageShape);
    summarize(network, [recipe.batchSize, ...imageShape]);
    const optimizer = makeOptimizer(recipe.optimizer, network.parameters());
    const parts = { train: await data.open('train'), eval: await data.open('eval') };
    checkClasses(parts.train, classNames);
    const config: RunConfig = {
      format: 2,
      version,
      started: started.toISOString(),
      model: { name: model, options: modelOptions, inputShape: [...imageShape], parameters: network.parameterCount() },
      data: {
        name,
        title: data.title,
        ...(location !== undefined && { location: resolve(location) }),
        images: data.images,
        holdOut: data.holdOut,
        synthetic: data.synthetic,
        classNames: [...classNames],
        train: await describeSplit(parts.train),
        eval: await describeSplit(parts.eval),
      },
      recipe,
      operatingRule: classNames.length === 2 ? (options.operatingRule ?? usualRule) : null,
      seed,
      engine: engineInfo(),
      machine: {
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        processor: cpus()[0]?.model.trim() ?? 'unknown',
      },
    };
    return new Run({ folder: await RunFolder.create(out, config), network, optimizer, ...parts });
  }

  /** What is trained on what, for {@link train}. */
  loop(): TrainOptions {
    const { recipe, model } = this.folder.config;
    const { batchSize, shuffle, epochs } = recipe;
    const loss = lossOf(recipe).compute;
    return {
      network: this.network,
      optimizer: this.optimizer,
      loss,
      objective: objectiveOf(this.network, loss),
      trainLoader: new DataLoader(this.#train.dataset, { batchSize, shuffle }),
      evalLoader: new DataLoader(this.#eval.dataset, { batchSize: evalBatchSize(model.inputShape, recipe) }),
      epochs,
    };
  }

  /** What there is to say if the loss has stayed where guessing puts it, and what to try; else null. */
  plateau(history: TrainOutcome['history']): string | null {
    const { data } = this.folder.config;
    const heads = withHeads(this.network) === null ? 0 : 2;
    return plateauNotice(history, data.train.classCounts, 1 + heads * auxiliaryWeight);
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
    const keeper = new Keeper(this, this.#train, this.#eval, signal);
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
  readonly #run: Run;
  readonly #train: OpenedSplit;
  readonly #eval: OpenedSplit;
  readonly #signal: AbortSignal | undefined;
  #training: Training | null = null;
  #pictures: readonly Picture[] | null = null;
  #reported = performance.now();

  constructor(run: Run, train: OpenedSplit, judged: OpenedSplit, signal: AbortSignal | undefined) {
    this.#run = run;
    this.#train = train;
    this.#eval = judged;
    this.#signal = signal;
  }

  onTrainBegin(training: Training): void {
    this.#training = training;
  }

  async onEpochEnd(training: Training): Promise<void> {
    await this.#run.folder.save(training);
    this.savedEpochs = training.history.length;
    const due = performance.now() - this.#reported > 1000 * reportSeconds;
    if (due && training.epoch <= training.epochs) await this.report('The training goes on.');
  }

  async onTrainEnd(training: Training, { completed }: TrainOutcome): Promise<void> {
    const { epoch, epochs, batch, batches, history } = training;
    if (!completed) await this.#run.folder.save(training);
    else await this.#chooseOperatingPoint();
    await this.report(
      completed
        ? (this.#run.plateau(history) ?? undefined)
        : `Stopped early: in epoch ${epoch} of ${epochs}, after batch ${formatCount(batch)} of ${formatCount(batches)}. ` +
            'The figures are those of the last whole epoch.',
    );
  }

  async report(note?: string): Promise<void> {
    const { history = [], evaluation = null } = this.#training ?? {};
    this.#pictures ??= await picturesOf(this.#train.dataset);
    const page = await renderRunReport({
      folder: this.#run.folder,
      history,
      evaluation,
      evalData: this.#eval.dataset,
      pictures: this.#pictures,
      ended: new Date(),
      note,
    });
    await this.#run.folder.writeReport(page);
    this.#reported = performance.now();
  }

  async #chooseOperatingPoint(): Promise<void> {
    const { folder, network } = this.#run;
    const { operatingRule: rule, recipe, model } = folder.config;
    if (rule === null) return;
    const loader = new DataLoader(this.#train.dataset, { batchSize: evalBatchSize(model.inputShape, recipe) });
    const loss = lossOf(recipe).compute;
    try {
      const { labels, probabilities } = await evaluate({ network, loader, loss, mistakes: 0, signal: this.#signal });
      await folder.saveOperatingPoint(chooseOperatingPoint({ labels, scores: secondClass(probabilities) }, rule));
    } catch (error) {
      // Who wants to stop here loses the operating point only.
      if (!(this.#signal?.aborted && error === this.#signal.reason)) throw error;
    }
  }
}

function checkModel(model: string, kind: ModelKind, { data, auxiliaryHeads }: RunOptions, imageShape: Shape): void {
  const { inputShape, anySize } = kind;
  const fits = anySize ? imageShape[0] === inputShape[0] : sameShape(imageShape, inputShape);
  if (!fits) {
    throw new InputError(
      `[run] ${model}: expected images ${formatShape(inputShape)}, got ${formatShape(imageShape)} (${data}); ` +
        'choose another network, or another size where the images are resized',
    );
  }
  if (auxiliaryHeads && !kind.auxiliaryHeads) {
    throw new InputError(`[run] auxiliary heads: expected with googlenet only, got them with ${model}`);
  }
}

function checkClasses({ classCounts, source }: OpenedSplit, classNames: readonly string[]): void {
  const empty = classNames.filter((_, i) => classCounts[i] === 0);
  if (empty.length === 0) return;
  throw new InputError(`[run] ${source}: expected training images of each class, got none of ${empty.join(', ')}`);
}

function objectiveOf(network: Layer, loss: LossFunction): TrainOptions['objective'] {
  const inner = withHeads(network);
  if (inner === null) return undefined;
  return (images, labels) => {
    const { logits, auxiliary } = inner.forwardWithHeads(images);
    return auxiliary.reduce((sum, head) => sum.add(loss(head, labels).mul(auxiliaryWeight)), loss(logits, labels));
  };
}

/** Small images can be judged many at a time; large ones would take gigabytes. */
export function evalBatchSize(imageShape: Shape, { batchSize }: Recipe): number {
  return numel(imageShape) > 10_000 ? batchSize : Math.max(100, batchSize);
}

export async function describeSplit(split: OpenedSplit): Promise<SplitRecord> {
  const { dataset, source, files, classCounts, unreadable } = split;
  return {
    images: dataset.length,
    source,
    sha256: await combinedFingerprint(files),
    classCounts: [...classCounts],
    unreadable: [...unreadable],
  };
}
