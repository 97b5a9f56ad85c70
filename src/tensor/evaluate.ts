import { nextTurn } from '#platform';
import type { MemoryNeed } from '../engine/memory.js';
import { currentEngine } from '../engine/select.js';
import type { Assignment, Value } from '../graph/node.js';
import type { Storage } from '../graph/storage.js';
import { waitingFor } from '../graph/waiting.js';
import { plan, realize } from '../runtime/realize.js';

/** Milliseconds of synchronous programs before the event loop gets a turn (signals, timers, decoding). */
const turnInterval = 10;
let lastTurn = performance.now();

/**
 * Computes tensors that have no data yet, all in one program.
 *
 * @param assigned states that this program overwrites too
 * @param finite single numbers among the tensors. Nothing is overwritten unless all of them are finite
 */
export async function realizeAll(
  tensors: readonly { readonly value: Value }[],
  assigned: readonly Assignment[] = [],
  finite: readonly Value[] = [],
): Promise<void> {
  const values = tensors.map((tensor) => tensor.value);
  const isDone = assigned.length === 0 && finite.length === 0 && values.every(({ storage }) => storage !== null);
  // Code that only reads data, such as the conversion of files, opens no engine.
  if (!isDone) realize(currentEngine(), values, assigned, finite);
  if (performance.now() - lastTurn > turnInterval) {
    await nextTurn();
    lastTurn = performance.now();
  }
}

/** Computes waiting states, such as running statistics, before the data that they need are overwritten. */
export function computeWaiting(overwritten: Storage): void {
  const states = waitingFor(overwritten);
  if (states.length === 0) return;
  const assigned = states.map((target) => ({ target, value: target.value, storage: target.storage }));
  realize(currentEngine(), [], assigned);
}

/** The memory that {@link realizeAll} would take. Nothing runs. */
export function planAll(
  tensors: readonly { readonly value: Value }[],
  assigned: readonly Assignment[] = [],
  finite: readonly Value[] = [],
): MemoryNeed {
  const values = tensors.map((tensor) => tensor.value);
  return plan(currentEngine(), values, assigned, finite);
}
