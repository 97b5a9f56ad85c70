import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as check from '../../check.js';
import { type Effects, requireEffect } from '../../effect.js';
import { InputError } from '../../errors.js';
import { makeFolder } from '../../io/files/atomic.js';
import type { Json } from '../../text/json.js';
import { standardOutput } from '../../text/output.js';
import { visibleLine } from '../../text/visible.js';
import { Callback, type Training } from '../callback.js';
import { modelFiles, saveModel } from '../checkpoint/weights.js';
import type { EpochRecord, TrainOutcome } from '../history.js';
import { BestWeights, bestFile, requireBest } from './bestWeights.js';
import { protectFile, requireUnprotected } from './finishedFiles.js';
import { type BestState, Monitor, type MonitorOptions, monitorChecks } from './monitor.js';

export interface ModelCheckpointOptions extends MonitorOptions {
  /**
   * Folder for the files. Default: that of `Model.fit`; without one the best weights are kept in memory. A
   * second training of the process that would overwrite `best` or `final` of a finished one is refused.
   */
  readonly saveDir?: string | undefined;
  /** Epochs between two files `epoch-N` (1); 0 for no such files. */
  readonly saveFreq?: number | undefined;
  /** The newest files `epoch-N` that are kept; older ones of this training are removed. Default: all. */
  readonly keepLastN?: number | undefined;
  /** Writes `best` whenever the metric improves (false). */
  readonly saveBest?: boolean | undefined;
  /** Restores the network's best weights when the training ends, even if it fails (false). */
  readonly restoreBest?: boolean | undefined;
  /** Metadata of the file with the best weights. Default: none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** 0: silent (1). */
  readonly verbose?: number | undefined;
}

const withoutFollower = (options: ModelCheckpointOptions) =>
  followsMetric(options) ? null : 'only saveBest and restoreBest follow a metric';

const checks: check.OptionChecks<ModelCheckpointOptions> = {
  ...monitorChecks,
  saveDir: check.text,
  saveFreq: check.integer(0),
  keepLastN: check.integer(1),
  saveBest: check.flag,
  restoreBest: check.flag,
  metadata: check.rule('texts by name', (x) => check.record.is(x) && Object.values(x).every(check.text.is)),
  verbose: check.integer(0),
};

/** When its options have an effect. */
const effects: Effects<ModelCheckpointOptions> = {
  keepLastN: ({ saveFreq }) => (saveFreq === 0 ? 'saveFreq 0 writes no files epoch-N' : null),
  monitor: withoutFollower,
  mode: withoutFollower,
};

function followsMetric({ saveBest, restoreBest }: ModelCheckpointOptions): boolean {
  return saveBest === true || restoreBest === true;
}

/**
 * Saves weights and optimizer during a training in the files of `Model.save`: `epoch-N` after every
 * `saveFreq` epochs, and `final` at the end. Saves the weights of the best epoch as `best`.
 *
 * @example
 * ```ts
 * import { callbacks, type io, type Model } from 'fovea';
 *
 * async function fit(model: Model, trainData: io.Dataset, evalData: io.Dataset) {
 *   const saving = { saveDir: 'output', saveBest: true, monitor: 'acc', keepLastN: 3 };
 *   const best = new callbacks.ModelCheckpoint(saving);
 *   await model.fit({ trainData, evalData, epochs: 50, callbacks: best });
 * }
 * ```
 */
export class ModelCheckpoint extends Callback {
  static readonly kind: string = 'ModelCheckpoint';

  /** Folder for the files. Default: that of the training. */
  saveDir: string | null;
  #folder: string | null = null;
  readonly #monitor: Monitor;
  readonly #options: ModelCheckpointOptions;
  readonly #weights: BestWeights;
  #best: number | null = null;
  #bestEpoch: number | null = null;
  #written: number[] = [];

  constructor(options: ModelCheckpointOptions = {}) {
    super();
    check.requireOptions('ModelCheckpoint', options, checks);
    requireEffect('ModelCheckpoint', options, effects);
    this.saveDir = options.saveDir ?? null;
    this.#monitor = new Monitor('ModelCheckpoint', options);
    this.#options = options;
    this.#weights = new BestWeights(options.metadata);
  }

