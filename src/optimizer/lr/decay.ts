import { InputError } from '../../errors.js';
import {
  checkInteger,
  checkPositive,
  checkRate,
  checkRising,
  checkWithin,
  type DecayOptions,
  LRScheduler,
  type LRSchedulerOptions,
  type ScheduleState,
} from './schedule.js';

/** A schedule that begins with a rate. */
abstract class Decay extends LRScheduler {
  protected readonly base: number;

  constructor(options: DecayOptions) {
    super(options);
    this.base = checkRate('learningRate', options.learningRate);
  }
}

export interface NoamDecayOptions extends LRSchedulerOptions {
  /** Width of the model. */
  readonly dModel: number;
  readonly warmupSteps: number;
  /** A factor of all rates (1). */
  readonly learningRate?: number;
}

/** rate·dModel^−½·min(epoch^−½, epoch·warmupSteps^−1.5): Vaswani et al., 2017. It begins with 0. */
export class NoamDecay extends LRScheduler {
  static readonly kind: string = 'NoamDecay';

  readonly #factor: number;
  readonly #warmup: number;

  constructor(options: NoamDecayOptions) {
    super(options);
    this.#factor =
      checkRate('learningRate', options.learningRate ?? 1) * checkPositive('dModel', options.dModel) ** -0.5;
    this.#warmup = checkPositive('warmupSteps', options.warmupSteps) ** -1.5;
  }

  rateAt(epoch: number): number {
    return this.#factor * Math.min(epoch === 0 ? 1 : epoch ** -0.5, this.#warmup * epoch);
  }
}

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
    super(options);
    const { boundaries, values } = options;
    this.#boundaries = checkRising('boundaries', boundaries);
    if (values.length !== boundaries.length + 1) {
      throw new InputError(
        `[lr] values: expected ${boundaries.length + 1}, one more than boundaries, got ${values.length}`,
      );
    }
    this.#values = values.map((value, i) => checkRate(`values[${i}]`, value));
  }

  rateAt(epoch: number): number {
    const piece = this.#boundaries.findIndex((boundary) => epoch < boundary);
    return this.#values[piece < 0 ? this.#boundaries.length : piece];
  }
}

export interface GammaOptions extends DecayOptions {
  readonly gamma: number;
}

/** rate·e^(−gamma·epoch) */
export class NaturalExpDecay extends Decay {
  static readonly kind: string = 'NaturalExpDecay';

  readonly #gamma: number;

  constructor(options: GammaOptions) {
    super(options);
    this.#gamma = checkPositive('gamma', options.gamma);
  }

  rateAt(epoch: number): number {
    return this.base * Math.exp(-this.#gamma * epoch);
  }
}

/** rate / (1 + gamma·epoch) */
export class InverseTimeDecay extends Decay {
  static readonly kind: string = 'InverseTimeDecay';

  readonly #gamma: number;

  constructor(options: GammaOptions) {
    super(options);
    this.#gamma = checkRate('gamma', options.gamma);
  }

  rateAt(epoch: number): number {
    return this.base / (1 + this.#gamma * epoch);
  }
}

/** rate·gamma^epoch, with gamma between 0 and 1 */
export class ExponentialDecay extends Decay {
  static readonly kind: string = 'ExponentialDecay';

  readonly #gamma: number;

  constructor(options: GammaOptions) {
    super(options);
    this.#gamma = checkPositive('gamma', options.gamma, 1);
  }

  rateAt(epoch: number): number {
    return this.base * this.#gamma ** epoch;
  }
}

export interface PolynomialDecayOptions extends DecayOptions {
  readonly decaySteps: number;
  /** Default: 0.0001. */
  readonly endLr?: number;
  /** Default: 1. */
  readonly power?: number;
  /** Starts again with a longer period each time that the end is reached (false). */
  readonly cycle?: boolean;
}

/** (rate − endLr)·(1 − epoch/decaySteps)^power + endLr */
export class PolynomialDecay extends Decay {
  static readonly kind: string = 'PolynomialDecay';

  readonly #steps: number;
  readonly #end: number;
  readonly #power: number;
  readonly #cycle: boolean;

  constructor(options: PolynomialDecayOptions) {
    super(options);
    this.#steps = checkInteger('decaySteps', options.decaySteps, 1);
    this.#end = checkRate('endLr', options.endLr ?? 0.0001);
    this.#power = checkPositive('power', options.power ?? 1);
    this.#cycle = options.cycle ?? false;
  }

  rateAt(epoch: number): number {
    const steps = this.#cycle ? this.#steps * Math.max(1, Math.ceil(epoch / this.#steps)) : this.#steps;
    const done = this.#cycle ? epoch : Math.min(epoch, this.#steps);
    return (this.base - this.#end) * (1 - done / steps) ** this.#power + this.#end;
  }
}

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
    super(options);
    const { learningRate } = options;
    this.#after = typeof learningRate === 'number' ? checkRate('learningRate', learningRate) : learningRate;
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

export interface LambdaOptions extends DecayOptions {
  /** The factor of an epoch. It must be the same at each call with that epoch, or no run could be resumed. */
  readonly lrLambda: (epoch: number) => number;
}

/** rate·lrLambda(epoch) */
export class LambdaDecay extends Decay {
  static readonly kind: string = 'LambdaDecay';

  readonly #lambda: LambdaOptions['lrLambda'];

  constructor(options: LambdaOptions) {
    super(options);
    this.#lambda = options.lrLambda;
  }

  rateAt(epoch: number): number {
    return this.base * this.#lambda(epoch);
  }
}

/** rate·lrLambda(1)·…·lrLambda(epoch) */
export class MultiplicativeDecay extends Decay {
  static readonly kind: string = 'MultiplicativeDecay';

  readonly #lambda: LambdaOptions['lrLambda'];
  // The product so far, so that a long training does not multiply all factors again at each step.
  #known = { epoch: 0, rate: Number.NaN };

  constructor(options: LambdaOptions) {
    super(options);
    this.#lambda = options.lrLambda;
    this.#known.rate = this.base;
  }

  rateAt(epoch: number): number {
    let { epoch: at, rate } = this.#known.epoch <= epoch ? this.#known : { epoch: 0, rate: this.base };
    while (at < epoch) rate *= this.#lambda(++at);
    this.#known = { epoch, rate };
    return rate;
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
