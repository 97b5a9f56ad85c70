import { type Effects, requireEffect } from '../effect.js';
import { InputError } from '../errors.js';
import { lr } from '../optimizer/index.js';
import type { Json } from '../text/json.js';
import { nearestName } from '../text/suggest.js';

/** A schedule of the learning rate by name, as plain data. */
export interface ScheduleSettings {
  /** As in `paddle.optimizer.lr`: `CosineAnnealingDecay`. */
  readonly name: string;
  /**
   * Whether it advances after each step or after each epoch. `ReduceOnPlateau` advances after each
   * evaluation.
   */
  readonly by: 'step' | 'epoch';
  readonly options: Readonly<Record<string, Json>>;
}

type Options = Readonly<Record<string, Json | undefined>>;

interface ScheduleKind {
  readonly options: readonly string[];
  /** Conditions under which its options, and `by`, have an effect. */
  readonly effects?: Effects<Options>;
  /** @param total steps or epochs of the whole training */
  make(learningRate: number, options: Readonly<Record<string, never>>, total: number): lr.Schedule;
}

/** Schedules that plain data can describe. The recipe has the learning rate, or the highest one. */
const kinds: Readonly<Record<string, ScheduleKind>> = {
  NoamDecay: {
    options: ['dModel', 'warmupSteps'],
    make: (learningRate, { dModel, warmupSteps }) => new lr.NoamDecay({ learningRate, dModel, warmupSteps }),
  },
  PiecewiseDecay: {
    options: ['boundaries', 'values'],
    make: (_, { boundaries, values }) => new lr.PiecewiseDecay({ boundaries, values }),
  },
  NaturalExpDecay: {
    options: ['gamma'],
    make: (learningRate, { gamma }) => new lr.NaturalExpDecay({ learningRate, gamma }),
  },
  InverseTimeDecay: {
    options: ['gamma'],
    make: (learningRate, { gamma }) => new lr.InverseTimeDecay({ learningRate, gamma }),
  },
  ExponentialDecay: {
    options: ['gamma'],
    make: (learningRate, { gamma }) => new lr.ExponentialDecay({ learningRate, gamma }),
  },
  PolynomialDecay: {
    options: ['decaySteps', 'endLr', 'power', 'cycle'],
    make: (learningRate, options, total) => new lr.PolynomialDecay({ decaySteps: total, ...options, learningRate }),
  },
  LinearWarmup: {
    options: ['warmupSteps', 'startLr', 'after'],
    effects: {
      after: ({ after }) => (hasBy(after) ? 'by of the schedule after LinearWarmup is that of LinearWarmup' : null),
    },
    make: (endLr, { warmupSteps, startLr = 0, after }, total) => {
      const then = after === undefined ? endLr : makeSchedule(readSchedule(after), endLr, total - warmupSteps);
      if (!(typeof then === 'number' || then instanceof lr.LRScheduler)) {
        throw new InputError(
          '[schedule] LinearWarmup: after: expected a schedule that goes by steps, got ReduceOnPlateau',
        );
      }
      return new lr.LinearWarmup({ learningRate: then, warmupSteps, startLr, endLr });
    },
  },
  MultiStepDecay: {
    options: ['milestones', 'gamma'],
    make: (learningRate, { milestones, ...options }) => new lr.MultiStepDecay({ ...options, milestones, learningRate }),
  },
  StepDecay: {
    options: ['stepSize', 'gamma'],
    make: (learningRate, { stepSize, ...options }) => new lr.StepDecay({ ...options, stepSize, learningRate }),
  },
  LinearLR: {
    options: ['totalSteps', 'startFactor', 'endFactor'],
    make: (learningRate, options, total) => new lr.LinearLR({ totalSteps: total, ...options, learningRate }),
  },
  CosineAnnealingDecay: {
    options: ['tMax', 'etaMin'],
    make: (learningRate, options, total) => new lr.CosineAnnealingDecay({ tMax: total, ...options, learningRate }),
  },
  CosineAnnealingWarmRestarts: {
    options: ['t0', 'tMult', 'etaMin'],
    make: (learningRate, { t0, ...options }) => new lr.CosineAnnealingWarmRestarts({ ...options, t0, learningRate }),
  },
  OneCycleLR: {
    options: ['totalSteps', 'divideFactor', 'endLearningRate', 'phasePct', 'annealStrategy', 'threePhase'],
    make: (maxLearningRate, options, total) => {
      // Paddle's default, which a low rate would climb to in the end.
      const { endLearningRate = 1e-4 } = options;
      if (endLearningRate >= maxLearningRate) {
        throw new InputError(
          `[schedule] OneCycleLR: endLearningRate: expected less than the highest rate ${maxLearningRate}, got ` +
            `${endLearningRate}${options.endLearningRate === undefined ? ' (the default)' : ''}; give it, 0 say`,
        );
      }
      return new lr.OneCycleLR({ totalSteps: total, ...options, maxLearningRate });
    },
  },
  CyclicLR: {
    options: ['baseLearningRate', 'stepSizeUp', 'stepSizeDown', 'mode', 'expGamma'],
    effects: {
      expGamma: ({ mode }) => (mode === 'exp_range' ? null : 'CyclicLR has a use for it with mode exp_range alone'),
    },
    make: (maxLearningRate, { baseLearningRate, stepSizeUp, ...options }) =>
      new lr.CyclicLR({ ...options, baseLearningRate, stepSizeUp, maxLearningRate }),
  },
  ReduceOnPlateau: {
    options: ['mode', 'factor', 'patience', 'threshold', 'thresholdMode', 'cooldown', 'minLr', 'epsilon'],
    effects: { by: () => 'ReduceOnPlateau advances after each evaluation' },
    make: (learningRate, options) => new lr.ReduceOnPlateau({ ...options, learningRate }),
  },
};

