import { shown } from '../../check.js';
import { InputError } from '../../errors.js';
import {
  checkInteger,
  checkOptions,
  checkPositive,
  checkRate,
  checkRising,
  Decay,
  type DecayOptions,
  LRScheduler,
  type LRSchedulerOptions,
} from './schedule.js';

/** Schedules that stay constant between a few steps down. */

export interface PiecewiseDecayOptions extends LRSchedulerOptions {
  /** Epochs at which the next value begins, rising. */
  readonly boundaries: readonly number[];
  /** One rate more than there are boundaries. */
  readonly values: readonly number[];
}

/** One value up to each boundary, and the last one after it. */
export class PiecewiseDecay extends LRScheduler {
  static readonly kind: string = 'PiecewiseDecay';

  readonly #boundaries: readonly number[];
  readonly #values: readonly number[];

  constructor(options: PiecewiseDecayOptions) {
    super(checkOptions(options));
    const { boundaries, values } = options;
    this.#boundaries = checkRising('boundaries', boundaries);
    if (!Array.isArray(values)) throw new InputError(`[lr] values: expected an array of rates, got ${shown(values)}`);
    if (values.length !== boundaries.length + 1) {
      throw new InputError(
        `[lr] values: expected ${boundaries.length + 1}, one more than boundaries, got ${values.length}`,
      );
    }
    this.#values = values.map((value: number, i) => checkRate(`values[${i}]`, value));
  }

  rateAt(epoch: number): number {
    const piece = this.#boundaries.findIndex((boundary) => epoch < boundary);
    return this.#values[piece < 0 ? this.#boundaries.length : piece];
  }
}

export interface MultiStepDecayOptions extends DecayOptions {
  /** Rising epochs. */
  readonly milestones: readonly number[];
  /** Default: 0.1. */
  readonly gamma?: number;
}

/** rate·gamma^(number of milestones passed) */
export class MultiStepDecay extends Decay {
  static readonly kind: string = 'MultiStepDecay';

  readonly #milestones: readonly number[];
  readonly #gamma: number;

  constructor(options: MultiStepDecayOptions) {
    super(options);
    this.#milestones = checkRising('milestones', options.milestones);
    this.#gamma = checkPositive('gamma', options.gamma ?? 0.1, 1);
  }

  rateAt(epoch: number): number {
    return this.base * this.#gamma ** this.#milestones.filter((milestone) => epoch >= milestone).length;
  }
}

export interface StepDecayOptions extends DecayOptions {
  readonly stepSize: number;
  /** Default: 0.1. */
  readonly gamma?: number;
}

/** rate·gamma^⌊epoch / stepSize⌋ */
export class StepDecay extends Decay {
  static readonly kind: string = 'StepDecay';

  readonly #size: number;
  readonly #gamma: number;

  constructor(options: StepDecayOptions) {
    super(options);
    this.#size = checkInteger('stepSize', options.stepSize, 1);
    this.#gamma = checkPositive('gamma', options.gamma ?? 0.1, 1);
  }

  rateAt(epoch: number): number {
    return this.base * this.#gamma ** Math.floor(epoch / this.#size);
  }
}
