import { InputError } from '../errors.js';
import { DataLoader } from '../io/dataloader.js';
import { samplerNames } from '../io/sampler.js';
import { nearestName } from '../names.js';
import type { FitOptions } from './fit.js';

const names = Object.keys({
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

/** For callers whom no compiler has told. @throws {InputError} for options that are unknown, or have no such value */
export function checkFitOptions(options: FitOptions): void {
  if (typeof options !== 'object' || options === null || isData(options)) {
    throw new InputError('[fit] options: expected one object, got data; call fit({ trainData, evalData, … })');
  }
  const strange = Object.keys(options).find((name) => !names.includes(name));
  if (strange !== undefined) {
    const near = nearestName(strange, names);
    throw new InputError(
      `[fit] '${strange}': expected one of ${names.join(', ')}${near === null ? '' : `; did you mean ${near}?`}`,
    );
  }
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
}

function isData(value: unknown): boolean {
  return value instanceof DataLoader || typeof (value as { get?: unknown } | null | undefined)?.get === 'function';
}
