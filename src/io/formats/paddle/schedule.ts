import type { ScheduleState } from '../../../optimizer/lr/schedule.js';
import { NumpyArray } from './numpy.js';
import type { PickleValue } from './pickleValue.js';
import type { Picklable } from './pickleWriter.js';

/** Names of Paddle's `LR_Scheduler` entry by ours. */
const numbers = {
  lastEpoch: 'last_epoch',
  lastLr: 'last_lr',
  best: 'best',
  badEpochs: 'num_bad_epochs',
  cooldownCounter: 'cooldown_counter',
} as const;
const inner = 'LinearWarmup_LR';
/** Limit of schedules within schedules. */
const maxDepth = 4;

/**
 * Converts Paddle's state of a schedule to ours; null if the value is none. Additional entries of a user's
 * schedule are left out.
 */
export function scheduleOf(value: PickleValue | undefined, depth = 0): ScheduleState | null {
  if (!(value instanceof Map) || depth > maxDepth) return null;
  const found: Record<string, unknown> = {};
  for (const [ours, theirs] of Object.entries(numbers)) {
    const entry = value.get(theirs);
    // ReduceOnPlateau keeps the best loss as it came: a number or an array of one.
    const plain = entry instanceof NumpyArray ? entry.toTensor(theirs).data[0] : entry;
    if (typeof plain === 'number' || plain === null) found[ours] = plain;
  }
  if (typeof found.lastEpoch !== 'number' || typeof found.lastLr !== 'number') return null;
  if (value.has(inner)) {
    found.inner = scheduleOf(value.get(inner), depth + 1);
    if (found.inner === null) return null;
  }
  return found as unknown as ScheduleState;
}

/** Converts our state of a schedule to Paddle's. */
export function paddleSchedule(state: ScheduleState): Map<string, Picklable> {
  const entries = new Map<string, Picklable>();
  for (const [ours, theirs] of Object.entries(numbers) as [keyof typeof numbers, string][]) {
    const value = state[ours];
    if (value !== undefined) entries.set(theirs, value);
  }
  if (state.inner !== undefined) entries.set(inner, paddleSchedule(state.inner));
  return entries;
}
