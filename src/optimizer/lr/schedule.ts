import * as check from '../../check.js';
import { inspect } from '../../inspection.js';
import { kindOf } from '../../kind.js';

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

  toString(): string {
    return `${kindOf(this)}(lastEpoch=${this.lastEpoch})`;
  }

  [inspect](): string {
    return this.toString();
  }

  toJSON(): { readonly type: string; readonly lastEpoch: number } {
    return { type: kindOf(this), lastEpoch: this.lastEpoch };
  }
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

  constructor(options: LRSchedulerOptions = {}) {
    super();
    this.#lastEpoch = checkInteger('lastEpoch', checkOptions(options).lastEpoch ?? -1, -1) + 1;
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

  setStateDict(state: ScheduleState): void {
    this.step(checkOptions(state).lastEpoch);
  }
}

/** A schedule that begins with a rate. */
export abstract class Decay extends LRScheduler {
  protected readonly base: number;

  constructor(options: DecayOptions) {
    super(checkOptions(options));
    this.base = checkRate('learningRate', options.learningRate);
  }
}

// The checks of all schedules, under one name in messages.

const checked = <T>(what: string, value: unknown, one: check.Check<T>): T => check.requireValue('lr', what, value, one);

/** The options of a schedule, which say everything that it needs. */
export function checkOptions<T extends object>(options: T): T {
  checked('options', options, check.record);
  return options;
}

export function checkInteger(what: string, value: number, least: number): number {
  return checked(what, value, check.integer(least));
}

/** Any number but NaN. */
export function checkNumber(what: string, value: number): number {
  return checked(what, value, check.anyNumber);
}

/** A finite number of at least 0. */
export function checkRate(what: string, value: number): number {
  return checked(what, value, check.nonNegative);
}

/** A finite number above 0, and below `below` if there is such a bound. */
export function checkPositive(what: string, value: number, below = Number.POSITIVE_INFINITY): number {
  const within = check.rule<number>(`a number between 0 and ${below}`, (x) => check.positive.is(x) && x < below);
  return checked(what, value, below === Number.POSITIVE_INFINITY ? check.positive : within);
}

/** A number of at least `least` and at most `most`. */
export function checkWithin(what: string, value: number, least: number, most: number): number {
  const within = (x: unknown) => check.finite.is(x) && x >= least && x <= most;
  return checked(what, value, check.rule(`a number from ${least} to ${most}`, within));
}

/** One of a few words. */
export function checkChoice<T extends string>(what: string, value: T, choices: readonly T[]): T {
  return checked(what, value, check.oneOf(choices));
}

export function checkFlag(what: string, value: boolean): boolean {
  return checked(what, value, check.flag);
}

/** A function of a number. */
export function checkFunction(what: string, value: (x: number) => number): (x: number) => number {
  return checked(what, value, check.callable as check.Check<(x: number) => number>);
}

/** At least one number, each larger than the one before. */
export function checkRising(what: string, values: readonly number[]): readonly number[] {
  const isRising = (x: unknown) => {
    return Array.isArray(x) && x.length > 0 && x.every((value, i) => check.finite.is(value) && !(value <= x[i - 1]));
  };
  return [...checked(what, values, check.rule<readonly number[]>('rising numbers', isRising))];
}
