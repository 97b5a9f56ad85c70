import {
  checkFlag,
  checkInteger,
  checkOptions,
  checkPositive,
  checkRate,
  Decay,
  type DecayOptions,
  LRScheduler,
  type LRSchedulerOptions,
} from './schedule.js';

/** Schedules along a curve. */

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
    super(checkOptions(options));
    this.#factor =
      checkRate('learningRate', options.learningRate ?? 1) * checkPositive('dModel', options.dModel) ** -0.5;
    this.#warmup = checkPositive('warmupSteps', options.warmupSteps) ** -1.5;
  }

  rateAt(epoch: number): number {
    return this.#factor * Math.min(epoch === 0 ? 1 : epoch ** -0.5, this.#warmup * epoch);
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
    super(checkOptions(options));
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
    super(checkOptions(options));
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
    super(checkOptions(options));
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
    super(checkOptions(options));
    this.#steps = checkInteger('decaySteps', options.decaySteps, 1);
    this.#end = checkRate('endLr', options.endLr ?? 0.0001);
    this.#power = checkPositive('power', options.power ?? 1);
    this.#cycle = checkFlag('cycle', options.cycle ?? false);
  }

  rateAt(epoch: number): number {
    const steps = this.#cycle ? this.#steps * Math.max(1, Math.ceil(epoch / this.#steps)) : this.#steps;
    const done = this.#cycle ? epoch : Math.min(epoch, this.#steps);
    return (this.base - this.#end) * (1 - done / steps) ** this.#power + this.#end;
  }
}
