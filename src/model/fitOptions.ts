import { type Effects, requireEffect } from '../effect.js';
import { InputError } from '../errors.js';
import { DataLoader } from '../io/data/dataloader.js';
import type { Dataset } from '../io/data/dataset.js';
import { samplerNames } from '../io/data/sampler.js';
import { lr, type Optimizer } from '../optimizer/index.js';
import { nearestName } from '../text/suggest.js';
import type { Callback } from '../train/callback.js';
import { LRScheduler, ModelCheckpoint, ProgBarLogger } from '../train/callbacks/index.js';
import type { FitOptions } from './fit.js';
import type { JudgeOptions, PredictOptions } from './model.js';

const fitNames = Object.keys({
  trainData: true,
  evalData: true,
  batchSize: true,
  epochs: true,
  evalFreq: true,
  logFreq: true,
  saveDir: true,
  saveFreq: true,
  saveSteps: true,
  resume: true,
  verbose: true,
  dropLast: true,
  shuffle: true,
  numWorkers: true,
  callbacks: true,
  accumulateGradBatches: true,
  numIters: true,
  initialEpoch: true,
  classWeight: true,
  sampler: true,
  saveBest: true,
  keepLastN: true,
  restoreBest: true,
  signal: true,
  monitor: true,
  mode: true,
} satisfies Record<keyof FitOptions, true>);

const judgeNames = {
  batchSize: true,
  logFreq: true,
  verbose: true,
  numWorkers: true,
  callbacks: true,
  numIters: true,
} satisfies Record<keyof JudgeOptions, true>;
const predictNames = { ...judgeNames, stackOutputs: true } satisfies Record<keyof PredictOptions, true>;

type Told = FitOptions & { readonly optimizer: Optimizer };
type Judged = JudgeOptions & { readonly data: Dataset | DataLoader };

const byLoader = 'a loader brings its own';
const byCheckpoint = 'the ModelCheckpoint among the callbacks has options of its own';
const ofLogger = 'the ProgBarLogger among the callbacks has options of its own';

/** When the options of `Model.fit` mean something. */
const fitEffects: Effects<Told> = {
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

/** When the options of `Model.evaluate` and `Model.predict` mean something. */
const judgeEffects: Effects<Judged> = {
  batchSize: ({ data }) => (data instanceof DataLoader ? byLoader : null),
  numWorkers: ({ data, numWorkers }) => (data instanceof DataLoader && numWorkers !== 0 ? byLoader : null),
  logFreq: (options) => (has(options, ProgBarLogger) ? ofLogger : null),
  verbose: (options) => (has(options, ProgBarLogger) && options.verbose !== 0 ? ofLogger : null),
};

function hasOwnBatches(data: Dataset | DataLoader | undefined): boolean {
  return data === undefined || data instanceof DataLoader;
}

function withoutFiles(options: Told): string | null {
  if (has(options, ModelCheckpoint)) return byCheckpoint;
  return options.saveDir === undefined ? 'there is no saveDir for files' : null;
}

function withoutFollower(options: Told): string | null {
  const { optimizer, saveBest, restoreBest } = options;
  const byBest = (saveBest === true || restoreBest === true) && !has(options, ModelCheckpoint);
  const bySchedule = optimizer.schedule instanceof lr.ReduceOnPlateau && !has(options, LRScheduler);
  return byBest || bySchedule
    ? null
    : 'neither best weights nor a schedule follow a figure here; callbacks have their own';
}

function has({ callbacks = [] }: Pick<FitOptions, 'callbacks'>, kind: new (...args: never[]) => Callback): boolean {
  return [callbacks].flat().some((callback) => callback instanceof kind);
}

/**
 * For callers whom no compiler has told.
 *
 * @throws {InputError} for options that are unknown, have no such value, or have no effect beside the others
 */
export function checkFitOptions(options: FitOptions, optimizer: Optimizer): void {
  if (typeof options !== 'object' || options === null || isData(options)) {
    throw new InputError('[fit] options: expected one object, got data; call fit({ trainData, evalData, … })');
  }
  requireNames('fit', options, fitNames);
  const { trainData, evalData, verbose, sampler, classWeight } = options;
  const refuse = (name: string, expected: string, got: unknown) =>
    new InputError(`[fit] ${name}: expected ${expected}, got ${got === undefined ? 'nothing' : String(got)}`);
  if (!isData(trainData)) throw refuse('trainData', 'a data set or a loader', trainData);
  if (evalData !== undefined && !isData(evalData)) throw refuse('evalData', 'a data set or a loader', evalData);
  if (verbose !== undefined && ![0, 1, 2, 3].includes(verbose)) throw refuse('verbose', '0, 1, 2 or 3', verbose);
  if (sampler !== undefined && !samplerNames.includes(sampler)) {
    throw refuse('sampler', samplerNames.map((name) => `'${name}'`).join(' or '), sampler);
  }
  if (classWeight !== undefined && classWeight !== 'auto' && !Array.isArray(classWeight)) {
    throw refuse('classWeight', "'auto' or a number for each class", classWeight);
  }
  requireEffect('fit', { ...options, optimizer }, fitEffects);
}

/** The same for `Model.evaluate` and `Model.predict`. */
export function checkJudgeOptions(
  where: 'evaluate' | 'predict',
  data: Dataset | DataLoader,
  options: JudgeOptions,
): void {
  if (!isData(data)) throw new InputError(`[${where}] data: expected a data set or a loader, got ${String(data)}`);
  if (typeof options !== 'object' || options === null) {
    throw new InputError(`[${where}] options: expected one object, got ${String(options)}`);
  }
  requireNames(where, options, Object.keys(where === 'predict' ? predictNames : judgeNames));
  requireEffect<Judged>(where, { ...options, data }, judgeEffects);
}

function requireNames(where: string, options: object, names: readonly string[]): void {
  const strange = Object.keys(options).find((name) => !names.includes(name));
  if (strange === undefined) return;
  const near = nearestName(strange, names);
  throw new InputError(
    `[${where}] '${strange}': expected one of ${names.join(', ')}${near === null ? '' : `; did you mean ${near}?`}`,
  );
}

function isData(value: unknown): boolean {
  return value instanceof DataLoader || typeof (value as { get?: unknown } | null | undefined)?.get === 'function';
}
