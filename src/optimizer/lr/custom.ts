import { InputError } from '../../errors.js';
import { checkFunction, checkRate, Decay, type DecayOptions } from './schedule.js';

/** Schedules by a function of the user. */

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
    this.#lambda = checkFunction('lrLambda', options.lrLambda);
  }

  rateAt(epoch: number): number {
    return this.base * checkFactor(this.#lambda, epoch);
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
    this.#lambda = checkFunction('lrLambda', options.lrLambda);
    this.#known.rate = this.base;
  }

  rateAt(epoch: number): number {
    checkSteps(epoch - (this.#known.epoch <= epoch ? this.#known.epoch : 0));
    let { epoch: at, rate } = this.#known.epoch <= epoch ? this.#known : { epoch: 0, rate: this.base };
    while (at < epoch) rate *= checkFactor(this.#lambda, ++at);
    this.#known = { epoch, rate };
    return rate;
  }
}

/** The factor of an epoch, which a function of the user gives. */
function checkFactor(lambda: LambdaOptions['lrLambda'], epoch: number): number {
  return checkRate(`lrLambda(${epoch})`, lambda(epoch));
}

/** The most factors that a rate is computed from at once: more would take minutes. */
const mostFactors = 100_000_000;

function checkSteps(steps: number): void {
  if (steps <= mostFactors) return;
  throw new InputError(`[lr] MultiplicativeDecay: expected at most ${mostFactors} steps at once, got ${steps}`);
}
