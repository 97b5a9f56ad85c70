import { benchmark } from '../measure/benchmark.js';
import type { Run } from '../run/run.js';
import { epochsOf, rungsOf } from './asha.js';
import { trialCount } from './decide.js';
import type { SweepDefinition } from './definition.js';

/** The cost of a sweep, from the time of some training steps of the plain recipe. */
export interface Estimate {
  readonly trials: number;
  /** Epochs of all trainings together, if none fails. */
  readonly epochs: number;
  readonly secondsPerEpoch: number;
  readonly seconds: number;
}

/**
 * Estimates the cost of a sweep on this machine. Reading and transforming the images, evaluation and files
 * come on top; trials with other networks or batch sizes take other times.
 *
 * @param run of the plain recipe
 */
export async function estimateOf(definition: SweepDefinition, run: Run): Promise<Estimate> {
  const { model, recipe, data } = run.folder.config;
  const { batchSize } = recipe;
  const { result } = await benchmark({
    model: model.name,
    batch: batchSize,
    input: model.inputShape,
    steps: 5,
    warmup: 3,
  });
  const images = data.train.images + data.eval.images / 3;
  const secondsPerEpoch = ((images / batchSize) * result.medianMs) / 1000;
  const epochs = epochsOfSweep(definition);
  return { trials: trialCount(definition), epochs, secondsPerEpoch, seconds: epochs * secondsPerEpoch };
}

/** Epochs of all trainings of a sweep, if none fails. */
export function epochsOfSweep(definition: SweepDefinition): number {
  const { settings, epochs } = definition;
  const rungs = rungsOf(epochs, settings.asha);
  const reduction = settings.asha?.reduction ?? 2;
  const trials = trialCount(definition);
  const repeated = Math.min(settings.best, trials);
  return epochsOf(trials, rungs, reduction) + settings.seeds * epochs * (1 + repeated);
}
