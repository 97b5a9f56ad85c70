import { checkChoice, checkInteger, checkPositive, checkRate, Schedule, type ScheduleState } from './schedule.js';

export interface ReduceOnPlateauOptions {
  /** The rate to begin with. */
  readonly learningRate: number;
  /** Whether the figure shall become small (`min`, default) or large. */
  readonly mode?: 'min' | 'max';
  /** What the rate is multiplied by (0.1). */
  readonly factor?: number;
  /** Steps without a better figure that are put up with (10). */
  readonly patience?: number;
  /** How much better is better (0.0001), */
  readonly threshold?: number;
  /** as a share of the best figure (`rel`, default) or in its own unit. */
  readonly thresholdMode?: 'rel' | 'abs';
  /** Steps after a reduction in which figures are not looked at (0). */
  readonly cooldown?: number;
  /** Default: 0. */
  readonly minLr?: number;
  /** A reduction by no more than this is left out (1e-8). */
  readonly epsilon?: number;
}

/** Reduces the rate when a figure, usually a loss, gets no better. */
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
    const { mode = 'min', thresholdMode = 'rel', learningRate } = options;
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

  /** Whether the metric shall become small or large. */
  get mode(): 'min' | 'max' {
    return this.#options.mode;
  }

  get lastEpoch(): number {
    return this.#lastEpoch;
  }

  getLr(): number {
    return this.#lastLr;
  }

  /** Takes the newest figure, and reduces the rate if it is time. */
  step(metric: number, epoch = this.#lastEpoch + 1): void {
    const { patience, cooldown, factor, minLr, epsilon } = this.#options;
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

  setStateDict({ lastEpoch, lastLr, best = null, badEpochs = 0, cooldownCounter = 0 }: ScheduleState): void {
    this.#lastEpoch = checkInteger('lastEpoch', lastEpoch, 0);
    this.#lastLr = checkRate('lastLr', lastLr);
    this.#best = best;
    this.#badEpochs = checkInteger('badEpochs', badEpochs, 0);
    this.#cooldown = checkInteger('cooldownCounter', cooldownCounter, 0);
  }

  #isBetter(figure: number, best: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const margin = thresholdMode === 'rel' ? best * threshold : threshold;
    return mode === 'min' ? figure < best - margin : figure > best + margin;
  }
}
