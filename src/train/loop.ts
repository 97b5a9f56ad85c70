import { InputError, MemoryError, NonFiniteError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import type { DataLoader, TensorBatch } from '../io/data/dataloader.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import { defaultGenerator, type GeneratorState, type RandomGenerator } from '../random.js';
import type { Tensor } from '../tensor/tensor.js';
import { requireMemoryFor } from './batchMemory.js';
import { BatchPlan } from './batchPlan.js';
import { CallbackError, type Training } from './callback.js';
import { Callbacks } from './callbackList.js';
import { claim } from './claims.js';
import { checkEvaluation, checkImages, checkState, DivergenceError, divergenceOf } from './divergence.js';
import { EpochClock } from './epochClock.js';
import { epochRecordOf } from './epochRecord.js';
import { evaluate } from './evaluate.js';
import type { Evaluation, MetricValues } from './evaluation.js';
import type { EpochRecord, TrainingState, TrainOutcome } from './history.js';
import { otherGenerators, statesOf } from './networkConditions.js';
import { objectiveOf } from './objective.js';
import type { TrainOptions } from './options.js';
import { restoreRate } from './resumeConditions.js';
import { RunningMetrics } from './runningMetrics.js';
import { Saving } from './saving.js';
import { beginAgain, noteOnSchedule } from './scheduleUse.js';
import { within } from './scope.js';
import { stepPlanner, trainStep } from './step.js';
import { TrainingChecks } from './trainingChecks.js';

/** The loop over epochs and batches, and the training as its callbacks see it. */
export class TrainingLoop implements Training {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly epochs: number;
  readonly saveDir: string | null;
  readonly history: EpochRecord[];
  epoch = 1;
  batch = 0;
  samples = 0;
  loss = Number.NaN;
  updated = true;
  evaluation: Evaluation | null = null;
  readonly #options: TrainOptions;
  readonly #callbacks: Callbacks;
  readonly #metrics: RunningMetrics;
  readonly #plan: BatchPlan;
  readonly #clock = new EpochClock();
  #shuffle: GeneratorState | null = null;
  #stopped = false;
  readonly #saving: Saving;
  readonly #checks: TrainingChecks;
  readonly #generator: RandomGenerator;
  /** Generators besides that of the training, by name. */
  readonly #others: ReadonlyMap<string, RandomGenerator>;

  constructor(options: TrainOptions) {
    const { network, optimizer, callbacks = [], metrics = [], initialEpoch = 0, from } = options;
    this.saveDir = options.saveDir ?? null;
    this.network = network;
    this.optimizer = optimizer;
    this.#plan = new BatchPlan(options);
    this.epochs = this.#plan.epochs;
    this.history = [...(from?.history ?? [])];
    this.epoch = initialEpoch + 1;
    this.#options = options;
    this.#generator = options.generator ?? defaultGenerator();
    this.#others = otherGenerators(options);
    this.#callbacks = new Callbacks(callbacks);
    this.#metrics = new RunningMetrics(metrics, { counts: options.trainAccuracy });
    this.#saving = new Saving(this, options);
    this.#checks = new TrainingChecks(options, from?.state.epoch ?? this.epoch);
  }

  /** Resets everything, or restores it from the saved state. */
  #begin(): void {
    const { optimizer } = this;
    const options = this.#options;
    const { from } = options;
    this.#metrics.reset();
    this.#callbacks.begin();
    // An earlier training that failed between two batches of a step left their gradients behind.
    optimizer.clearGrad();
    const startsAgain = optimizer.schedule !== null && beginAgain(optimizer.schedule, optimizer);
    if (from === undefined) {
      const note = noteOnSchedule(optimizer, startsAgain);
      if (note !== null) options.onNote?.(note);
      return;
    }
    const { state } = from;
    const changes = this.#checks.compare();
    this.epoch = state.epoch;
    this.batch = state.batch;
    this.samples = state.samples;
    if (this.batch > this.batches || this.samples > this.epochSamples) {
      throw new InputError(
        `[train] data: expected at least ${state.batch} batches and ${state.samples} samples, which the training has ` +
          `done of epoch ${state.epoch}, got ${this.batches} and ${this.epochSamples}; take the data of before`,
      );
    }
    this.#clock.reset(state);
    this.#shuffle = state.shuffle;
    this.#metrics.restore(state.samples, state.lossSum, state.metrics, state.hits);
    restoreRate(optimizer, state);
    if (changes.length > 0) options.onNote?.(`resume: ${changes.join(', ')}, from here on`);
    this.#callbacks.setStateDict(state.callbacks);
    this.#generator.restore(state.generator);
    for (const [name, saved] of Object.entries(state.generators ?? {})) this.#others.get(name)?.restore(saved);
  }

  get batches(): number {
    return this.#plan.batchesIn(this.epoch);
  }

  get epochSamples(): number {
    return this.#plan.samplesIn(this.epoch);
  }

  get stepsLeft(): number {
    return this.#plan.stepsLeft(this.epoch, this.batch);
  }

  get dataSeconds(): number {
    return this.#clock.dataSeconds;
  }

  get evaluating(): boolean {
    return this.#options.evalLoader !== undefined;
  }

  get metricNames(): readonly string[] {
    return this.#metrics.names;
  }

  higherIsBetter(name: string): boolean | null {
    // Every evaluation counts correct predictions, even without the metric.
    if (name === 'acc' && this.evaluating && !this.metricNames.includes(name)) return true;
    return this.#metrics.higherIsBetter(name);
  }

  metrics(): MetricValues {
    return this.#metrics.values();
  }

  stop(): void {
    this.#stopped = true;
  }

  state(): TrainingState {
    const { epoch, batch, samples, optimizer } = this;
    if (!this.updated) {
      throw new InputError(
        '[train] state: expected to be asked for after a step, got asked between batches that make one step together; ' +
          'look at training.updated',
      );
    }
    const { steps, learningRate, schedule } = optimizer;
    return {
      epoch,
      batch,
      samples,
      lossSum: this.#metrics.lossSum,
      ...(this.#metrics.hits !== null && { hits: this.#metrics.hits }),
      seconds: this.#clock.seconds,
      dataSeconds: this.dataSeconds,
      shuffle: this.#shuffle,
      generator: this.#generator.state(),
      ...(this.#others.size > 0 && { generators: statesOf(this.#others) }),
      steps,
      learningRate,
      schedule: schedule?.stateDict() ?? null,
      metrics: this.#metrics.stateDict(),
      callbacks: this.#callbacks.stateDict(),
      setting: this.#checks.conditions,
    };
  }

  async run(): Promise<TrainOutcome> {
    const release = this.#claim();
    try {
      this.#begin();
      const outcome = await this.#run().catch(async (error: unknown) => {
        const failure = await this.#failureOf(error);
        // The caller needs the first error, so later ones are dropped.
        await this.#callbacks.call('onTrainClose', this)?.catch(() => {});
        throw failure;
      });
      await this.#callbacks.call('onTrainClose', this);
      return outcome;
    } finally {
      release();
    }
  }

  async #failureOf(error: unknown): Promise<unknown> {
    if (!(error instanceof CallbackError)) return error;
    const note = await this.#saving.afterFailure(error.hook);
    return new CallbackError(error.callback, error.hook, error.cause, note);
  }

  #claim(): () => void {
    const { network, optimizer } = this;
    const { metrics = [] } = this.#options;
    return claim([
      { name: 'network', object: network },
      { name: 'optimizer', object: optimizer },
      ...(optimizer.schedule === null ? [] : [{ name: 'schedule', object: optimizer.schedule }]),
      ...metrics.map((metric) => ({ name: metric.names.join(), object: metric })),
      ...this.#callbacks.stateful.map(({ name, callback }) => ({ name, object: callback })),
      { name: 'generator', object: this.#generator, todo: 'give each its own: generator: new RandomGenerator(seed)' },
    ]);
  }

  async #run(): Promise<TrainOutcome> {
    const callbacks = this.#callbacks;
    if (this.epochs > 1) this.#options.trainLoader.dataset.expectEpochs?.();
    await callbacks.call('onTrainBegin', this);
    while (this.epoch <= this.epochs && !this.#ending()) {
      await callbacks.call('onEpochBegin', this);
      await this.#trainEpoch();
      // Evaluation, callbacks and files get the averages, if the optimizer has them.
      this.optimizer.useAverages(true);
      if (this.batch < this.batches) break;
      const { seconds } = this.#clock;
      await checkState(this);
      const trained = { values: this.#metrics.values(), accuracy: this.#metrics.accuracy, seconds };
      const isEvaluated = this.#evaluatesNow();
      if (isEvaluated && !(await this.#evaluate())) break;
      const record = epochRecordOf(this, trained, isEvaluated ? this.evaluation : null);
      this.history.push(record);
      this.#nextEpoch();
      await callbacks.call('onEpochEnd', this, record);
      await this.#saving.save();
      await callbacks.call('onEpochSaved', this, record);
    }
    const { history, evaluation } = this;
    // A callback that stops between two epochs completes the training; the signal only interrupts it.
    const ended = this.#stopped && this.batch === 0 && this.#options.signal?.aborted !== true;
    const outcome = { history, evaluation, completed: this.epoch > this.epochs || ended };
    await this.#saving.atEnd();
    await callbacks.call('onTrainEnd', this, outcome);
    return outcome;
  }

  async #trainEpoch(): Promise<void> {
    const { trainLoader, saveSteps } = this.#options;
    const { batches, optimizer } = this;
    const place = this.#shuffle === null ? {} : { from: this.#shuffle, skip: this.batch };
    const epoch = within(this.#options, () => trainLoader.epoch(place));
    this.#shuffle = trainLoader.epochState;
    if (this.batch === 0) this.#metrics.reset();
    this.optimizer.useAverages(false);
    this.network.train();
    this.#clock.start();
    this.#saving.progressed();
    this.#clock.ask();
    if (this.batch < batches) {
      for await (const [images, labels] of epoch as AsyncIterable<TensorBatch>) {
        this.#clock.receive();
        const generator = this.#generator.state();
        const others = statesOf(this.#others);
        try {
          await this.#trainBatch(images, labels);
        } catch (error) {
          const takeBack = () => {
            this.#generator.restore(generator);
            for (const [name, one] of this.#others) one.restore(others[name]);
          };
          takeBack();
          await this.#diverged(error, images, labels);
          takeBack();
          break;
        }
        const waiting = this.#callbacks.call('onBatchEnd', this);
        if (waiting !== undefined) await waiting;
        if (this.batch === batches) break;
        if (this.updated) {
          if (saveSteps !== undefined && optimizer.steps % saveSteps === 0) await this.#saving.save();
          // After its last batch an epoch is complete, so it is evaluated before the training ends.
          if (this.#ending()) break;
        }
        this.#clock.ask();
      }
    }
    this.#clock.stop();
  }

  async #trainBatch(images: Tensor, labels: Tensor): Promise<void> {
    if (this.#checks.checksImages(this.epoch)) await checkImages(images, this);
    this.updated = this.#plan.endsStep(this.epoch, this.batch + 1);
    const share = this.#plan.shareOfStep(this.epoch, this.batch, images.shape[0]);
    const inspect = this.#checks.inspects(this.epoch)
      ? await this.#checks.inspectorOf(labels, this.#plan.smallestBatch(this.epoch))
      : undefined;
    const part = { share, update: this.updated, inspect };
    const value = await trainStep(this.#options, this.#metrics, images, labels, part).catch((error: unknown) => {
      if (error instanceof MemoryError) this.#adviseBatch(images.shape);
      throw error;
    });
    this.#saving.progressed();
    this.batch++;
    this.loss = value;
    this.samples += images.shape[0];
  }

  /** @throws {MemoryError} with the largest batch that fits */
  #adviseBatch([batch, ...image]: Shape): void {
    const { accumulateGradBatches: accumulate = 1 } = this.#options;
    requireMemoryFor('train', batch, image, stepPlanner(this.#options, image, { accumulate }));
  }

  /** Throws, unless a callback ends the training normally although its loss is infinite or NaN. */
  async #diverged(error: unknown, images: Tensor, labels: Tensor): Promise<void> {
    const { batch, optimizer } = this;
    if (!(error instanceof NonFiniteError || error instanceof DivergenceError)) throw error;
    const objective = () => objectiveOf(this.#options, images, labels).loss;
    const divergence =
      error instanceof DivergenceError
        ? error
        : await divergenceOf(error.value, images, objective, this, this.#options);
    // The batch changed no parameter. The gradients accumulated before it are lost.
    this.updated = this.#plan.endsStep(this.epoch, batch);
    optimizer.clearGrad();
    await this.#callbacks.call('onDivergence', this, divergence);
    if (!this.#stopped) throw divergence;
  }

  /** Whether this epoch is evaluated. */
  #evaluatesNow(): boolean {
    const { evalLoader, evalFreq = 1 } = this.#options;
    return evalLoader !== undefined && (this.epoch % evalFreq === 0 || this.epoch === this.epochs);
  }

  /** Evaluates the network. @returns false if the signal interrupted the evaluation */
  async #evaluate(): Promise<boolean> {
    const { network } = this;
    const { evalLoader, loss, signal, metrics, callbacks, generator, precision } = this.#options;
    const trained = this.#metrics.stateDict();
    const { hits } = this.#metrics;
    try {
      this.evaluation = await evaluate({
        network,
        loader: evalLoader as DataLoader,
        loss,
        metrics,
        signal,
        callbacks,
        generator,
        precision,
      });
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return false;
      throw error;
    } finally {
      // The evaluation used the same metric objects as the training, and overwrote their states.
      this.#metrics.restore(this.samples, this.#metrics.lossSum, trained, hits);
    }
    checkEvaluation(this.evaluation.loss, this);
    return true;
  }

  #nextEpoch(): void {
    this.epoch++;
    this.batch = 0;
    this.samples = 0;
    this.#metrics.reset();
    this.#clock.reset();
    this.#shuffle = null;
  }

  #ending(): boolean {
    return this.#stopped || this.#options.signal?.aborted === true;
  }
}
