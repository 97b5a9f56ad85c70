import { type DescribedRun, describeRun } from '../run/create.js';
import { RunFolder } from '../run/folder.js';
import { divideInFolds } from '../run/folds/crossValidation.js';
import type { FoldPlan } from '../run/folds/plan.js';
import { startNotes } from '../run/notes.js';
import { stepOf } from '../run/parts.js';
import type { RunOptions } from '../run/runOptions.js';
import { type BatchMemory, memoryFor } from '../train/batchMemory.js';
import { stepPlanner } from '../train/step.js';
import { estimateTime, type TimeEstimate } from './trainingTime.js';

export interface DryRunOptions {
  /** Number of folds of a cross-validation. */
  readonly folds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A training as it would begin. */
export interface DryRun {
  readonly run: DescribedRun;
  /** The folds, of which `run` is the first; null for a single network. */
  readonly plan: FoldPlan | null;
  readonly notes: readonly string[];
  /** Images of a step. */
  readonly batch: number;
  readonly memory: BatchMemory;
  /** Time of the training; with folds that of all of them. */
  readonly time: TimeEstimate;
}

/**
 * Opens the data, builds the network, plans the memory of a step, and times a few steps and a part of an
 * evaluation. Nothing is written or downloaded, and no decoded picture is stored.
 *
 * @throws {InputError} as `Run.create`
 * @throws {NotDownloadedError} for data and weights that a training would download
 * @throws the reason of the signal when that ends it
 */
export async function dryRun(asked: RunOptions, { folds, signal }: DryRunOptions = {}): Promise<DryRun> {
  const { out, onProgress } = asked;
  if (typeof out === 'string') await RunFolder.check(out);
  const options = {
    ...asked,
    isDry: true,
    onProgress: (progress: Parameters<NonNullable<typeof onProgress>>[0]) => {
      signal?.throwIfAborted();
      onProgress?.(progress);
    },
  };
  const plan = folds === undefined ? null : await divideInFolds(options, folds);
  const run = await describeRun(plan === null ? options : { ...options, fold: plan.fold(1) });
  const { training, recipe, inputShape, config, data } = run;
  const batch = Math.min(recipe.batchSize, run.splits.train.dataset.length);
  const accumulate = recipe.techniques?.accumulateGradBatches;
  const planner = stepPlanner(stepOf(training, recipe), inputShape, { accumulate });
  const memory = memoryFor('run', batch, inputShape, planner);
  const time = await estimateTime(run, signal);
  return {
    run,
    plan,
    notes: [...(plan?.notes ?? []), ...startNotes(config, run.notes, data)],
    batch,
    memory,
    time: { ...time, seconds: time.seconds * (folds ?? 1) },
  };
}
