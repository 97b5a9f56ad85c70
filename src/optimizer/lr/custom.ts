import { Decay, type DecayOptions } from './schedule.js';

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
