import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../io/files/atomic.js';
import { lockFolder, ownerOf } from '../io/files/lock.js';
import { nextJob, type Progress, progressOf } from './decide.js';
import type { SweepFolder } from './folder.js';
import type { Job } from './journal.js';
import type { JobOutcome } from './trial.js';

/** Milliseconds between two looks at the journal while the jobs of other workers decide. */
const waitMs = 500;

export interface WorkOptions {
  /** Does a job; null if the signal ended it. */
  readonly run: (job: Job) => Promise<JobOutcome | null>;
  readonly signal?: AbortSignal | undefined;
  readonly onJob?: ((job: Job, progress: Progress) => void) | undefined;
  readonly onDone?: ((job: Job, outcome: JobOutcome, seconds: number) => void) | undefined;
  readonly onWait?: (() => void) | undefined;
}

/**
 * Works on a sweep until all its jobs are done, beside any other processes that do the same. A job that a
 * killed process has left is done first, from its saved state.
 *
 * @returns whether all is done; false if the signal ended it
 */
export async function work(folder: SweepFolder, options: WorkOptions): Promise<boolean> {
  const { signal } = options;
  const worker = `${process.pid}-${randomBytes(6).toString('hex')}`;
  const own = folder.workerPath(worker);
  await makeFolder(own);
  const life = await lockFolder(own, 'sweep');
  try {
    while (signal?.aborted !== true) {
      const job = await folder.locked(() => claim(folder, worker, options));
      if (job === null) return true;
      if (job === 'wait') {
        options.onWait?.();
        await sleep(waitMs, undefined, { signal }).catch(() => {});
        continue;
      }
      const began = performance.now();
      const outcome = await options.run(job);
      if (outcome === null) return false;
      const seconds = (performance.now() - began) / 1000;
      const at = new Date().toISOString();
      await folder.locked(() =>
        folder.journal.append(
          'value' in outcome
            ? { event: 'done', at, worker, job, value: outcome.value, seconds }
            : { event: 'failed', at, worker, job, ...outcome },
        ),
      );
      options.onDone?.(job, outcome, seconds);
    }
    return false;
  } finally {
    await life.release();
    await rm(own, { recursive: true, force: true }).catch(() => {});
  }
}

async function claim(folder: SweepFolder, worker: string, { onJob }: WorkOptions): Promise<Job | 'wait' | null> {
  const progress = progressOf(await folder.journal.read());
  const alive = new Set<string>();
  for (const { worker: other } of progress.open.values()) {
    if ((await ownerOf(folder.workerPath(other))) !== null) alive.add(other);
  }
  const job = nextJob(folder.definition, progress, (other) => other !== worker && alive.has(other));
  if (job === null || job === 'wait') return job;
  await folder.journal.append({ event: 'claim', at: new Date().toISOString(), worker, job });
  onJob?.(job, progress);
  return job;
}
