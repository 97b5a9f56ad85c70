import {
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  checkPositive,
  checkRate,
  Schedule,
  type ScheduleState,
} from './schedule.js';

export interface ReduceOnPlateauOptions {
  /** The rate to begin with. */
  readonly learningRate: number;
  /** Whether a better metric is smaller (`min`, default) or larger. */
  readonly mode?: 'min' | 'max';
  /** A reduction multiplies the rate by this factor (0.1). */
  readonly factor?: number;
  /** Number of steps without a better metric before a reduction (10). */
  readonly patience?: number;
  /** The smallest change that counts as better (0.0001), */
  readonly threshold?: number;
  /** as a share of the best metric (`rel`, default) or in the metric's own unit. */
  readonly thresholdMode?: 'rel' | 'abs';
  /** Number of steps after a reduction in which the metric is ignored (0). */
  readonly cooldown?: number;
  /** Default: 0. */
  readonly minLr?: number;
  /** A reduction by this much or less is not made (1e-8). */
  readonly epsilon?: number;
}

/** Reduces the rate when a metric, usually a loss, does not get better. */
export class ReduceOnPlateau extends Schedule {
  static readonly kind: string = 'ReduceOnPlateau';

  readonly #options: Required<ReduceOnPlateauOptions>;
  #lastLr: number;
  #lastEpoch = 0;
  #best: number | null = null;
  #badEpochs = 0;
  #cooldown = 0;

  constructor(options: ReduceOnPlateauOptions) {
    super();
    const { mode = 'min', thresholdMode = 'rel', learningRate } = checkOptions(options);
    this.#options = {
      learningRate: checkRate('learningRate', learningRate),
      mode: checkChoice('mode', mode, ['min', 'max']),
      factor: checkPositive('factor', options.factor ?? 0.1, 1),
      patience: checkInteger('patience', options.patience ?? 10, 0),
      threshold: checkRate('threshold', options.threshold ?? 1e-4),
      thresholdMode: checkChoice('thresholdMode', thresholdMode, ['rel', 'abs']),
      cooldown: checkInteger('cooldown', options.cooldown ?? 0, 0),
      minLr: checkRate('minLr', options.minLr ?? 0),
      epsilon: checkRate('epsilon', options.epsilon ?? 1e-8),
    };
    this.#lastLr = learningRate;
  }

  /** Whether a better metric is smaller or larger. */
  get mode(): 'min' | 'max' {
    return this.#options.mode;
  }

  get lastEpoch(): number {
    return this.#lastEpoch;
  }

  getLr(): number {
    return this.#lastLr;
  }

  /** Takes the newest metric, and reduces the rate if it is time. */
  step(metric: number, epoch = this.#lastEpoch + 1): void {
    const { patience, cooldown, factor, minLr, epsilon } = this.#options;
    checkNumber('metric', metric);
    this.#lastEpoch = checkInteger('epoch', epoch, 0);
    if (this.#cooldown > 0) {
      this.#cooldown--;
      return;
    }
    if (this.#best === null || this.#isBetter(metric, this.#best)) {
      this.#best = metric;
      this.#badEpochs = 0;
    } else this.#badEpochs++;
    if (this.#badEpochs <= patience) return;
    this.#cooldown = cooldown;
    this.#badEpochs = 0;
    const reduced = Math.max(this.#lastLr * factor, minLr);
    if (this.#lastLr - reduced > epsilon) this.#lastLr = reduced;
  }

  override stateDict(): ScheduleState {
    return {
      ...super.stateDict(),
      best: this.#best,
      badEpochs: this.#badEpochs,
      cooldownCounter: this.#cooldown,
    };
  }

  setStateDict(state: ScheduleState): void {
    const { lastEpoch, lastLr, best = null, badEpochs = 0, cooldownCounter = 0 } = checkOptions(state);
    this.#lastEpoch = checkInteger('lastEpoch', lastEpoch, 0);
    this.#lastLr = checkRate('lastLr', lastLr);
    this.#best = best === null ? null : checkNumber('best', best);
    this.#badEpochs = checkInteger('badEpochs', badEpochs, 0);
    this.#cooldown = checkInteger('cooldownCounter', cooldownCounter, 0);
  }

  #isBetter(value: number, best: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const margin = thresholdMode === 'rel' ? best * threshold : threshold;
    return mode === 'min' ? value < best - margin : value > best + margin;
  }
}
