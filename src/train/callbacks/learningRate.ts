import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { lr } from '../../optimizer/index.js';
import type { Json } from '../../text/json.js';
import { standardOutput } from '../../text/output.js';
import { Callback, type Training } from '../callback.js';
import type { EpochRecord } from '../history.js';
import { type BestState, Monitor, type MonitorOptions, monitorChecks } from './monitor.js';

export interface LRSchedulerOptions extends MonitorOptions {
  /** Steps the schedule after each step of the optimizer (true). */
  readonly byStep?: boolean | undefined;
  /** Steps the schedule after each epoch (false). */
  readonly byEpoch?: boolean | undefined;
}

const schedulerChecks: check.OptionChecks<LRSchedulerOptions> = {
  ...monitorChecks,
  byStep: check.flag,
  byEpoch: check.flag,
};

/**
 * Steps the optimizer's schedule. Like Paddle, `Model.fit` adds such a callback by itself, which steps the
 * schedule after each step of the optimizer. A `ReduceOnPlateau` gets the monitored metric after each
 * evaluation.
 */
export class LRScheduler extends Callback {
  static readonly kind: string = 'LRScheduler';

  readonly #monitor: Monitor;
  readonly #byStep: boolean;
  /** Whether a resumed training has stepped the schedule by steps, not by epochs. */
  #goesBy: boolean;

  constructor(options: LRSchedulerOptions = {}) {
    super();
    check.requireOptions('LRScheduler', options, schedulerChecks);
    const { byEpoch = false, byStep = !byEpoch } = options;
    if (byStep === byEpoch) {
      throw new InputError(`[LRScheduler] byStep: expected ${!byEpoch} beside byEpoch ${byEpoch}, got ${byStep}`);
    }
    this.#byStep = byStep;
    this.#goesBy = byStep;
    this.#monitor = new Monitor('LRScheduler', options);
  }

  override onTrainBegin(training: Training): void {
    const { schedule } = training.optimizer;
    if (schedule instanceof lr.ReduceOnPlateau) {
      this.#monitor.check(training);
      const direction = this.#monitor.direction(training);
      if (direction !== null && direction !== schedule.mode) {
        throw new InputError(
          `[LRScheduler] schedule: expected a ReduceOnPlateau with mode '${direction}' for ${this.#monitor.name}, got ` +
            `'${schedule.mode}'; give it that mode, or let it follow another metric by monitor`,
        );
      }
    }
    if (this.#byStep !== this.#goesBy) {
      const named = (byStep: boolean) => (byStep ? 'steps' : 'epochs');
      throw new InputError(
        `[LRScheduler] schedule: expected it to go by ${named(this.#goesBy)}, as the training has, got ` +
          `${named(this.#byStep)}; continue as it began`,
      );
    }
    if (!(schedule instanceof lr.LRScheduler)) return;
    const left = this.#byStep ? training.stepsLeft : training.epochs - training.epoch + 1;
    // Some schedules end. If this one ends too early, the call throws before the training begins.
    schedule.rateAt(schedule.lastEpoch + left);
  }

  override stateDict(): Json {
    return { byStep: this.#byStep };
  }

  override setStateDict(state: Json): void {
    this.#goesBy = (state as { byStep: boolean }).byStep;
  }

  override onBatchEnd({ optimizer: { schedule }, updated }: Training): void {
    if (this.#byStep && updated && schedule instanceof lr.LRScheduler) schedule.step();
  }

  override onEpochEnd(training: Training, record: EpochRecord): void {
    const { schedule } = training.optimizer;
    if (schedule instanceof lr.ReduceOnPlateau) {
      const value = this.#monitor.read(training, record);
      if (value !== null) schedule.step(value);
    } else if (!this.#byStep && schedule instanceof lr.LRScheduler) schedule.step();
  }
}

export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** The rate is multiplied by this (0.1). */
  readonly factor?: number | undefined;
  /** Evaluations without improvement before the rate is reduced (10). */
  readonly patience?: number | undefined;
  /** Smaller improvements do not count (0.0001). */
  readonly minDelta?: number | undefined;
  /** Evaluations after a reduction that do not count (0). */
  readonly cooldown?: number | undefined;
  /** Default 0. */
  readonly minLr?: number | undefined;
  /** 0: silent (1). */
  readonly verbose?: number | undefined;
}

const plateauChecks: check.OptionChecks<ReduceLROnPlateauOptions> = {
  ...monitorChecks,
  factor: check.betweenZeroAndOne,
  patience: check.integer(0),
  minDelta: check.nonNegative,
  cooldown: check.integer(0),
  minLr: check.nonNegative,
  verbose: check.integer(0),
};

/** Reduces the learning rate, which must be a plain number, when a metric stops improving. */
export class ReduceLROnPlateau extends Callback {
  static readonly kind: string = 'ReduceLROnPlateau';

  readonly #monitor: Monitor;
  readonly #options: ReduceLROnPlateauOptions;
  #best: number | null = null;
  #wait = 0;
  #cooldown = 0;

  constructor(options: ReduceLROnPlateauOptions = {}) {
    super();
    check.requireOptions('ReduceLROnPlateau', options, plateauChecks);
    this.#monitor = new Monitor('ReduceLROnPlateau', options);
    this.#options = options;
  }

  override onTrainBegin(training: Training): void {
    if (!this.#monitor.begin(training)) {
      this.#best = null;
      this.#wait = 0;
      this.#cooldown = 0;
    }
    if (training.optimizer.schedule !== null) {
      throw new InputError(
        '[ReduceLROnPlateau] learning rate: expected a number, got a schedule; leave one of the two out',
      );
    }
  }

  override onEpochEnd(training: Training, record: EpochRecord): void {
    const { factor = 0.1, patience = 10, minDelta = 1e-4, cooldown = 0, minLr = 0, verbose = 1 } = this.#options;
    const { optimizer } = training;
    const value = this.#monitor.read(training, record);
    if (value === null) return;
    if (this.#cooldown > 0) {
      this.#cooldown--;
      this.#wait = 0;
    }
    if (this.#monitor.isBetter(value, this.#best, minDelta)) {
      this.#best = value;
      this.#wait = 0;
      return;
    }
    if (this.#cooldown > 0 || ++this.#wait < patience || optimizer.learningRate <= minLr) return;
    optimizer.learningRate = Math.max(optimizer.learningRate * factor, minLr);
    this.#cooldown = cooldown;
    this.#wait = 0;
    if (verbose > 0) {
      standardOutput.write(
        `\nEpoch ${record.epoch}: ReduceLROnPlateau reducing learning rate to ${optimizer.learningRate}.\n`,
      );
    }
  }

  override stateDict(): Json {
    return { monitor: this.#monitor.key, best: this.#best, wait: this.#wait, cooldown: this.#cooldown };
  }

  override setStateDict(state: Json): void {
    const saved = state as Omit<BestState, 'bestEpoch'> & { readonly wait: number; readonly cooldown: number };
    this.#monitor.restore(saved);
    this.#best = saved.best;
    this.#wait = saved.wait;
    this.#cooldown = saved.cooldown;
  }
}
