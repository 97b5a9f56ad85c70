import { InputError } from '../../errors.js';

/** The result of {@link Schedule.stateDict}: plain JSON. */
export interface ScheduleState {
  readonly lastEpoch: number;
  /** The rate. Schedules that compute it from `lastEpoch` save it for people only. */
  readonly lastLr: number;
  /** The state of a schedule within this one. */
  readonly inner?: ScheduleState | undefined;
  /** These are from {@link ReduceOnPlateau}. */
  readonly best?: number | null | undefined;
  readonly badEpochs?: number | undefined;
  readonly cooldownCounter?: number | undefined;
}

/** A learning rate that changes. Optimizers take it instead of a number. */
export abstract class Schedule {
  /** The number of steps so far. */
  abstract readonly lastEpoch: number;

  /** The present learning rate. */
  abstract getLr(): number;

  /** The state to save, so that a training can be resumed from it. */
  stateDict(): ScheduleState {
    return { lastEpoch: this.lastEpoch, lastLr: this.getLr() };
  }

  /**
   * Restores a state that {@link stateDict} gave.
   *
   * @throws {InputError} for the state of another kind of schedule
   */
  abstract setStateDict(state: ScheduleState): void;
}

export interface LRSchedulerOptions {
  /** The number of steps so far, less 1 (-1). As in Paddle, making a schedule counts as its first step. */
  readonly lastEpoch?: number;
}

export interface DecayOptions extends LRSchedulerOptions {
  /** The rate to begin with. */
  readonly learningRate: number;
}

/**
 * Base class of schedules that depend on the number of steps alone. Derive from it and write {@link rateAt}.
 * The caller of {@link step} decides whether a step is a batch or an epoch.
 */
export abstract class LRScheduler extends Schedule {
  #lastEpoch: number;

  constructor({ lastEpoch = -1 }: LRSchedulerOptions = {}) {
    super();
    this.#lastEpoch = checkInteger('lastEpoch', lastEpoch, -1) + 1;
  }

  /** The learning rate after that number of steps; 0 is the beginning. */
  abstract rateAt(epoch: number): number;

  get lastEpoch(): number {
    return this.#lastEpoch;
  }

  getLr(): number {
    return this.rateAt(this.#lastEpoch);
  }

  /** Takes the next rate, or that of a given epoch. */
  step(epoch = this.#lastEpoch + 1): void {
    this.#lastEpoch = checkInteger('epoch', epoch, 0);
  }

  setStateDict({ lastEpoch }: ScheduleState): void {
    this.step(lastEpoch);
  }
}

/** A schedule that begins with a rate. */
export abstract class Decay extends LRScheduler {
  protected readonly base: number;

  constructor(options: DecayOptions) {
    super(options);
    this.base = checkRate('learningRate', options.learningRate);
  }
}

function fail(what: string, expected: string, got: unknown): never {
  throw new InputError(`[lr] ${what}: expected ${expected}, got ${String(got)}`);
}

export function checkInteger(what: string, value: number, least: number): number {
  return Number.isSafeInteger(value) && value >= least ? value : fail(what, `an integer from ${least} on`, value);
}

/** A finite number of at least 0. */
export function checkRate(what: string, value: number): number {
  return value >= 0 && Number.isFinite(value) ? value : fail(what, 'a finite number of at least 0', value);
}

/** A finite number above 0, and below `below` if there is such a bound. */
export function checkPositive(what: string, value: number, below = Number.POSITIVE_INFINITY): number {
  if (value > 0 && value < below) return value;
  return fail(what, below === Number.POSITIVE_INFINITY ? 'a number above 0' : `a number between 0 and ${below}`, value);
}

/** A number of at least `least` and at most `most`. */
export function checkWithin(what: string, value: number, least: number, most: number): number {
  return value >= least && value <= most ? value : fail(what, `a number from ${least} to ${most}`, value);
}

/** One of a few words. */
export function checkChoice<T extends string>(what: string, value: T, choices: readonly T[]): T {
  return choices.includes(value) ? value : fail(what, choices.join(' or '), value);
}

/** At least one number, each larger than the one before. */
export function checkRising(what: string, values: readonly number[]): readonly number[] {
  const rising = values.length > 0 && values.every((value, i) => i === 0 || value > values[i - 1]);
  return rising ? values : fail(what, 'rising numbers', `[${values}]`);
}
