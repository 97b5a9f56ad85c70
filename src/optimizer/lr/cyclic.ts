import { InputError } from '../../errors.js';
import {
  checkChoice,
  checkFlag,
  checkFunction,
  checkInteger,
  checkOptions,
  checkPositive,
  checkRate,
  checkWithin,
  type DecayOptions,
  LRScheduler,
  type LRSchedulerOptions,
} from './schedule.js';

export interface CosineAnnealingDecayOptions extends DecayOptions {
  /** Half a period: epochs from the highest rate to the lowest. */
  readonly tMax: number;
  /** The lowest rate (0). */
  readonly etaMin?: number;
}

/** etaMin + (rate − etaMin)·(1 + cos(π·epoch/tMax))/2: SGDR (Loshchilov & Hutter, 2017) without restarts. */
export class CosineAnnealingDecay extends LRScheduler {
  static readonly kind: string = 'CosineAnnealingDecay';

  readonly #base: number;
  readonly #tMax: number;
  readonly #min: number;

  constructor(options: CosineAnnealingDecayOptions) {
    super(checkOptions(options));
    this.#base = checkRate('learningRate', options.learningRate);
    this.#tMax = checkInteger('tMax', options.tMax, 1);
    this.#min = checkRate('etaMin', options.etaMin ?? 0);
  }

  rateAt(epoch: number): number {
    return cosine(this.#base, this.#min, epoch / this.#tMax);
  }
}

export interface CosineAnnealingWarmRestartsOptions extends DecayOptions {
  /** Epochs of the first period. */
  readonly t0: number;
  /** Each period is this many times as long as the one before (1). */
  readonly tMult?: number;
  /** The lowest rate (0). */
  readonly etaMin?: number;
}

/** From rate to etaMin by a cosine, over and over: SGDR (Loshchilov & Hutter, 2017). */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  static readonly kind: string = 'CosineAnnealingWarmRestarts';

  readonly #base: number;
  readonly #t0: number;
  readonly #tMult: number;
  readonly #min: number;

  constructor(options: CosineAnnealingWarmRestartsOptions) {
    super(checkOptions(options));
    this.#base = checkRate('learningRate', options.learningRate);
    this.#t0 = checkInteger('t0', options.t0, 1);
    this.#tMult = checkInteger('tMult', options.tMult ?? 1, 1);
    this.#min = checkRate('etaMin', options.etaMin ?? 0);
  }

