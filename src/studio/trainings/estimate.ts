import type { TrainingEstimate } from '../api.js';
import { resultOf } from '../program.js';

interface DryRun {
  readonly memory: { readonly batch: number; readonly bytes: number; readonly available: number };
  readonly time: { readonly seconds: number; readonly batchMs: number };
  readonly notes: readonly string[];
}

/**
 * Time and memory of a training.
 *
 * @param words arguments of the training
 * @throws {InputError} if it cannot begin
 */
export async function estimateTraining(
  program: readonly string[],
  root: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<TrainingEstimate> {
  const { memory, time, notes } = await resultOf<DryRun>(program, root, [...words, '--dry-run'], signal);
  return {
    stepMs: time.batchMs,
    imagesPerSecond: (1000 * memory.batch) / time.batchMs,
    seconds: time.seconds,
    memoryBytes: memory.bytes,
    availableBytes: memory.available,
    notes,
  };
}