  /** The epoch with the best value so far; null if there is none. */
  get bestEpoch(): number | null {
    return this.#bestEpoch;
  }

  override async onTrainBegin(training: Training): Promise<void> {
    this.#folder = this.saveDir ?? training.saveDir ?? null;
    if (this.#folder === null && this.#options.restoreBest !== true) {
      throw new InputError(
        '[ModelCheckpoint] saveDir: expected a folder, of its own or of the training, got none; give one, or leave the ' +
          'callback out',
      );
    }
    if (this.#watches() && !this.#monitor.begin(training)) {
      this.#best = null;
      this.#bestEpoch = null;
    }
    if (this.#options.restoreBest === true && this.#bestEpoch !== null) {
      requireBest('ModelCheckpoint', this.#bestPath(), this.#bestEpoch);
    }
    for (const path of this.#results()) requireUnprotected('ModelCheckpoint', path, training);
    if (this.#folder !== null) await makeFolder(this.#folder);
  }

  override async onEpochEnd(training: Training, record: EpochRecord): Promise<void> {
    const { saveFreq = 1 } = this.#options;
    if (this.#watches()) await this.#keepBest(training, record);
    if (this.#folder === null || saveFreq === 0 || record.epoch % saveFreq !== 0) return;
    await this.#write(training, `epoch-${record.epoch}`);
    if (!this.#written.includes(record.epoch)) this.#written.push(record.epoch);
  }

  /** Removes older files only now, when the saved state lists the new one. */
  override async onEpochSaved(): Promise<void> {
    await this.#removeOld();
  }

  async #removeOld(): Promise<void> {
    const { keepLastN } = this.#options;
    if (this.#folder === null || keepLastN === undefined) return;
    while (this.#written.length > keepLastN) {
      const { weights, optimizer } = modelFiles(join(this.#folder, `epoch-${this.#written[0]}`));
      for (const file of [weights, optimizer]) await rm(file, { force: true });
      this.#written.shift();
    }
  }

  override async onTrainEnd(training: Training, { completed }: TrainOutcome): Promise<void> {
    // Another callback may have ended the training after an epoch but before the state was saved.
    await this.#removeOld();
    if (this.#folder !== null && (this.#options.saveFreq ?? 1) > 0) await this.#write(training, 'final');
    if (completed) this.#results().forEach(protectFile);
  }

  /** Restores the best weights if asked to. */
  override async onTrainClose({ network }: Pick<Training, 'network'>): Promise<void> {
    if (this.#options.restoreBest === true && this.#bestEpoch !== null) {
      await this.#weights.restore(network, this.#bestPath());
    }
  }

  override stateDict(): Json {
    return {
      monitor: this.#monitor.key,
      best: this.#best,
      bestEpoch: this.#bestEpoch,
      written: [...this.#written],
    };
  }

  override setStateDict(state: Json): void {
    const saved = state as BestState & { readonly written: readonly number[] };
    this.#monitor.restore(saved);
    this.#best = saved.best;
    this.#bestEpoch = saved.bestEpoch;
    this.#written = [...saved.written];
  }

  #watches(): boolean {
    return followsMetric(this.#options);
  }

  async #keepBest(training: Training, record: EpochRecord): Promise<void> {
    const value = this.#monitor.read(training, record);
    if (value === null || !this.#monitor.isBetter(value, this.#best)) return;
    this.#best = value;
    this.#bestEpoch = record.epoch;
    await this.#weights.keep(training.network, this.#bestPath());
  }

  async #write(training: Training, name: string): Promise<void> {
    const path = join(this.#folder as string, name);
    if ((this.#options.verbose ?? 1) > 0) standardOutput.write(`save checkpoint at ${visibleLine(resolve(path))}\n`);
    await saveModel(path, training.network, training.optimizer);
  }

  /** Files that a later training must not overwrite. */
  #results(): string[] {
    if (this.#folder === null) return [];
    return [
      ...(this.#watches() ? [join(this.#folder, bestFile)] : []),
      ...((this.#options.saveFreq ?? 1) > 0 ? [modelFiles(join(this.#folder, 'final')).weights] : []),
    ];
  }

  #bestPath(): string | null {
    return this.#folder === null ? null : join(this.#folder, bestFile);
  }
}
