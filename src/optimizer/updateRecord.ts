import { InputError } from '../errors.js';
import { formatShape, sameShape } from '../graph/shape.js';
import type { StateEntry, StateMismatch } from '../nn/stateEntries.js';
import { Buffer } from '../tensor/state.js';

/** The states of one parameter, and the number of its updates. */
export interface UpdateRecord {
  /** In the order of the optimizer's `stateNames`. */
  readonly states: readonly Buffer[];
  updates: number;
}

/** The name of a parameter's count of updates in a file. */
export const updatesKey = 'updates';

/** The arrays of an optimizer by name: those of `Optimizer.stateDict`. */
export function stateDictOf(
  records: ReadonlyMap<string, UpdateRecord>,
  {
    stateNames,
    countsUpdates,
    steps,
  }: { readonly stateNames: readonly string[]; readonly countsUpdates: boolean; readonly steps: number },
): Map<string, Buffer> {
  const dict = statesByName(records, stateNames);
  for (const [name, { updates }] of records) {
    if (!countsUpdates || updates === steps) continue;
    dict.set(`${name}.${updatesKey}`, new Buffer(Int32Array.of(updates), [1]));
  }
  return dict;
}

function statesByName(records: ReadonlyMap<string, UpdateRecord>, stateNames: readonly string[]): Map<string, Buffer> {
  const dict = new Map<string, Buffer>();
  for (const [name, { states }] of records) {
    states.forEach((state, i) => {
      dict.set(`${name}.${stateNames[i]}`, state);
    });
  }
  return dict;
}

/**
 * Overwrites the records with arrays that {@link stateDictOf} gave.
 *
 * @returns what was skipped; nothing without `skipMismatch`
 * @throws {InputError} if an entry is missing or misshapen; nothing is overwritten then
 */
export function loadRecords(
  records: ReadonlyMap<string, UpdateRecord>,
  stateNames: readonly string[],
  entries: ReadonlyMap<string, StateEntry>,
  { steps, skipMismatch = false }: { readonly steps: number; readonly skipMismatch?: boolean | undefined },
): StateMismatch[] {
  const dict = statesByName(records, stateNames);
  const updates = new Map([...records.keys()].map((name) => [name, updatesIn(entries, name) ?? steps]));
  const skipped = new Map<string, StateMismatch>();
  for (const [name, { shape }] of dict) {
    const entry = entries.get(name);
    if (entry !== undefined && sameShape(entry.shape, shape)) continue;
    const got = entry === undefined ? 'none' : formatShape(entry.shape);
    const message = `state ${name}: expected ${formatShape(shape)}, got ${got}`;
    if (!skipMismatch) {
      throw new InputError(`[optimizer] ${message}; it belongs to another network or optimizer`);
    }
    skipped.set(name, { name, kind: entry === undefined ? 'missing' : 'shape', message });
  }
  for (const [name, record] of records) {
    const own = stateNames.map((state) => `${name}.${state}`);
    // The states of a parameter and its count belong together.
    if (own.some((key) => skipped.has(key))) continue;
    for (const key of own) dict.get(key)?.load((entries.get(key) as StateEntry).data);
    record.updates = updates.get(name) as number;
  }
  return [...skipped.values()];
}

/** The number of updates of a parameter, if the entries have it. */
function updatesIn(entries: ReadonlyMap<string, StateEntry>, parameter: string): number | null {
  const key = `${parameter}.${updatesKey}`;
  const entry = entries.get(key);
  if (entry === undefined) return null;
  const { data } = entry;
  if (data.length !== 1 || !Number.isInteger(data[0]) || data[0] < 0) {
    const got = data.length === 1 ? data[0] : `${data.length} values`;
    throw new InputError(
      `[optimizer] state ${key}: expected one integer of at least 0, got ${got}; the file is damaged`,
    );
  }
  return data[0];
}
