import { join, resolve } from 'node:path';
import { Callback, type Json, type Training } from '../callback.js';
import type { EpochRecord } from '../trainer.js';
import { BestWeights } from './bestWeights.js';
import { Monitor, type MonitorOptions } from './monitor.js';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Evaluations without a better figure after which the training ends (0: the first one). */
  readonly patience?: number | undefined;
  /** How much better is better (0). */
  readonly minDelta?: number | undefined;
  /** The figure has to be better than this from the beginning. */
  readonly baseline?: number | undefined;
  /** Writes the best weights to `best_model.safetensors` in the folder of `Model.fit`, if it has one (true). */
  readonly saveBestModel?: boolean | undefined;
  /** Gives the network its best weights back when `Model.fit` ends, however it ends (false). */
  readonly restoreBest?: boolean | undefined;
  /** 0: says nothing (1). */
  readonly verbose?: number | undefined;
}

/** Ends a training whose figure gets no better. Paddle's counts evaluations in its message, this one epochs. */
export class EarlyStopping extends Callback {
  /** Set by `Model.fit`. */
  saveDir: string | null = null;
  readonly #monitor: Monitor;
  readonly #options: EarlyStoppingOptions;
  readonly #weights = new BestWeights();
  #best: number | null;
  #bestEpoch: number | null = null;
  #wait = 0;

  constructor(options: EarlyStoppingOptions = {}) {
    super();
    this.#monitor = new Monitor('EarlyStopping', options);
    this.#options = options;
    this.#best = options.baseline ?? null;
  }

  /** The epoch with the best figure so far; null if there was none. */
  get bestEpoch(): number | null {
    return this.#bestEpoch;
  }

  override onTrainBegin(training: Training): void {
    this.#monitor.check(training);
    if (this.#isOver()) training.stop();
  }

  override async onEpochEnd(training: Training, record: EpochRecord): Promise<void> {
    const { minDelta = 0, saveBestModel = true, restoreBest = false, verbose = 1 } = this.#options;
    const value = this.#monitor.read(training, record);
    if (value === null) return;
    if (this.#monitor.isBetter(value, this.#best, Math.abs(minDelta))) {
      this.#best = value;
      this.#bestEpoch = record.epoch;
      this.#wait = 0;
      if (restoreBest || (saveBestModel && this.saveDir !== null)) {
        await this.#weights.keep(training.network, this.#path());
      }
    } else this.#wait++;
    if (!this.#isOver()) return;
    training.stop();
    if (verbose === 0) return;
    process.stdout.write(`Epoch ${record.epoch}: Early stopping.\n`);
    const path = this.#path();
    if (path !== null && this.#bestEpoch !== null) {
      process.stdout.write(`Best checkpoint has been saved at ${resolve(path)}\n`);
    }
  }

  /** Gives the network the best weights back, if that is wanted. `Model.fit` calls this at its end. */
  async restore({ network }: Pick<Training, 'network'>): Promise<void> {
    if (this.#options.restoreBest === true && this.#bestEpoch !== null)
      await this.#weights.restore(network, this.#path());
  }

  override stateDict(): Json {
    return { best: this.#best, bestEpoch: this.#bestEpoch, wait: this.#wait };
  }

  override setStateDict(state: Json): void {
    const { best, bestEpoch, wait } = state as { best: number | null; bestEpoch: number | null; wait: number };
    this.#best = best;
    this.#bestEpoch = bestEpoch;
    this.#wait = wait;
  }

  #isOver(): boolean {
    return this.#wait > 0 && this.#wait >= (this.#options.patience ?? 0);
  }

  #path(): string | null {
    return this.saveDir === null ? null : join(this.saveDir, 'best_model.safetensors');
  }
}
