import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, FoveaError, InputError, MemoryError, messageOf } from '../errors.js';
import { dataFor } from '../run/catalog/datasets.js';
import { configurationOf } from '../run/configuration.js';
import { RunFolder } from '../run/folder.js';
import { Run } from '../run/run.js';
import type { RunOptions } from '../run/runOptions.js';
import { imageLoadingOf, runOptionsOf } from '../run/runOptionsOf.js';
import type { TrainingOptions } from '../run/trainingOptions.js';
import type { Callback } from '../train/callback.js';
import { DivergenceError } from '../train/divergence.js';
import type { EpochRecord } from '../train/history.js';
import type { SweepDefinition } from './definition.js';
import type { Job } from './journal.js';

/** The end of a job: its metric, or why there is none. */
export type JobOutcome =
  | { readonly value: number }
  | { readonly why: 'diverged' | 'memory' | 'refused'; readonly reason: string };

export interface TrialOptions {
  readonly signal?: AbortSignal | undefined;
  readonly callbacks?: readonly Callback[] | undefined;
  /** Called with notes of the training. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/** The run folder of a job. */
export function folderOf(sweep: string, { kind, trial, seed }: Job): string {
  const number = String(trial).padStart(4, '0');
  if (kind === 'plain') return join(sweep, 'plain', `seed-${seed}`);
  return kind === 'trial' ? join(sweep, 'trials', number) : join(sweep, 'repeats', `${number}-seed-${seed}`);
}

/** The options of the training of a job. */
function optionsOf({ values, seed }: Job, { epochs }: SweepDefinition): TrainingOptions {
  const options = configurationOf({ ...values, seed }, 'trial');
  return { epochs, ...options };
}

/**
 * Trains a job up to its number of epochs, from where its folder stands. The result is that of its last
 * epoch.
 *
 * @returns null if the signal ended it; its state is saved then
 * @throws {FileError} if files cannot be read or written, as on a full disk: that says nothing about the
 *   trial
 */
export async function runJob(
  sweep: string,
  definition: SweepDefinition,
  job: Job,
  { signal, callbacks = [], onNote = () => {} }: TrialOptions = {},
): Promise<JobOutcome | null> {
  try {
    const run = await openJob(sweep, definition, job);
    const known = valueIn(run.folder.history, definition, job, run.folder.isSaved && (await run.folder.isFinished()));
    if (known !== null) return { value: known };
    const stopped = new AbortController();
    const all = signal === undefined ? stopped.signal : AbortSignal.any([signal, stopped.signal]);
    const stop: Callback = {
      onEpochSaved: ({ epochs }, { epoch }) => {
        if (epoch >= job.epochs && epoch < epochs) stopped.abort();
      },
    };
    const { history, completed } = await run.train({ callbacks: [...callbacks, stop], signal: all, onNote });
    const value = valueIn(history, definition, job, completed);
    if (value !== null) return { value };
    if (signal?.aborted) return null;
    return { why: 'refused', reason: `the training reports no ${definition.settings.metric} of an evaluation` };
  } catch (error) {
    return failureOf(error);
  }
}

/** Opens the run of a job: as it is saved, or from the start. */
async function openJob(sweep: string, definition: SweepDefinition, job: Job): Promise<Run> {
  const path = folderOf(sweep, job);
  const options = optionsOf(job, definition);
  if (existsSync(join(path, 'config.json'))) {
    const begun = await RunFolder.begun(path);
    if (await begun.hasState()) return Run.resume(path, { imageLoading: imageLoadingOf(options) });
  }
  // A worker that was killed before the first state was saved has left nothing to continue.
  await rm(path, { recursive: true, force: true });
  return Run.create({ ...newRunOf(definition, job), out: path });
}

/** The options of a new run of a job, but for its folder. */
export function newRunOf(definition: SweepDefinition, job: Job): Omit<RunOptions, 'out'> {
  const options = optionsOf(job, definition);
  const { model = definition.model, data = dataFor(model) } = options;
  const { out: _, ...others } = runOptionsOf(options, { model, data, out: '' });
  // The validation images are the same for all seeds.
  return { ...others, holdOutSeed: definition.settings.seed };
}

/** The metric after the epochs of a job; null if they are not done. */
function valueIn(
  history: readonly EpochRecord[],
  { settings }: SweepDefinition,
  job: Job,
  completed: boolean,
): number | null {
  if (history.length < job.epochs && !completed) return null;
  const evaluated = history.slice(0, job.epochs).filter(({ evalLoss }) => evalLoss !== null);
  const last = evaluated[evaluated.length - 1];
  if (last === undefined) return null;
  return settings.metric === 'accuracy' ? last.evalAccuracy : last.evalLoss;
}

/** An outcome for errors that come from the values of a trial. */
function failureOf(error: unknown): JobOutcome {
  const cause = error instanceof FoveaError && error.cause instanceof DivergenceError ? error.cause : error;
  const reason = messageOf(cause);
  if (cause instanceof DivergenceError) return { why: 'diverged', reason };
  if (cause instanceof MemoryError) return { why: 'memory', reason };
  if (cause instanceof InputError && !(cause instanceof FileError)) return { why: 'refused', reason };
  throw error;
}