  rateAt(epoch: number): number {
    let length = this.#t0;
    let at = this.#tMult === 1 ? epoch % length : epoch;
    for (; at >= length; length *= this.#tMult) at -= length;
    return cosine(this.#base, this.#min, at / length);
  }
}

export interface OneCycleLROptions extends LRSchedulerOptions {
  readonly maxLearningRate: number;
  readonly totalSteps: number;
  /** The first rate is maxLearningRate / divideFactor (25). */
  readonly divideFactor?: number;
  /** Default: 0.0001. */
  readonly endLearningRate?: number;
  /** Share of the steps in which the rate rises (0.3). */
  readonly phasePct?: number;
  /** Default: `cos`. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** Falls to the first rate in as many steps as it rose, and then to the end rate (false). */
  readonly threePhase?: boolean;
}

/** A part of a cycle: from step `begin` on, `size` steps long, from one rate to another. */
interface Phase {
  readonly begin: number;
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Up to the largest rate, then down to a tiny one: super-convergence (Smith & Topin, 2018).
 *
 * @throws {InputError} beyond totalSteps
 */
export class OneCycleLR extends LRScheduler {
  static readonly kind: string = 'OneCycleLR';

  readonly #steps: number;
  readonly #phases: readonly Phase[];
  readonly #anneal: (from: number, to: number, share: number) => number;

  constructor(options: OneCycleLROptions) {
    super(checkOptions(options));
    const { threePhase = false, annealStrategy = 'cos' } = options;
    checkFlag('threePhase', threePhase);
    const top = checkRate('maxLearningRate', options.maxLearningRate);
    const first = top / checkPositive('divideFactor', options.divideFactor ?? 25);
    const end = checkRate('endLearningRate', options.endLearningRate ?? 0.0001);
    const share = checkWithin('phasePct', options.phasePct ?? 0.3, 0, threePhase ? 0.5 : 1);
    this.#steps = checkInteger('totalSteps', options.totalSteps, 1);
    this.#anneal = checkChoice('annealStrategy', annealStrategy, ['cos', 'linear']) === 'cos' ? cosine : line;
    const turns = [0, share * this.#steps - 1, ...(threePhase ? [2 * share * this.#steps - 2] : []), this.#steps - 1];
    const rates = [first, top, ...(threePhase ? [first] : []), end];
    this.#phases = turns.slice(1).map((turn, i) => {
      return { begin: turns[i], size: turn - turns[i], from: rates[i], to: rates[i + 1] };
    });
  }

  rateAt(epoch: number): number {
    if (epoch > this.#steps) {
      throw new InputError(`[lr] OneCycleLR: expected at most totalSteps = ${this.#steps} steps, got ${epoch}`);
    }
    const phases = this.#phases;
    const { begin, size, from, to } =
      phases.find((phase) => epoch <= phase.begin + phase.size) ?? phases[phases.length - 1];
    return this.#anneal(from, to, (epoch - begin) / size);
  }
}

export interface CyclicLROptions extends LRSchedulerOptions {
  readonly baseLearningRate: number;
  readonly maxLearningRate: number;
  /** Steps from the lowest rate to the highest. */
  readonly stepSizeUp: number;
  /** Steps from the highest rate to the lowest; default: the same number. */
  readonly stepSizeDown?: number;
  /**
   * The height of all cycles is the same (default), halves with each cycle, or shrinks by expGamma per step.
   */
  readonly mode?: 'triangular' | 'triangular2' | 'exp_range';
  /** Default: 1. */
  readonly expGamma?: number;
  /** Gives the height instead of the mode, from the number of the cycle (from 1) or step (from 0). */
  readonly scaleFn?: (x: number) => number;
  /** The argument of scaleFn (cycle). */
  readonly scaleMode?: 'cycle' | 'iterations';
}

/** Up and down in straight lines, over and over (Smith, 2017). */
export class CyclicLR extends LRScheduler {
  static readonly kind: string = 'CyclicLR';

  readonly #base: number;
  readonly #amplitude: number;
  readonly #size: number;
  readonly #up: number;
  readonly #scale: (cycle: number, iteration: number) => number;

  constructor(options: CyclicLROptions) {
    super(checkOptions(options));
    const { mode = 'triangular', expGamma = 1, scaleFn, scaleMode = 'cycle' } = options;
    this.#base = checkRate('baseLearningRate', options.baseLearningRate);
    this.#amplitude = checkRate('maxLearningRate', options.maxLearningRate) - this.#base;
    const up = checkInteger('stepSizeUp', options.stepSizeUp, 1);
    this.#size = up + checkInteger('stepSizeDown', options.stepSizeDown ?? up, 1);
    this.#up = up / this.#size;
    const heights = {
      triangular: () => 1,
      triangular2: (cycle: number) => 0.5 ** (cycle - 1),
      exp_range: (_: number, iteration: number) => expGamma ** iteration,
    };
    if (scaleFn !== undefined) checkFunction('scaleFn', scaleFn);
    checkPositive('expGamma', expGamma);
    checkChoice('scaleMode', scaleMode, ['cycle', 'iterations']);
    this.#scale =
      scaleFn === undefined
        ? heights[checkChoice('mode', mode, ['triangular', 'triangular2', 'exp_range'])]
        : (cycle, iteration) => {
            const x = scaleMode === 'cycle' ? cycle : iteration;
            return checkRate(`scaleFn(${x})`, scaleFn(x));
          };
  }

  rateAt(epoch: number): number {
    const cycle = 1 + Math.floor(epoch / this.#size);
    const at = 1 + epoch / this.#size - cycle;
    const height = at <= this.#up ? at / this.#up : (1 - at) / (1 - this.#up);
    return this.#base + this.#amplitude * height * this.#scale(cycle, epoch);
  }
}

/** Half a cosine wave, from one rate to another. */
function cosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}

function line(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}
