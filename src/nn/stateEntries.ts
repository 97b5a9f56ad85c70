import { rule } from '../check.js';
import type { DType, TypedArray } from '../graph/dtype.js';
import { formatShape, numel, type Shape, sameShape } from '../graph/shape.js';
import type { State } from '../tensor/state.js';

/** A named array on its way to or from a file. */
export interface StateEntry {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: TypedArray;
}

/** An entry that does not fit its layer, and the reason. */
export interface StateMismatch {
  readonly name: string;
  readonly kind: 'missing' | 'unknown' | 'shape' | 'dtype';
  readonly message: string;
}

/** Arrays by name, as a file gives them. */
export const stateEntries = rule<ReadonlyMap<string, StateEntry>>(
  'a Map of arrays { shape, dtype, data } by name, such as io.load gives',
  (x) => x instanceof Map && [...x.values()].every(isEntry),
);

function isEntry(value: unknown): boolean {
  const { shape, dtype, data } = (value ?? {}) as Partial<StateEntry>;
  return Array.isArray(shape) && typeof dtype === 'string' && ArrayBuffer.isView(data);
}

/** The entries that do not fit the states, in the order of the states. */
export function findMismatches(
  states: ReadonlyMap<string, State>,
  entries: ReadonlyMap<string, StateEntry>,
): StateMismatch[] {
  const found: StateMismatch[] = [];
  for (const [name, { shape, dtype }] of states) {
    const entry = entries.get(name);
    if (entry === undefined) {
      found.push({ name, kind: 'missing', message: `missing: ${name} ${formatShape(shape)}` });
    } else if (!sameShape(entry.shape, shape) || entry.data.length !== numel(shape)) {
      const message = `shape of ${name}: expected ${formatShape(shape)}, got ${formatShape(entry.shape)}`;
      found.push({ name, kind: 'shape', message });
    } else if (entry.dtype !== dtype) {
      found.push({ name, kind: 'dtype', message: `dtype of ${name}: expected ${dtype}, got ${entry.dtype}` });
    }
  }
  for (const name of entries.keys()) {
    if (!states.has(name)) found.push({ name, kind: 'unknown', message: `unknown: ${name}` });
  }
  return found;
}

const mostShown = 4;

/** For each kind, their number and the first of them. */
export function describeMismatches(mismatches: readonly StateMismatch[]): string {
  const kinds = { missing: 'missing', shape: 'misshapen', dtype: 'of another type', unknown: 'unknown' } as const;
  const parts = Object.entries(kinds).flatMap(([kind, title]) => {
    const own = mismatches.filter((mismatch) => mismatch.kind === kind);
    if (own.length === 0) return [];
    const shown = own.slice(0, mostShown).map(({ message }) => message.replace(/^(missing:|unknown:|\w+ of) /, ''));
    const more = own.length > mostShown ? ` and ${own.length - mostShown} more` : '';
    return [`${own.length} ${title}: ${shown.join(', ')}${more}`];
  });
  return parts.join('; ');
}
