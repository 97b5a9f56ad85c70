import { InputError } from '../errors.js';
import type { RandomGenerator } from '../random.js';
import type { Json } from '../text/json.js';

/** The values of a parameter of a search. */
export type Range =
  | { readonly kind: 'range' | 'log'; readonly low: number; readonly high: number }
  | { readonly kind: 'int' | 'logInt'; readonly low: number; readonly high: number }
  | { readonly kind: 'choice'; readonly values: readonly Json[] };

/** A key of a configuration whose value is searched for. */
export interface Parameter {
  readonly key: string;
  readonly range: Range;
  /** Values of other parameters for which this one exists; null for always. */
  readonly when: Readonly<Record<string, readonly Json[]>> | null;
}

/** Values by key; parameters that do not exist beside the others are missing. */
export type Values = Readonly<Record<string, Json>>;

export function isActive({ when }: Parameter, values: Values): boolean {
  if (when === null) return true;
  return Object.entries(when).every(([key, allowed]) => {
    return Object.hasOwn(values, key) && allowed.some((one) => JSON.stringify(one) === JSON.stringify(values[key]));
  });
}

/** Number of values of a choice; 0 for numbers. */
export function choicesOf(range: Range): number {
  return range.kind === 'choice' ? range.values.length : 0;
}

/** The value at a place from 0 to 1 of a range. */
export function valueAt(range: Range, place: number): Json {
  if (range.kind === 'choice')
    return range.values[Math.min(range.values.length - 1, Math.floor(place * range.values.length))];
  const { kind, low, high } = range;
  const isInteger = kind === 'int' || kind === 'logInt';
  // Each integer has the same part of the range.
  const [from, to] = isInteger ? [low - 0.5, high + 0.5] : [low, high];
  const isLog = kind === 'log' || kind === 'logInt';
  const value = isLog ? Math.exp(Math.log(from) + place * (Math.log(to) - Math.log(from))) : from + place * (to - from);
  if (isInteger) return Math.min(high, Math.max(low, Math.round(value)));
  // Four digits are enough to search, and can be read.
  return Math.min(high, Math.max(low, Number(value.toPrecision(4))));
}

/** The place from 0 to 1 of a value in its range; the index of a choice. */
export function placeOf(range: Range, value: Json): number {
  if (range.kind === 'choice') return range.values.findIndex((one) => JSON.stringify(one) === JSON.stringify(value));
  const { kind, low, high } = range;
  const [from, to] = kind === 'int' || kind === 'logInt' ? [low - 0.5, high + 0.5] : [low, high];
  const isLog = kind === 'log' || kind === 'logInt';
  const scaled = (x: number) => (isLog ? Math.log(x) : x);
  return from === to ? 0.5 : (scaled(Number(value)) - scaled(from)) / (scaled(to) - scaled(from));
}

/** Chooses values of all parameters that exist, in order. */
export function choose(parameters: readonly Parameter[], pick: (parameter: Parameter, chosen: Values) => Json): Values {
  const chosen: Record<string, Json> = {};
  for (const parameter of parameters) {
    if (isActive(parameter, chosen)) chosen[parameter.key] = pick(parameter, chosen);
  }
  return chosen;
}

export function randomValues(parameters: readonly Parameter[], generator: RandomGenerator): Values {
  return choose(parameters, ({ range }) => valueAt(range, generator.uniform()));
}

/** Most trials of a grid. */
const mostInGrid = 10_000;

/**
 * All combinations of values: every choice and integer, and `levels` values of each other range, from one
 * end to the other.
 *
 * @throws {InputError} if there are too many
 */
export function gridOf(parameters: readonly Parameter[], levels: number): Values[] {
  let found: Values[] = [{}];
  for (const parameter of parameters) {
    const values = levelsOf(parameter.range, levels);
    found = found.flatMap((chosen) =>
      isActive(parameter, chosen) ? values.map((value) => ({ ...chosen, [parameter.key]: value })) : [chosen],
    );
    if (found.length > mostInGrid) {
      throw new InputError(
        `[sweep] grid: expected at most ${mostInGrid} combinations, got more; give smaller ranges, or take the method tpe`,
      );
    }
  }
  return found;
}

function levelsOf(range: Range, levels: number): Json[] {
  if (range.kind === 'choice') return [...range.values];
  const isInteger = range.kind === 'int' || range.kind === 'logInt';
  const count = isInteger ? Math.min(levels, range.high - range.low + 1) : levels;
  const ends = count === 1 ? [0.5] : Array.from({ length: count }, (_, i) => i / (count - 1));
  return [...new Set(ends.map((place) => valueAt(range, place)))];
}
