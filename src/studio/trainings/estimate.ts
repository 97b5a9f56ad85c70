import { execFile } from 'node:child_process';
import { InputError } from '../../errors.js';
import type { TrainingEstimate } from '../api.js';

interface DryRun {
  readonly memory: { readonly batch: number; readonly bytes: number; readonly available: number };
  readonly time: { readonly seconds: number; readonly batchMs: number };
  readonly notes: readonly string[];
}

/**
 * Time and memory of a training, which the command line finds out in a process of its own.
 *
 * @param words arguments of the training
 * @throws {InputError} with the words of the command, if it fails
 */
export async function estimateTraining(
  program: readonly string[],
  root: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<TrainingEstimate> {
  const { memory, time, notes } = await new Promise<DryRun>((resolve, reject) => {
    const [file, ...first] = program;
    const args = [...first, ...words, '--dry-run', '--json'];
    execFile(file, args, { cwd: root, signal }, (error, stdout, stderr) => {
      const line = stdout.trim().split('\n').at(-1) ?? '';
      if (error === null) resolve(JSON.parse(line) as DryRun);
      else reject(new InputError(stderr.trim().replace(/^fovea: /, '') || error.message, { cause: error }));
    });
  });
  return {
    stepMs: time.batchMs,
    imagesPerSecond: (1000 * memory.batch) / time.batchMs,
    seconds: time.seconds,
    memoryBytes: memory.bytes,
    availableBytes: memory.available,
    notes,
  };
}
