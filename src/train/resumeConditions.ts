import { InputError } from '../errors.js';
import type { DataLoader } from '../io/data/dataloader.js';
import { kindOf } from '../kind.js';
import type { Metric } from '../metric/index.js';
import type { Layer } from '../nn/layer.js';
import { lr, type Optimizer } from '../optimizer/index.js';
import type { ResumeConditions, TrainingState } from './history.js';
import { lossNameOf } from './losses.js';
import { describeLayers, entriesThatDiffer, frozenParameters, operationsDiffer } from './networkConditions.js';
import type { LossFunction } from './objective.js';
import type { SampleIdentities, SampleIdentity } from './sampleIdentity.js';

/**
 * Rules for settings when a training is resumed. `equal`: a different value is refused. `changes`: a new
 * value takes effect from then on, and is reported. All other settings (epochs, callbacks, folders, files,
 * threads) may change freely.
 */
const rules: Readonly<Record<keyof ResumeConditions, 'equal' | 'changes'>> = {
  batchSize: 'equal',
  samples: 'equal',
  dropLast: 'equal',
  order: 'equal',
  accumulateGradBatches: 'equal',
  optimizer: 'equal',
  schedule: 'equal',
  metrics: 'equal',
  loss: 'equal',
  lossOfProbe: 'equal',
  layers: 'equal',
  operations: 'equal',
  frozen: 'changes',
  trainData: 'equal',
  evalData: 'equal',
  learningRate: 'changes',
  classWeight: 'changes',
  optimizerSettings: 'changes',
};

type Key = keyof ResumeConditions;

/** Names in messages, where the key alone does not explain itself. */
const titles: Readonly<Partial<Record<Key, string>>> = {
  lossOfProbe: 'options of the loss, whose value in a trial is',
  frozen: 'frozen parameters',
  operations: 'operations of the network',
};
/** Engines and precisions compute slightly different losses. */
const probeTolerance = 1e-3;

/** The parts of a training that determine its conditions. */
export interface ConditionSources {
  readonly network: Layer;
  readonly loader: DataLoader;
  readonly optimizer: Optimizer;
  readonly metrics: readonly Metric[];
  readonly loss: LossFunction;
  readonly accumulateGradBatches: number;
  readonly classWeights?: readonly number[] | undefined;
  readonly samples?: SampleIdentities | undefined;
  readonly phased?: boolean | undefined;
}

/** Reads the conditions of a training that has not begun. */
export function resumeConditionsOf(sources: ConditionSources): ResumeConditions {
  const { network, loader, optimizer, metrics, accumulateGradBatches, loss, samples } = sources;
  const { schedule } = optimizer;
  return {
    batchSize: loader.batchSize,
    samples: loader.dataset.length,
    dropLast: loader.dropLast,
    order: loader.order,
    accumulateGradBatches,
    optimizer: kindOf(optimizer),
    schedule: schedule === null ? null : kindOf(schedule),
    metrics: metrics.flatMap(({ names }) => names),
    loss: lossNameOf(loss),
    layers: describeLayers(network),
    ...(sources.phased !== true && { frozen: frozenParameters(network) }),
    ...(samples !== undefined && { trainData: samples.train, evalData: samples.evaluation }),
    ...(!(schedule instanceof lr.LRScheduler) && { learningRate: optimizer.learningRate }),
    classWeight: sources.classWeights ?? null,
    optimizerSettings: optimizer.settings,
  };
}

/**
 * Compares the conditions of a saved state with those of the training that resumes it.
 *
 * @returns sentences about the settings that change from here on
 * @throws {InputError} naming all settings that must be equal and are not
 */
export function compareConditions(saved: ResumeConditions, now: ResumeConditions): string[] {
  const different = (Object.keys(rules) as Key[]).filter((key) => {
    if (key === 'lossOfProbe') return differsByMore(saved[key], now[key]);
    if (key !== 'operations') return differs(saved[key], now[key]);
    const [before, after] = [saved[key], now[key]];
    return before !== undefined && after !== undefined && operationsDiffer(before, after);
  });
  // Other layers imply other operations: name the layers alone.
  if (different.includes('layers')) different.splice(different.indexOf('operations') >>> 0, 1);
  // A different number of samples implies different samples: name the number alone.
  if (different.includes('samples')) different.splice(different.indexOf('trainData') >>> 0, 1);
  if (different.includes('loss')) different.splice(different.indexOf('lossOfProbe') >>> 0, 1);
  const fixed = different.filter((key) => rules[key] === 'equal' || (key === 'learningRate' && now.schedule !== null));
  if (fixed.length > 0) {
    const list = (conditions: ResumeConditions) =>
      fixed.map((key) => `${titles[key] ?? key} ${named(differing(key, saved, now, conditions))}`).join(', ');
    throw new InputError(
      `[train] resume: expected the settings that the training began with (${list(saved)}), got ${list(now)}; ` +
        'resume with those, or start a new training',
    );
  }
  return different.map((key) => `${titles[key] ?? key} ${named(now[key])} in place of ${named(saved[key])}`);
}

/**
 * Restores the learning rate of an optimizer, or its schedule. An optimizer with a new plain rate, different
 * from the one at the beginning of the training, keeps the new rate.
 *
 * @throws {InputError} for another schedule, with which the rate would jump
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
    `[train] schedule: expected the rate ${saved.lastLr} at step ${saved.lastEpoch} of ${kindOf(schedule)}, where ` +
      `the training stopped, got ${rate}; resume it with the schedule that it began with, or start a new training`,
  );
}

const mostNamed = 3;

/** A setting as a message names it: of a record the first entries that differ. */
function differing(key: Key, saved: ResumeConditions, now: ResumeConditions, of: ResumeConditions): unknown {
  if (key !== 'layers' && key !== 'operations') return of[key];
  const own: Readonly<Record<string, string | number>> = of[key] ?? {};
  const names = entriesThatDiffer<string | number>(saved[key] ?? {}, now[key] ?? {}).slice(0, mostNamed);
  return Object.fromEntries(names.map((name) => [name, own[name] ?? (key === 'layers' ? 'none' : 0)]));
}

/** Whether two values differ. An unknown value differs from no other. */
function differs(saved: ResumeConditions[Key], now: ResumeConditions[Key]): boolean {
  if (saved === undefined || now === undefined) return false;
  if (!isIdentity(saved) || !isIdentity(now)) return named(saved) !== named(now);
  return (['labels', 'images'] as const).some((part) => {
    return saved[part] !== null && now[part] !== null && saved[part] !== now[part];
  });
}

/** Whether two numbers differ by more than {@link probeTolerance}. An unknown one differs from no other. */
function differsByMore(saved: number | null | undefined, now: number | null | undefined): boolean {
  if (typeof saved !== 'number' || typeof now !== 'number') return false;
  return Math.abs(saved - now) > probeTolerance * Math.max(1e-3, Math.abs(saved), Math.abs(now));
}

function isIdentity(value: ResumeConditions[Key]): value is SampleIdentity {
  return typeof value === 'object' && value !== null && 'images' in value;
}

function named(value: unknown): string {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, one]) => `${name} ${one}`)
    .join(' ');
}
