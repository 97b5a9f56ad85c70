import { InputError } from '../errors.js';
import { lr, type Optimizer, type OptimizerSettings } from '../optimizer/index.js';
import type { TrainOptions } from './options.js';
import type { SampleIdentity } from './sampleIdentity.js';
import type { TrainingState } from './train.js';

/** What a training is made of: plain JSON, saved with its state. States of earlier versions lack the optional fields. */
export interface TrainingSetting {
  readonly batchSize: number;
  /** Of the data set. */
  readonly samples: number;
  readonly dropLast: boolean;
  /** `shuffled`, `as stored`, or the sampler's class. */
  readonly order: string;
  readonly accumulateGradBatches: number;
  /** Its class. */
  readonly optimizer: string;
  /** Its class; null for a plain learning rate. */
  readonly schedule: string | null;
  /** Their names. */
  readonly metrics: readonly string[];
  /** The class of a loss that is a layer, else `function`. */
  readonly loss?: string | undefined;
  /** The samples of the training, and of the evaluation if there is one. */
  readonly trainData?: SampleIdentity | undefined;
  readonly evalData?: SampleIdentity | null | undefined;
  /** The rate that the optimizer was given; none if a schedule computes it from the number of steps. */
  readonly learningRate?: number | undefined;
  readonly classWeight?: readonly number[] | null | undefined;
  /** Momentum, decay and so on. */
  readonly optimizerSettings?: OptimizerSettings | undefined;
}

/**
 * What may change where a training is resumed. `equal`: nothing else is taken. `changes`: the new one counts from there on,
 * and is said. All that is not in this table (epochs, callbacks, folders, files, threads) is free.
 */
const rules: Readonly<Record<keyof TrainingSetting, 'equal' | 'changes'>> = {
  batchSize: 'equal',
  samples: 'equal',
  dropLast: 'equal',
  order: 'equal',
  accumulateGradBatches: 'equal',
  optimizer: 'equal',
  schedule: 'equal',
  metrics: 'equal',
  loss: 'equal',
  trainData: 'equal',
  evalData: 'equal',
  learningRate: 'changes',
  classWeight: 'changes',
  optimizerSettings: 'changes',
};

type Key = keyof TrainingSetting;

/** Of a training that has not begun. */
export function settingOf(options: TrainOptions): TrainingSetting {
  const { trainLoader: loader, optimizer, metrics = [], accumulateGradBatches = 1, loss, samples } = options;
  const { schedule } = optimizer;
  return {
    batchSize: loader.batchSize,
    samples: loader.dataset.length,
    dropLast: loader.dropLast,
    order: loader.order,
    accumulateGradBatches,
    optimizer: optimizer.constructor.name,
    schedule: schedule?.constructor.name ?? null,
    metrics: metrics.flatMap(({ names }) => names),
    loss: layerLosses.get(loss) ?? 'function',
    ...(samples !== undefined && { trainData: samples.train, evalData: samples.evaluation }),
    ...(!(schedule instanceof lr.LRScheduler) && { learningRate: optimizer.learningRate }),
    classWeight: options.classWeights ?? null,
    optimizerSettings: optimizer.settings,
  };
}

/**
 * Compares the setting of a saved state with that of the training that resumes it.
 *
 * @returns what changes from here on, in words
 * @throws {InputError} naming all that has to be equal and is not
 */
export function compareSettings(saved: TrainingSetting, now: TrainingSetting): string[] {
  const different = (Object.keys(rules) as Key[]).filter((key) => differs(saved[key], now[key]));
  // Other samples follow from another number of them.
  if (different.includes('samples')) different.splice(different.indexOf('trainData') >>> 0, 1);
  const fixed = different.filter((key) => rules[key] === 'equal' || (key === 'learningRate' && now.schedule !== null));
  if (fixed.length > 0) {
    const list = (setting: TrainingSetting) => fixed.map((key) => `${key} ${named(setting[key])}`).join(', ');
    throw new InputError(
      `[train] setting: expected that of the training that is gone on with (${list(saved)}), got ${list(now)}; ` +
        'go on as it began, or train anew',
    );
  }
  return different.map((key) => `${key} ${named(now[key])} in place of ${named(saved[key])}`);
}

/**
 * Restores the learning rate of an optimizer, or its schedule. A plain rate other than the one that the training was given
 * counts from here on.
 *
 * @throws {InputError} for a schedule by which the rate would jump
 */
export function restoreRate(
  optimizer: Optimizer,
  { learningRate, schedule: saved, setting }: Pick<TrainingState, 'learningRate' | 'schedule' | 'setting'>,
): void {
  const { schedule } = optimizer;
  if (schedule === null) {
    const given = setting?.learningRate;
    if (given === undefined || given === optimizer.learningRate) optimizer.learningRate = learningRate;
    return;
  }
  if (saved === null) return;
  schedule.setStateDict(saved);
  const rate = schedule.getLr();
  if (Math.abs(rate - saved.lastLr) <= 1e-6 * Math.max(Math.abs(saved.lastLr), Math.abs(rate))) return;
  throw new InputError(
    `[train] schedule: expected the rate ${saved.lastLr} at step ${saved.lastEpoch} of ${schedule.constructor.name}, where ` +
      `the training stands, got ${rate}; resume it with the schedule that it began with, or train anew`,
  );
}

/** Losses that are layers, by the function that computes them. */
const layerLosses = new WeakMap<object, string>();

/** Remembers the class of a loss. */
export function nameLoss<T extends object>(loss: T, name: string): T {
  layerLosses.set(loss, name);
  return loss;
}

/** Unknown is not different. */
function differs(saved: TrainingSetting[Key], now: TrainingSetting[Key]): boolean {
  if (saved === undefined || now === undefined) return false;
  if (!isIdentity(saved) || !isIdentity(now)) return named(saved) !== named(now);
  return (['labels', 'images'] as const).some((part) => {
    return saved[part] !== null && now[part] !== null && saved[part] !== now[part];
  });
}

function isIdentity(value: TrainingSetting[Key]): value is SampleIdentity {
  return typeof value === 'object' && value !== null && 'images' in value;
}

function named(value: TrainingSetting[Key]): string {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, one]) => `${name} ${one}`)
    .join(' ');
}
