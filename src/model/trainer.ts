import { FoveaError, InputError } from '../errors.js';
import type { DataLoader, TensorBatch } from '../io/dataloader.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import { defaultGenerator, type GeneratorState } from '../random.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Evaluation, evaluate, type LossFunction } from './evaluate.js';
import { formatFigure } from './format.js';

/** What an epoch came to: one line of `metrics.jsonl`. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the samples of the epoch, each judged before the step that learned from it. */
  readonly trainLoss: number;
  /** Mean over the samples of the evaluation; null without one. */
  readonly evalLoss: number | null;
  readonly evalAccuracy: number | null;
  /** Of the training, as are the seconds; the evaluation comes on top. */
  readonly imagesPerSecond: number;
  readonly seconds: number;
  /** Share of the seconds in which the next batch was waited for. */
  readonly dataShare: number;
}

/**
 * Where a training stands: plain JSON. Together with the parameters and the optimizer's states it is all that
 * {@link train} needs to go on as if it had never stopped.
 */
export interface TrainingState {
  /** The epoch that goes on or comes next, from 1. */
  readonly epoch: number;
  /** Batches of that epoch that are done. */
  readonly batch: number;
  /** Samples of that epoch that are done, their summed loss and the seconds they took. */
  readonly samples: number;
  readonly lossSum: number;
  readonly seconds: number;
  /** Of those, the seconds in which a batch was waited for. */
  readonly dataSeconds: number;
  /** The generator when that epoch was shuffled; null if it has not begun. */
  readonly shuffle: GeneratorState | null;
  /** The default generator, which all that is random draws from. */
  readonly generator: GeneratorState;
  /** Of the optimizer. */
  readonly steps: number;
  readonly learningRate: number;
}

/** A training that goes on, as its callbacks see it: one object all along, whose fields change. */
export interface Training {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  /** Epochs in all. */
  readonly epochs: number;
  /** Batches in an epoch. */
  readonly batches: number;
  /** Samples in an epoch. */
  readonly epochSamples: number;
  /** The epoch that goes on, from 1. */
  readonly epoch: number;
  /** Batches of this epoch that are done. */
  readonly batch: number;
  /** Samples of this epoch that are done. */
  readonly samples: number;
  /** Loss of the newest batch. */
  readonly loss: number;
  /** The epochs that are done. */
  readonly history: readonly EpochRecord[];
  /** The newest evaluation. */
  readonly evaluation: Evaluation | null;
  state(): TrainingState;
  /** Ends the training after the present batch. */
  stop(): void;
}

/** What may be done on the way; every method is optional. Methods that return promises are waited for. */
export interface Callback {
  onTrainBegin?(training: Training): void | Promise<void>;
  onEpochBegin?(training: Training): void | Promise<void>;
  /** After each step. A small network takes 0.2 ms for one, so be quick. */
  onBatchEnd?(training: Training): void | Promise<void>;
  /** During the evaluation, after each of its batches. */
  onEvaluateBatch?(samples: number, total: number): void;
  /** After the evaluation; `training.state()` is then the beginning of the next epoch. */
  onEpochEnd?(training: Training, record: EpochRecord): void | Promise<void>;
  /** At the end, also after {@link Training.stop} or an aborted signal, but not if the training failed. */
  onTrainEnd?(training: Training, outcome: TrainOutcome): void | Promise<void>;
}

export interface TrainOptions {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly loss: LossFunction;
  /** The mean loss that a batch is trained on. Default: `loss(network.forward(images), labels)`. */
  readonly objective?: ((images: Tensor, labels: Tensor) => Tensor) | undefined;
  readonly trainLoader: DataLoader;
  /** Judged after every epoch. */
  readonly evalLoader?: DataLoader | undefined;
  readonly epochs: number;
  readonly callbacks?: readonly Callback[] | undefined;
  /** Ends the training after the present batch, like {@link Training.stop}. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Goes on from there. The network and the optimizer must have been restored; the default generator is restored here.
   * The loader has to shuffle with the default generator, as it does unless told otherwise.
   */
  readonly from?: { readonly state: TrainingState; readonly history: readonly EpochRecord[] } | undefined;
}

export interface TrainOutcome {
  readonly history: readonly EpochRecord[];
  /** The newest evaluation. */
  readonly evaluation: Evaluation | null;
  /** Whether all epochs were done. */
  readonly completed: boolean;
}

/** The loss became infinite or no number: the training cannot go on. */
export class DivergenceError extends FoveaError {
  constructor(
    readonly epoch: number,
    /** null if it showed in the evaluation. */
    readonly batch: number | null,
    loss: number,
    learningRate: number,
  ) {
    const where = batch === null ? `the evaluation after epoch ${epoch}` : `epoch ${epoch}, batch ${batch}`;
    super(
      `[train] loss: expected a finite number, got ${formatFigure(loss)} in ${where}; ` +
        `lower the learning rate (now ${learningRate}) or look for bad images`,
    );
  }
}

/**
 * Trains a network: in each epoch forward, backward and update for every batch of the loader, then an evaluation.
 *
 * @throws {DivergenceError} if a loss is infinite or no number
 */
export async function train(options: TrainOptions): Promise<TrainOutcome> {
  if (!Number.isSafeInteger(options.epochs) || options.epochs < 1) {
    throw new InputError(`[train] epochs: expected a positive integer, got ${options.epochs}`);
  }
  return new Loop(options).run();
}

class Loop implements Training {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly epochs: number;
  readonly batches: number;
  readonly epochSamples: number;
  readonly history: EpochRecord[];
  epoch = 1;
  batch = 0;
  samples = 0;
  loss = Number.NaN;
  evaluation: Evaluation | null = null;
  readonly #options: TrainOptions;
  readonly #callbacks: readonly Callback[];
  #lossSum = 0;
  #secondsBefore = 0;
  #dataSeconds = 0;
  #began = 0;
  /** Time stands still outside of batches. */
  #ticking = false;
  #shuffle: GeneratorState | null = null;
  #stopped = false;

