import type { lr, Optimizer } from '../optimizer/index.js';

/** The optimizer that each schedule served last in a training, and the state in which it began. */
const uses = new WeakMap<lr.Schedule, { readonly optimizer: Optimizer; readonly initial: lr.ScheduleState }>();

/**
 * Notes that a training uses a schedule. If one with another optimizer has used it before, the schedule
 * begins again, and the result is true.
 */
export function beginAgain(schedule: lr.Schedule, optimizer: Optimizer): boolean {
  const use = uses.get(schedule);
  uses.set(schedule, { optimizer, initial: use?.initial ?? schedule.stateDict() });
  if (use === undefined || use.optimizer === optimizer || schedule.lastEpoch === use.initial.lastEpoch) return false;
  schedule.setStateDict(use.initial);
  return true;
}

/** A note for a new training whose schedule was used before; null if there is nothing to say. */
export function noteOnSchedule({ schedule, steps }: Optimizer, startsAgain: boolean): string | null {
  if (startsAgain) return 'optimizer: its schedule begins again, since another optimizer has used it';
  if (steps === 0 || schedule === null || schedule.lastEpoch <= 0) return null;
  return (
    `optimizer: its schedule continues after ${schedule.lastEpoch} steps, at a rate of ${schedule.getLr()}; make a new ` +
    'optimizer and schedule to begin again'
  );
}
