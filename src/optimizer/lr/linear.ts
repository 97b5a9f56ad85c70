import { InputError } from '../../errors.js';
import {
  checkInteger,
  checkOptions,
  checkPositive,
  checkRate,
  checkWithin,
  Decay,
  type DecayOptions,
  LRScheduler,
  type LRSchedulerOptions,
  type ScheduleState,
} from './schedule.js';

/** Schedules along a straight line. */

export interface LinearWarmupOptions extends LRSchedulerOptions {
  /** The rate or schedule after the warm-up. */
  readonly learningRate: number | LRScheduler;
  readonly warmupSteps: number;
  readonly startLr: number;
  readonly endLr: number;
}

/**
 * A straight line from startLr to endLr (which is not reached), then another rate or schedule from its start.
 */
export class LinearWarmup extends LRScheduler {
  static readonly kind: string = 'LinearWarmup';

  readonly #after: number | LRScheduler;
  readonly #steps: number;
  readonly #start: number;
  readonly #end: number;

  constructor(options: LinearWarmupOptions) {
    super(checkOptions(options));
    const { learningRate } = options;
    this.#after = learningRate instanceof LRScheduler ? learningRate : checkRate('learningRate', learningRate);
    this.#steps = checkInteger('warmupSteps', options.warmupSteps, 1);
    this.#start = checkRate('startLr', options.startLr);
    this.#end = checkRate('endLr', options.endLr);
    if (this.#end <= this.#start) {
      throw new InputError(`[lr] endLr: expected more than startLr ${this.#start}, got ${this.#end}`);
    }
  }

  rateAt(epoch: number): number {
    if (epoch < this.#steps) return ((this.#end - this.#start) * epoch) / this.#steps + this.#start;
    return typeof this.#after === 'number' ? this.#after : this.#after.rateAt(epoch - this.#steps);
  }

  override step(epoch?: number): void {
    super.step(epoch);
    if (typeof this.#after !== 'number') this.#after.step(Math.max(0, this.lastEpoch - this.#steps));
  }

  override stateDict(): ScheduleState {
    const own = super.stateDict();
    return typeof this.#after === 'number' ? own : { ...own, inner: this.#after.stateDict() };
  }
}

export interface LinearLROptions extends DecayOptions {
  readonly totalSteps: number;
  /** Default: 1/3. */
  readonly startFactor?: number;
  /** Default: 1. */
  readonly endFactor?: number;
}

/** A straight line from rate·startFactor to rate·endFactor in totalSteps, which then stays. */
export class LinearLR extends Decay {
  static readonly kind: string = 'LinearLR';

  readonly #steps: number;
  readonly #start: number;
  readonly #end: number;

  constructor(options: LinearLROptions) {
    super(options);
    this.#steps = checkInteger('totalSteps', options.totalSteps, 1);
    this.#start = checkPositive('startFactor', checkWithin('startFactor', options.startFactor ?? 1 / 3, 0, 1));
    this.#end = checkWithin('endFactor', options.endFactor ?? 1, 0, 1);
  }

  rateAt(epoch: number): number {
    return this.base * (this.#start + ((this.#end - this.#start) * Math.min(epoch, this.#steps)) / this.#steps);
  }
}
