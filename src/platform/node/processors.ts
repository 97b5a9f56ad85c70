import { availableParallelism } from 'node:os';
import { controlGroups, textOf } from './controlGroups.js';

/** Microseconds. */
const usualPeriod = 100_000;

/**
 * Processors that this process can keep busy: what the system lets it run on, and in a container not more than its
 * share of time. Part of one is left out: threads that work in step would be stopped in turn.
 */
export function availableProcessors(): number {
  const share = Math.min(...controlGroups('cpu').map(shareIn));
  return Math.max(1, Math.min(availableParallelism(), Math.floor(share)));
}

/** Infinite without a limit. */
function shareIn(folder: string): number {
  const [quota, period] = [
    textOf(`${folder}/cpu.max`).split(' '),
    [textOf(`${folder}/cpu.cfs_quota_us`), textOf(`${folder}/cpu.cfs_period_us`)],
  ]
    .map((pair) => pair.map((text) => Number.parseInt(text, 10)))
    .find(([quota]) => quota > 0) ?? [Number.POSITIVE_INFINITY];
  return quota / (period || usualPeriod);
}
