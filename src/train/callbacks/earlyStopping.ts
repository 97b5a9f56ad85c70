import { join, resolve } from 'node:path';
import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import type { Json } from '../../text/json.js';
import { standardOutput } from '../../text/output.js';
import { visibleLine } from '../../text/visible.js';
import { Callback, type Training } from '../callback.js';
import type { EpochRecord, TrainOutcome } from '../history.js';
import { BestWeights, requireBest } from './bestWeights.js';
import { protectFile, requireUnprotected } from './finishedFiles.js';
import { type BestState, Monitor, type MonitorOptions, monitorChecks } from './monitor.js';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Evaluations without improvement after which the training ends (0: the first one). */
  readonly patience?: number | undefined;
  /** Smaller improvements do not count (0). */
  readonly minDelta?: number | undefined;
  /** The metric must be better than this from the first epoch on. */
  readonly baseline?: number | undefined;
  /**
   * Writes the best weights to `best_model.safetensors` in the folder of `Model.fit`, if there is one (true).
   */
  readonly saveBestModel?: boolean | undefined;
  /** Restores the network's best weights when the training ends, even if it fails (false). */
  readonly restoreBest?: boolean | undefined;
  /** 0: silent (1). */
  readonly verbose?: number | undefined;
}

const checks: check.OptionChecks<EarlyStoppingOptions> = {
  ...monitorChecks,
  patience: check.integer(0),
  minDelta: check.finite,
  baseline: check.finite,
  saveBestModel: check.flag,
  restoreBest: check.flag,
  verbose: check.integer(0),
};

/**
 * Ends a training when a metric stops improving. Its message counts epochs; Paddle's counts evaluations.
 *
 * @example
 * ```ts
 * import { callbacks, type io, type Model } from 'fovea';
 *
 * async function fit(model: Model, trainData: io.Dataset, evalData: io.Dataset) {
 *   const stopping = new callbacks.EarlyStopping({ monitor: 'acc', patience: 3, restoreBest: true });
 *   await model.fit({ trainData, evalData, epochs: 50, callbacks: stopping });
 *   console.log(stopping.bestEpoch);
 * }
 * ```
 */
export class EarlyStopping extends Callback {
  static readonly kind: string = 'EarlyStopping';

  /** Folder for the best weights. Default: that of the training. */
  saveDir: string | null = null;
  #folder: string | null = null;
  readonly #monitor: Monitor;
  readonly #options: EarlyStoppingOptions;
  readonly #weights = new BestWeights();
  #best: number | null;
  #bestEpoch: number | null = null;
  #wait = 0;

  constructor(options: EarlyStoppingOptions = {}) {
    super();
    check.requireOptions('EarlyStopping', options, checks);
    this.#monitor = new Monitor('EarlyStopping', options);
    this.#options = options;
    this.#best = options.baseline ?? null;
  }

  /** The epoch with the best value so far; null if there is none. */
  get bestEpoch(): number | null {
    return this.#bestEpoch;
  }

  override onTrainBegin(training: Training): void {
    this.#folder = this.saveDir ?? training.saveDir ?? null;
    if (this.#folder === null && this.#options.saveBestModel === true) {
      throw new InputError(
        '[EarlyStopping] saveBestModel: expected a folder for the file, got none; give the training a saveDir, or ' +
          'leave the option out',
      );
    }
    if (!this.#monitor.begin(training)) this.#startAgain();
    if (this.#options.restoreBest === true && this.#bestEpoch !== null) {
      requireBest('EarlyStopping', this.#path(), this.#bestEpoch);
    }
    const path = this.#path();
    if (path !== null) requireUnprotected('EarlyStopping', path, training);
    if (this.#isOver()) training.stop();
  }

  override onTrainEnd(_: Training, { completed }: TrainOutcome): void {
    const path = this.#path();
    if (completed && path !== null) protectFile(path);
  }

  override async onEpochEnd(training: Training, record: EpochRecord): Promise<void> {
    const { minDelta = 0, saveBestModel = true, restoreBest = false, verbose = 1 } = this.#options;
    const value = this.#monitor.read(training, record);
    if (value === null) return;
    if (this.#monitor.isBetter(value, this.#best, Math.abs(minDelta))) {
      this.#best = value;
      this.#bestEpoch = record.epoch;
      this.#wait = 0;
      if (restoreBest || (saveBestModel && this.#folder !== null)) {
        await this.#weights.keep(training.network, this.#path());
      }
    } else this.#wait++;
    if (!this.#isOver()) return;
    training.stop();
    if (verbose === 0) return;
    standardOutput.write(`Epoch ${record.epoch}: Early stopping.\n`);
    const path = this.#path();
    if (path !== null && this.#bestEpoch !== null) {
      standardOutput.write(`Best checkpoint has been saved at ${visibleLine(resolve(path))}\n`);
    }
  }

  /** Restores the best weights if asked to. */
  override async onTrainClose({ network }: Pick<Training, 'network'>): Promise<void> {
    if (this.#options.restoreBest === true && this.#bestEpoch !== null)
      await this.#weights.restore(network, this.#path());
  }

  override stateDict(): Json {
    return { monitor: this.#monitor.key, best: this.#best, bestEpoch: this.#bestEpoch, wait: this.#wait };
  }

  override setStateDict(state: Json): void {
    const saved = state as BestState & { readonly wait: number };
    this.#monitor.restore(saved);
    this.#best = saved.best;
    this.#bestEpoch = saved.bestEpoch;
    this.#wait = saved.wait;
  }

  /** The saved state is about another metric. */
  #startAgain(): void {
    this.#best = this.#options.baseline ?? null;
    this.#bestEpoch = null;
    this.#wait = 0;
  }

  #isOver(): boolean {
    return this.#wait > 0 && this.#wait >= (this.#options.patience ?? 0);
  }

  #path(): string | null {
    return this.#folder === null ? null : join(this.#folder, 'best_model.safetensors');
  }
}