  constructor(options: TrainOptions) {
    const { network, optimizer, epochs, trainLoader, callbacks = [], from } = options;
    this.network = network;
    this.optimizer = optimizer;
    this.epochs = epochs;
    this.batches = trainLoader.length;
    this.epochSamples = Math.min(trainLoader.length * trainLoader.batchSize, trainLoader.dataset.length);
    this.history = [...(from?.history ?? [])];
    this.#options = options;
    this.#callbacks = callbacks;
    if (from === undefined) return;
    this.epoch = from.state.epoch;
    this.batch = from.state.batch;
    this.samples = from.state.samples;
    this.#lossSum = from.state.lossSum;
    this.#secondsBefore = from.state.seconds;
    this.#dataSeconds = from.state.dataSeconds;
    this.#shuffle = from.state.shuffle;
    optimizer.learningRate = from.state.learningRate;
    defaultGenerator().restore(from.state.generator);
  }

  stop(): void {
    this.#stopped = true;
  }

  state(): TrainingState {
    const { epoch, batch, samples } = this;
    const { steps, learningRate } = this.optimizer;
    return {
      epoch,
      batch,
      samples,
      lossSum: this.#lossSum,
      seconds: this.#seconds(),
      dataSeconds: this.#dataSeconds,
      shuffle: this.#shuffle,
      generator: defaultGenerator().state(),
      steps,
      learningRate,
    };
  }

  async run(): Promise<TrainOutcome> {
    await this.#call((callback) => callback.onTrainBegin?.(this));
    while (this.epoch <= this.epochs && !this.#ending()) {
      await this.#call((callback) => callback.onEpochBegin?.(this));
      await this.#trainEpoch();
      if (this.batch < this.batches) break;
      const seconds = this.#seconds();
      if (!(await this.#evaluate())) break;
      const record: EpochRecord = {
        epoch: this.epoch,
        trainLoss: this.#lossSum / this.samples,
        evalLoss: this.evaluation?.loss ?? null,
        evalAccuracy: this.evaluation?.accuracy ?? null,
        imagesPerSecond: this.samples / seconds,
        seconds,
        dataShare: this.#dataSeconds / seconds,
      };
      this.history.push(record);
      this.#nextEpoch();
      await this.#call((callback) => callback.onEpochEnd?.(this, record));
    }
    const { history, evaluation } = this;
    const outcome = { history, evaluation, completed: this.epoch > this.epochs };
    await this.#call((callback) => callback.onTrainEnd?.(this, outcome));
    return outcome;
  }

  async #trainEpoch(): Promise<void> {
    const { network, optimizer, batches } = this;
    const { loss, trainLoader } = this.#options;
    const { objective = (images, labels) => loss(network.forward(images), labels) } = this.#options;
    const onBatchEnd = this.#callbacks.filter((callback) => callback.onBatchEnd !== undefined);
    const epoch = trainLoader.epoch(this.#shuffle === null ? {} : { from: this.#shuffle, skip: this.batch });
    this.#shuffle = trainLoader.epochState;
    network.train();
    this.#began = performance.now();
    this.#ticking = true;
    let asked = performance.now();
    for await (const [images, labels] of epoch as AsyncIterable<TensorBatch>) {
      this.#dataSeconds += (performance.now() - asked) / 1000;
      const mean = objective(images, labels);
      mean.backward();
      await optimizer.step();
      optimizer.clearGrad();
      const value = await mean.item();
      this.batch++;
      if (!Number.isFinite(value)) {
        throw new DivergenceError(this.epoch, this.batch, value, optimizer.learningRate);
      }
      const n = images.shape[0];
      this.loss = value;
      this.samples += n;
      this.#lossSum += value * n;
      for (let i = 0; i < onBatchEnd.length; i++) {
        const waiting = onBatchEnd[i].onBatchEnd?.(this);
        if (waiting !== undefined) await waiting;
      }
      // A last batch that is done belongs to a whole epoch, which is judged before the end.
      if (this.batch < batches && this.#ending()) break;
      asked = performance.now();
    }
    this.#secondsBefore = this.#seconds();
    this.#ticking = false;
  }

  /** False if the signal cut it short. */
  async #evaluate(): Promise<boolean> {
    const { network } = this;
    const { evalLoader: loader, loss, signal } = this.#options;
    if (loader === undefined) return true;
    const total = loader.dataset.length;
    const watching = this.#callbacks.filter((callback) => callback.onEvaluateBatch !== undefined);
    const onBatch = (samples: number) => {
      for (const callback of watching) callback.onEvaluateBatch?.(samples, total);
    };
    try {
      this.evaluation = await evaluate({ network, loader, loss, signal, onBatch });
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return false;
      throw error;
    }
    const { loss: value } = this.evaluation;
    if (!Number.isFinite(value)) throw new DivergenceError(this.epoch, null, value, this.optimizer.learningRate);
    return true;
  }

  #nextEpoch(): void {
    this.epoch++;
    this.batch = 0;
    this.samples = 0;
    this.#lossSum = 0;
    this.#secondsBefore = 0;
    this.#dataSeconds = 0;
    this.#shuffle = null;
  }

  #seconds(): number {
    return this.#secondsBefore + (this.#ticking ? (performance.now() - this.#began) / 1000 : 0);
  }

  #ending(): boolean {
    return this.#stopped || this.#options.signal?.aborted === true;
  }

  async #call(invoke: (callback: Callback) => void | Promise<void>): Promise<void> {
    for (const callback of this.#callbacks) await invoke(callback);
  }
}
