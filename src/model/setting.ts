import { InputError } from '../errors.js';
import type { TrainOptions } from './trainOptions.js';

/** What a training is made of that has to be the same where it is gone on with: plain JSON. */
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
}

export function settingOf(options: TrainOptions): TrainingSetting {
  const { trainLoader: loader, optimizer, metrics = [], accumulateGradBatches = 1 } = options;
  return {
    batchSize: loader.batchSize,
    samples: loader.dataset.length,
    dropLast: loader.dropLast,
    order: loader.order,
    accumulateGradBatches,
    optimizer: optimizer.constructor.name,
    schedule: optimizer.schedule?.constructor.name ?? null,
    metrics: metrics.flatMap(({ names }) => names),
  };
}

/** @throws {InputError} naming all that differs */
export function requireSetting(saved: TrainingSetting, now: TrainingSetting): void {
  const named = (value: TrainingSetting[keyof TrainingSetting]) =>
    value === null || String(value) === '' ? 'none' : String(value);
  const names = Object.keys(saved) as (keyof TrainingSetting)[];
  const different = names.filter((name) => named(saved[name]) !== named(now[name]));
  if (different.length === 0) return;
  const list = (setting: TrainingSetting) => different.map((name) => `${name} ${named(setting[name])}`).join(', ');
  throw new InputError(
    `[train] setting: expected that of the training that is gone on with (${list(saved)}), got ${list(now)}; ` +
      'go on as it began, or train anew',
  );
}