/** The options of each schedule. */
export const scheduleOptions: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(kinds).map(([name, { options }]) => [name, options]),
);

const hasBy = (entry: Json | undefined) =>
  typeof entry === 'object' && entry !== null && Object.values(entry).some((given) => 'by' in Object(given));

/**
 * Reads a schedule from the data of a file: its name, or its name with options. The option `by` is its unit
 * (default `step`).
 *
 * ```yaml
 * schedule: { CosineAnnealingDecay: { by: epoch, etaMin: 0.0001 } }
 * ```
 *
 * @throws {InputError} for unknown names, with the nearest one, and for options without effect
 */
export function parseSchedule(entry: unknown): ScheduleSettings {
  const settings = readSchedule(entry);
  const { name, options } = settings;
  const given = typeof entry === 'string' ? {} : ((Object.values(entry as object)[0] ?? {}) as Options);
  requireEffect('schedule', given, kinds[name].effects ?? {});
  if (options.after !== undefined) parseSchedule(options.after);
  return settings;
}

/** A schedule in the form that `parseSchedule` reads. */
export function writtenSchedule({ name, by, options }: ScheduleSettings): Json {
  const hasUnit = kindOf(name).effects?.by === undefined;
  return { [name]: { ...(hasUnit && { by }), ...options } };
}

/** Reads a schedule and accepts options without effect, which earlier versions wrote to records. */
function readSchedule(entry: unknown): ScheduleSettings {
  const pairs = typeof entry === 'string' ? [[entry, {}]] : Object.entries((entry ?? {}) as object);
  const [name, given] = (pairs[0] ?? ['', {}]) as [string, unknown];
  if (pairs.length !== 1 || Array.isArray(entry)) throw unknownSchedule(name, entry);
  const { options: known } = kindOf(name, entry);
  const { by = 'step', ...options } = (given ?? {}) as Record<string, Json>;
  if (by !== 'step' && by !== 'epoch') {
    throw new InputError(`[schedule] ${name}: by: expected step or epoch, got ${JSON.stringify(by)}`);
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new InputError(
      `[schedule] ${name}: expected by, ${known.join(', ')}, got ${unknown}${suggestion(unknown, [...known, 'by'])}`,
    );
  }
  return { name, by, options };
}

/**
 * Makes a schedule.
 *
 * @param total length of the whole training in steps, or in epochs; the default of the length of the schedule
 * @throws {InputError} for invalid options
 */
export function makeSchedule({ name, options }: ScheduleSettings, learningRate: number, total: number): lr.Schedule {
  return kindOf(name).make(learningRate, options as Readonly<Record<string, never>>, total);
}

function kindOf(name: string, entry: unknown = name): ScheduleKind {
  // Every object has a constructor.
  if (!Object.hasOwn(kinds, name)) throw unknownSchedule(name, entry);
  return kinds[name];
}

function unknownSchedule(name: string, entry: unknown): InputError {
  const text = JSON.stringify(entry) ?? 'nothing';
  const got = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new InputError(
    `[schedule] expected the name of a schedule, or the name with its options, got ${got}` +
      suggestion(name, Object.keys(kinds)),
  );
}

function suggestion(word: string, candidates: readonly string[]): string {
  const near = nearestName(word, candidates);
  return near === null ? `; there are ${candidates.join(', ')}` : `; did you mean ${near}?`;
}
