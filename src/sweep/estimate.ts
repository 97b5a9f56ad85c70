import { estimateTime } from '../measure/trainingTime.js';
import { type DescribedRun, describeRun } from '../run/create.js';
import type { RunOptions } from '../run/runOptions.js';
import { rungsOf, trainingsOf } from './asha.js';
import { trialCount } from './decide.js';
import type { SweepDefinition } from './definition.js';

/** The cost of a sweep, from the time of a part of the plain recipe's training. */
export interface Estimate {
  readonly trials: number;
  /** Epochs of all trainings together, if none fails. */
  readonly epochs: number;
  /** Time of an epoch with its evaluation. */
  readonly secondsPerEpoch: number;
  /** Time of all epochs, and of the beginning of each training. */
  readonly seconds: number;
}

/** Data that open in less time, in seconds, are opened again: the first opening has costs of its own. */
const shortOpening = 2;

/**
 * Estimates the cost of a sweep on this machine: some steps and a part of an evaluation, on its data. Saved
 * states and reports come on top; trials with other networks or batch sizes take other times.
 *
 * @param options of the plain recipe
 */
export async function estimateOf(definition: SweepDefinition, options: Omit<RunOptions, 'out'>): Promise<Estimate> {
  let { run, seconds: opening } = await timedOpening(options);
  if (opening < shortOpening) ({ run, seconds: opening } = await timedOpening(options));
  // The first measurement decodes photographs, which all later epochs take from the cache.
  if (run.data.images !== null) await estimateTime(run);
  const { seconds } = await estimateTime(run);
  const secondsPerEpoch = seconds / run.recipe.epochs;
  const { epochs, trainings } = workOf(definition);
  return {
    trials: trialCount(definition),
    epochs,
    secondsPerEpoch,
    seconds: epochs * secondsPerEpoch + trainings * opening,
  };
}

async function timedOpening(options: Omit<RunOptions, 'out'>): Promise<{ run: DescribedRun; seconds: number }> {
  const begun = performance.now();
  const run = await describeRun(options);
  return { run, seconds: (performance.now() - begun) / 1000 };
}

/** Epochs of all trainings of a sweep, and how often one begins or continues, if none fails. */
export function workOf(definition: SweepDefinition): { readonly epochs: number; readonly trainings: number } {
  const { settings, epochs } = definition;
  const rungs = rungsOf(epochs, settings.asha);
  const trials = trialCount(definition);
  const search = trainingsOf(trials, rungs, settings.asha?.reduction ?? 2);
  const whole = settings.seeds * (1 + Math.min(settings.best, trials));
  return { epochs: search.epochs + whole * epochs, trainings: search.trainings + whole };
}
