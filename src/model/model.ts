import * as check from '../check.js';
import { usablePrecision } from '../engine/select.js';
import { InputError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import { inspect } from '../inspection.js';
import type { DataLoader, TensorBatch } from '../io/data/dataloader.js';
import type { Dataset } from '../io/data/dataset.js';
import { kindOf } from '../kind.js';
import type { Metric } from '../metric/index.js';
import { someMetric } from '../metric/metrics.js';
import { aLayer, type Layer } from '../nn/layer.js';
import type { StateMismatch } from '../nn/stateEntries.js';
import { Optimizer } from '../optimizer/index.js';
import { concat } from '../tensor/combine.js';
import { realizeAll } from '../tensor/evaluate.js';
import { noGrad } from '../tensor/noGrad.js';
import type { Parameter } from '../tensor/state.js';
import { requireTensor, type Tensor } from '../tensor/tensor.js';
import { Callbacks } from '../train/callbackList.js';
import { inspectObjective } from '../train/checkOutputs.js';
import { type LoadOptions, loadModel, saveModel } from '../train/checkpoint/weights.js';
import { batchesOf, evaluate } from '../train/evaluate.js';
import type { MetricValues } from '../train/evaluation.js';
import type { EpochRecord } from '../train/history.js';
import { lossFunction } from '../train/losses.js';
import type { LossFunction, Objective } from '../train/objective.js';
import { meaningOf, requireClasses } from '../train/outputs.js';
import { RunningMetrics } from '../train/runningMetrics.js';
import { trainStep } from '../train/step.js';
import { checkEvaluateOptions } from './checkOptions.js';
import { fitModel, type Prepared } from './fit.js';
import { evaluationCallbacks, listOf, loaderOf } from './inputs.js';
import type { FitOptions, ModelEvaluateOptions, PredictOptions, PrepareOptions } from './options.js';
import { type FlopCount, flops, type ParameterCounts, summary } from './summary.js';

/**
 * A network together with its optimizer, loss and metrics, for training and evaluation; after `paddle.Model`.
 *
 * Losses are means over all samples, except for the methods for a single batch. Paddle gives the loss of the
 * last batch.
 *
 * @example
 * ```ts
 * import { Model, metric, nn, optimizer, vision } from 'fovea';
 *
 * const trainData = await vision.datasets.MNIST.open({ mode: 'train' });
 * const model = new Model(new vision.models.LeNet({ numClasses: 10 }));
 * model.prepare({
 *   optimizer: new optimizer.Adam({ parameters: model.parameters() }),
 *   loss: new nn.CrossEntropyLoss(),
 *   metrics: new metric.Accuracy(),
 * });
 * const history = await model.fit({ trainData, epochs: 5, batchSize: 64, saveDir: 'output' });
 * ```
 */
export class Model {
  readonly network: Layer;
  #optimizer: Optimizer | null = null;
  #loss: LossFunction | null = null;
  #metrics: readonly Metric[] = [];
  #running = new RunningMetrics([]);
  #mixed = false;

  constructor(network: Layer) {
    this.network = check.requireValue('Model', 'network', network, aLayer);
  }

  /**
   * Sets the optimizer, loss and metrics for {@link fit}, {@link evaluate} and the methods for single
   * batches.
   */
  prepare(options: PrepareOptions): void {
    check.requireOptions('Model', options, prepareChecks);
    const { optimizer, loss, metrics = [], ampConfigs = 'O0' } = options;
    const level = typeof ampConfigs === 'string' ? ampConfigs : ampConfigs.level;
    this.#mixed = level === 'O1';
    this.#optimizer = optimizer ?? null;
    this.#loss = loss === undefined ? null : lossFunction(loss);
    this.#metrics = listOf(metrics);
    this.#running = new RunningMetrics(this.#metrics);
  }

  /**
   * Trains the network.
   *
   * With a `saveDir` the state is saved after each epoch, and after every `saveSteps` steps. `resume: true`
   * continues a training that was stopped or killed. The result has the same bits as that of an uninterrupted
   * training. Make the network, optimizer, data and options as before: everything that affects the order and
   * the steps is checked. All random numbers must be sampled from the generator of the training.
   *
   * A training that went wrong ends with a line of advice on stderr, unless `verbose` is 0: its loss stayed
   * at that of guessing, its accuracy fell back, or it learned the training images by heart.
   *
   * `fit` leaves out the auxiliary classifiers of a GoogLeNet; `fovea train --auxiliary-heads` trains those
   * of `googlenet`.
   *
   * @returns losses, metrics and times of all epochs
   * @throws {InputError} if the folder has the state of another training, or another process writes to it
   * @throws {DivergenceError} if a loss is infinite or NaN
   * @throws {CallbackError} if a callback throws
   *
   * @example
   * ```ts
   * import type { io, Model } from 'fovea';
   *
   * async function train(model: Model, trainData: io.Dataset, evalData: io.Dataset) {
   *   // A second call continues where the first one was stopped.
   *   const saving = { saveDir: 'output', resume: true, restoreBest: true, monitor: 'acc' };
   *   const history = await model.fit({ trainData, evalData, batchSize: 64, epochs: 20, ...saving });
   *   console.log(history.at(-1)?.evalAccuracy);
   * }
   * ```
   */
  async fit(options: FitOptions): Promise<readonly EpochRecord[]> {
    const prepared = this.#prepared('fit');
    return fitModel(prepared, options);
  }

  /**
   * Evaluates the network.
   *
   * @returns `loss`, the mean over samples, and the metrics by name
   *
   * @example
   * ```ts
   * import type { io, Model } from 'fovea';
   *
   * async function test(model: Model, data: io.Dataset) {
   *   const { loss, acc } = await model.evaluate(data, { batchSize: 64, verbose: 0 });
   *   console.log(loss, acc);
   * }
   * ```
   */
  async evaluate(evalData: Dataset | DataLoader, options: ModelEvaluateOptions = {}): Promise<MetricValues> {
    const loss = this.#lossFor('evaluate');
    checkEvaluateOptions('evaluate', evalData, options);
    const { loss: mean, metrics } = await evaluate({
      network: this.network,
      loader: loaderOf(evalData, options),
      loss,
      metrics: this.#metrics,
      numIters: options.numIters,
      mistakes: 0,
      callbacks: evaluationCallbacks(options, 2),
    });
    return { loss: mean, ...metrics };
  }

  /**
   * Computes the outputs of each batch of the data; with `stackOutputs`, one tensor with all outputs.
   *
   * @example
   * ```ts
   * import { F, type io, type Model } from 'fovea';
   *
   * async function classify(model: Model, data: io.Dataset) {
   *   const logits = await model.predict(data, { batchSize: 64, stackOutputs: true });
   *   return F.softmax(logits).data();
   * }
   * ```
   */
  async predict(testData: Dataset | DataLoader, options: PredictOptions & { stackOutputs: true }): Promise<Tensor>;
  async predict(testData: Dataset | DataLoader, options?: PredictOptions): Promise<Tensor[]>;
  async predict(testData: Dataset | DataLoader, options: PredictOptions = {}): Promise<Tensor | Tensor[]> {
    checkEvaluateOptions('predict', testData, options);
    const loader = loaderOf(testData, options);
    const batches = batchesOf('predict', loader, options.numIters);
    const total = Math.min(loader.samples, batches * loader.batchSize);
    const progress = { batches, total, batch: 0, samples: 0, metrics: () => ({}) };
    const callbacks = new Callbacks(evaluationCallbacks(options, 1));
    const outputs: Tensor[] = [];
    await callbacks.call('onPredictBegin', progress);
    for await (const [images] of loader as AsyncIterable<TensorBatch>) {
      outputs.push(await this.predictBatch(images));
      progress.batch++;
      progress.samples += images.shape[0];
      await callbacks.call('onPredictBatch', progress);
      if (progress.batch === batches) break;
    }
    await callbacks.call('onPredictEnd', progress);
    return options.stackOutputs === true ? concat(outputs, 0) : outputs;
  }

  /**
   * Trains on a batch.
   *
   * @param options.update whether to make a step (true); if not, the next call adds its gradient to this
   *   call's
   * @returns the loss of the batch, and the metrics since {@link resetMetrics}
   */
  async trainBatch(images: Tensor, labels: Tensor, options: { readonly update?: boolean } = {}): Promise<MetricValues> {
    const { update = true } = check.requireOptions('trainBatch', options, { update: check.flag });
    requireBatch('trainBatch', images, labels);
    const prepared = this.#prepared('trainBatch');
    this.network.train();
    const [samples] = images.shape;
    const plan = { where: 'trainBatch', smallestBatch: samples, batchSize: samples, labels: [await classesIn(labels)] };
    const inspect = (objective: Objective) => void inspectObjective(objective, plan);
    const loss = await trainStep(prepared, this.#running, images, labels, { share: 1, update, inspect });
    return { ...this.#running.values(), loss };
  }

  /** Evaluates a batch. @returns its loss, and the metrics since {@link resetMetrics} */
  async evalBatch(images: Tensor, labels: Tensor): Promise<MetricValues> {
    requireBatch('evalBatch', images, labels);
    const lossOf = this.#lossFor('evalBatch');
    const classes = await classesIn(labels);
    const [loss, scores] = this.#inEvaluation(() => {
      const outputs = requireTensor(kindOf(this.network), this.network.forward(images), 'result of forward');
      const mean = requireTensor('loss', lossOf(outputs, labels), 'result');
      requireClasses('evalBatch', classes, meaningOf(mean, outputs), outputs.shape);
      return [mean, this.#running.scores(outputs, labels, mean)] as const;
    });
    await realizeAll([loss, ...scores]);
    const value = await loss.item();
    await this.#running.add(value, scores, labels);
    return { ...this.#running.values(), loss: value };
  }

  /** Computes the outputs for a batch. */
  async predictBatch(images: Tensor): Promise<Tensor> {
    requireTensor('predictBatch', images, 'images');
    const outputs = this.#inEvaluation(() => this.network.forward(images));
    requireTensor(kindOf(this.network), outputs, 'result of forward');
    await realizeAll([outputs]);
    return outputs;
  }

  /** Resets the metrics of {@link trainBatch} and {@link evalBatch}. */
  resetMetrics(): void {
    this.#running.reset();
  }

  /**
   * Writes the weights to `PATH.safetensors`, and the optimizer's state to `PATH.optimizer.safetensors`. If
   * the path is `NAME.pdparams`, it writes Paddle's files `NAME.pdparams` and `NAME.pdopt` instead.
   *
   * @param options.training whether to write the optimizer's state, if there is one (true)
   */
  async save(path: string, options: { readonly training?: boolean } = {}): Promise<void> {
    const { training = true } = check.requireOptions('save', options, { training: check.flag });
    check.checkPath('save', path);
    await saveModel(path, this.network, training ? this.#optimizer : null);
  }

  /**
   * Reads the files of {@link save} or of Paddle. It also reads the optimizer's state if the model has an
   * optimizer and the file exists.
   *
   * @returns the skipped tensors, including those of the optimizer
   * @throws {InputError} naming the tensors that are missing, unknown or of a wrong shape; nothing is
   *   overwritten then
   */
  async load(path: string, options: LoadOptions = {}): Promise<StateMismatch[]> {
    check.checkPath('load', path);
    check.requireOptions('load', options, { skipMismatch: check.flag, resetOptimizer: check.flag });
    return loadModel(path, this.network, this.#optimizer, options);
  }

  toString(): string {
    return `Model(${this.network})`;
  }

  [inspect](): string {
    return this.toString();
  }

  parameters(): Parameter[] {
    return this.network.parameters();
  }

  /** Counts parameters as `paddle.summary` does; see {@link summary}. */
  summary(inputShape: Shape): ParameterCounts {
    return summary(this.network, inputShape);
  }

  /** Counts multiply-adds as `paddle.flops` does; see {@link flops}. */
  flops(inputShape: Shape): FlopCount {
    return flops(this.network, inputShape);
  }

  #prepared(where: string): Prepared {
    const loss = this.#lossFor(where);
    if (this.#optimizer === null) throw unprepared(where, 'an optimizer');
    return {
      network: this.network,
      optimizer: this.#optimizer,
      loss,
      metrics: this.#metrics,
      ...(this.#mixed && { precision: usablePrecision('bf16') }),
    };
  }

  #lossFor(where: string): LossFunction {
    if (this.#loss === null) throw unprepared(where, 'a loss');
    return this.#loss;
  }

  #inEvaluation<T>(body: () => T): T {
    const { training } = this.network;
    this.network.eval();
    try {
      return noGrad(body);
    } finally {
      if (training) this.network.train();
    }
  }
}

const levels = check.oneOf(['O0', 'O1']);
const prepareChecks: check.OptionChecks<PrepareOptions> = {
  optimizer: check.instanceOf(Optimizer),
  loss: check.either(check.callable, aLayer, 'a function or a layer, such as new nn.CrossEntropyLoss()'),
  metrics: check.either(someMetric, check.listOf(someMetric)),
  ampConfigs: check.rule('O0 or O1 (parameters stay float32)', (x) => {
    return levels.is(x) || (check.record.is(x) && levels.is((x as { readonly level?: unknown }).level));
  }),
};

function unprepared(where: string, what: string): InputError {
  return new InputError(`[Model] ${where}: expected a model with ${what}, got none; call model.prepare() first`);
}

function requireBatch(where: string, images: unknown, labels: unknown): void {
  requireTensor(where, images, 'images');
  requireTensor(where, labels, 'labels');
}

async function classesIn(labels: Tensor): Promise<Int32Array> {
  return await labels.data('int32');
}
