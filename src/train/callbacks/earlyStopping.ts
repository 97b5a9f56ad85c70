import { join, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import type { Json } from '../../text/json.js';
import { visibleLine } from '../../text/visible.js';
import { Callback, type Training } from '../callback.js';
import type { EpochRecord } from '../history.js';
import { BestWeights, requireBest } from './bestWeights.js';
import { type BestState, Monitor, type MonitorOptions } from './monitor.js';

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Evaluations without a better figure after which the training ends (0: the first one). */
  readonly patience?: number | undefined;
  /** How much better is better (0). */
  readonly minDelta?: number | undefined;
  /** The figure has to be better than this from the beginning. */
  readonly baseline?: number | undefined;
  /** Writes the best weights to `best_model.safetensors` in the folder of `Model.fit`, if it has one (true). */
  readonly saveBestModel?: boolean | undefined;
  /** Gives the network its best weights back when the training ends, however it ends (false). */
  readonly restoreBest?: boolean | undefined;
  /** 0: says nothing (1). */
  readonly verbose?: number | undefined;
}

/** Ends a training whose figure gets no better. Paddle's counts evaluations in its message, this one epochs. */
export class EarlyStopping extends Callback {
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
    this.#monitor = new Monitor('EarlyStopping', options);
    this.#options = options;
    this.#best = options.baseline ?? null;
  }

  /** The epoch with the best figure so far; null if there was none. */
  get bestEpoch(): number | null {
    return this.#bestEpoch;
  }

  override onTrainBegin(training: Training): void {
    this.#folder = this.saveDir ?? training.saveDir ?? null;
    if (this.#folder === null && this.#options.saveBestModel === true) {
      throw new InputError(
        '[EarlyStopping] saveBestModel: expected with a folder for the file, got none; give the training a saveDir, or ' +
          'leave it out',
      );
    }
    this.#monitor.check(training);
    if (this.#options.restoreBest === true && this.#bestEpoch !== null) {
      requireBest('EarlyStopping', this.#path(), this.#bestEpoch);
    }
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
      if (restoreBest || (saveBestModel && this.#folder !== null)) {
        await this.#weights.keep(training.network, this.#path());
      }
    } else this.#wait++;
    if (!this.#isOver()) return;
    training.stop();
    if (verbose === 0) return;
    process.stdout.write(`Epoch ${record.epoch}: Early stopping.\n`);
    const path = this.#path();
    if (path !== null && this.#bestEpoch !== null) {
      process.stdout.write(`Best checkpoint has been saved at ${visibleLine(resolve(path))}\n`);
    }
  }

  /** Gives the network the best weights back, if that is wanted. */
  override async onTrainClose({ network }: Pick<Training, 'network'>): Promise<void> {
    if (this.#options.restoreBest === true && this.#bestEpoch !== null)
      await this.#weights.restore(network, this.#path());
  }

  override stateDict(): Json {
    return { monitor: this.#monitor.key, best: this.#best, bestEpoch: this.#bestEpoch, wait: this.#wait };
  }

  override setStateDict(state: Json): void {
    const saved = state as BestState & { readonly wait: number };
    const goesOn = this.#monitor.knows(saved);
    this.#best = goesOn ? saved.best : (this.#options.baseline ?? null);
    this.#bestEpoch = goesOn ? saved.bestEpoch : null;
    this.#wait = goesOn ? saved.wait : 0;
  }

  #isOver(): boolean {
    return this.#wait > 0 && this.#wait >= (this.#options.patience ?? 0);
  }

  #path(): string | null {
    return this.#folder === null ? null : join(this.#folder, 'best_model.safetensors');
  }
}
