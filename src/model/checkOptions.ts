import * as check from '../check.js';
import { type Effects, requireEffect } from '../effect.js';
import { InputError } from '../errors.js';
import { DataLoader } from '../io/data/dataloader.js';
import { type Dataset, someDataset } from '../io/data/dataset.js';
import { samplerNames } from '../io/data/sampler.js';
import { lr, type Optimizer } from '../optimizer/index.js';
import { RandomGenerator } from '../random.js';
import type { Callback } from '../train/callback.js';
import { LRScheduler, ModelCheckpoint, ProgBarLogger } from '../train/callbacks/index.js';
import { monitorModes } from '../train/callbacks/monitor.js';
import type { FitOptions, ModelEvaluateOptions, PredictOptions } from './options.js';

const positive = check.integer(1);
const count = check.integer(0);
const data = check.rule<Dataset | DataLoader>('a data set or a loader', isData);
/** `Callbacks` checks each one. */
const callbacks = check.rule('callbacks', () => true);
const verbose = check.oneOf([0, 1, 2, 3]);

/** All options of `Model.fit`. */
const fitChecks = {
  trainData: data,
  evalData: data,
  batchSize: check.rule('a positive integer, or one for training and one for evaluation', (value) => {
    return positive.is(value) || (Array.isArray(value) && value.length === 2 && value.every(positive.is));
  }),
  epochs: positive,
  evalFreq: positive,
  logFreq: positive,
  saveDir: check.text,
  saveFreq: count,
  saveSteps: positive,
  resume: check.flag,
  verbose,
  dropLast: check.flag,
  shuffle: check.flag,
  numWorkers: count,
  callbacks,
  accumulateGradBatches: positive,
  numIters: positive,
  initialEpoch: count,
  classWeight: check.rule("'auto' or a number for each class", (value) => value === 'auto' || Array.isArray(value)),
  sampler: check.oneOf(samplerNames),
  saveBest: check.flag,
  keepLastN: positive,
  restoreBest: check.flag,
  generator: check.instanceOf(RandomGenerator),
  signal: check.instanceOf(AbortSignal),
  monitor: check.text,
  mode: check.oneOf(monitorModes),
} satisfies check.OptionChecks<FitOptions>;

/** All options of `Model.evaluate`. */
const evaluateChecks = {
  batchSize: positive,
  logFreq: positive,
  verbose,
  numWorkers: count,
  callbacks,
  numIters: positive,
} satisfies check.OptionChecks<ModelEvaluateOptions>;

/** All options of `Model.predict`. */
const predictChecks = { ...evaluateChecks, stackOutputs: check.flag } satisfies check.OptionChecks<PredictOptions>;

type FitCall = FitOptions & { readonly optimizer: Optimizer };
type EvaluateCall = ModelEvaluateOptions & { readonly data: Dataset | DataLoader };

const byLoader = 'a loader brings its own';
const byCheckpoint = 'the ModelCheckpoint among the callbacks has options of its own';
const ofLogger = 'the ProgBarLogger among the callbacks has options of its own';

/** When the options of `Model.fit` have an effect. */
const fitEffects: Effects<FitCall> = {
  batchSize: ({ trainData, evalData, batchSize }) => {
    if ([trainData, evalData].every(hasOwnBatches)) return byLoader;
    if (typeof batchSize === 'number' || ![trainData, evalData].some(hasOwnBatches)) return null;
    return 'only one of the data sets needs a size; give one number';
  },
  shuffle: ({ trainData, sampler, shuffle }) => {
    if (trainData instanceof DataLoader) return byLoader;
    return shuffle === true && sampler !== undefined ? 'the sampler decides on the order' : null;
  },
  dropLast: ({ trainData }) => (trainData instanceof DataLoader ? byLoader : null),
  sampler: ({ trainData }) => (trainData instanceof DataLoader ? byLoader : null),
  numWorkers: ({ trainData, evalData, numWorkers }) =>
    numWorkers !== 0 && [trainData, evalData].every(hasOwnBatches) ? byLoader : null,
  evalFreq: ({ evalData }) => (evalData === undefined ? 'there is no evalData' : null),
  saveFreq: (options) => (options.saveFreq === 0 ? null : withoutFiles(options)),
  keepLastN: (options) => (options.saveFreq === 0 ? 'saveFreq 0 writes no files epoch-N' : withoutFiles(options)),
  saveBest: (options) => (options.saveBest === false ? null : withoutFiles(options)),
  restoreBest: (options) => (options.restoreBest === true && has(options, ModelCheckpoint) ? byCheckpoint : null),
  monitor: withoutFollower,
  mode: withoutFollower,
  logFreq: (options) => (has(options, ProgBarLogger) ? ofLogger : null),
};

/** When the options of `Model.evaluate` and `Model.predict` have an effect. */
const evaluateEffects: Effects<EvaluateCall> = {
  batchSize: ({ data }) => (data instanceof DataLoader ? byLoader : null),
  numWorkers: ({ data, numWorkers }) => (data instanceof DataLoader && numWorkers !== 0 ? byLoader : null),
  logFreq: (options) => (has(options, ProgBarLogger) ? ofLogger : null),
  verbose: (options) => (has(options, ProgBarLogger) && options.verbose !== 0 ? ofLogger : null),
};

function hasOwnBatches(data: Dataset | DataLoader | undefined): boolean {
  return data === undefined || data instanceof DataLoader;
}

function withoutFiles(options: FitCall): string | null {
  if (has(options, ModelCheckpoint)) return byCheckpoint;
  return options.saveDir === undefined ? 'there is no saveDir for files' : null;
}

function withoutFollower(options: FitCall): string | null {
  const { optimizer, saveBest, restoreBest } = options;
  const byBest = (saveBest === true || restoreBest === true) && !has(options, ModelCheckpoint);
  const bySchedule = optimizer.schedule instanceof lr.ReduceOnPlateau && !has(options, LRScheduler);
  return byBest || bySchedule
    ? null
    : 'neither best weights nor a schedule follow a metric here; callbacks have their own';
}

function has({ callbacks = [] }: Pick<FitOptions, 'callbacks'>, kind: new (...args: never[]) => Callback): boolean {
  return [callbacks].flat().some((callback) => callback instanceof kind);
}

/**
 * Checks the options of `Model.fit` at run time, for callers without TypeScript.
 *
 * @throws {InputError} for an option that is unknown, has an invalid value, or has no effect with the others
 */
export function checkFitOptions(options: FitOptions, optimizer: Optimizer): void {
  if (typeof options !== 'object' || options === null || isData(options)) {
    throw new InputError('[fit] options: expected one object, got data; call fit({ trainData, evalData, … })');
  }
  check.requireOptions('fit', options, fitChecks);
  check.requireValue('fit', 'trainData', options.trainData, data);
  requireEffect('fit', { ...options, optimizer }, fitEffects);
}

/** The same for `Model.evaluate` and `Model.predict`. */
export function checkEvaluateOptions(
  where: 'evaluate' | 'predict',
  given: Dataset | DataLoader,
  options: ModelEvaluateOptions,
): void {
  check.requireValue(where, 'data', given, data);
  check.requireOptions(where, options, where === 'predict' ? predictChecks : evaluateChecks);
  requireEffect<EvaluateCall>(where, { ...options, data: given }, evaluateEffects);
}

function isData(value: unknown): boolean {
  return value instanceof DataLoader || someDataset.is(value);
}
