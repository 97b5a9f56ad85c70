import { availableParallelism } from 'node:os';
import { controlGroups, textOf } from './controlGroups.js';

/** Microseconds. */
const usualPeriod = 100_000;

/**
 * Number of processors that this process can keep busy: those that the system lets it run on, in a container
 * at most its share of time, rounded down. With a fraction more, the system would stop threads in turn, and
 * the others would wait.
 */
export function availableProcessors(): number {
  const share = Math.min(...controlGroups('cpu').map(shareIn));
  return Math.max(1, Math.min(availableParallelism(), Math.floor(share)));
}

/** Processors by the limit of a control group. Infinite without a limit. */
function shareIn(folder: string): number {
  const [quota, period] = [
    textOf(`${folder}/cpu.max`).split(' '),
    [textOf(`${folder}/cpu.cfs_quota_us`), textOf(`${folder}/cpu.cfs_period_us`)],
  ]
    .map((pair) => pair.map((text) => Number.parseInt(text, 10)))
    .find(([quota]) => quota > 0) ?? [Number.POSITIVE_INFINITY];
  return quota / (period || usualPeriod);
}
