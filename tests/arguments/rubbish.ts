import { FoveaError } from '../../src/errors.js';
import { Linear } from '../../src/nn/index.js';
import { tensor } from '../../src/tensor/fromArrays.js';
import { Tensor } from '../../src/tensor/tensor.js';

/** Values that plain JavaScript may hand to any parameter. Each call makes new ones. */
export function rubbish(): readonly unknown[] {
  return [
    undefined,
    null,
    Number.NaN,
    -1,
    0,
    1.5,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    '',
    'rubbish',
    true,
    10n,
    Symbol('rubbish'),
    [],
    [1.5],
    [null],
    {},
    Object.create(null),
    () => undefined,
    Linear,
    new Linear(2, 2),
    tensor([[1, 2]]),
    Tensor,
    new Map(),
    new Date(0),
    new Float64Array(2),
    Promise.resolve(1),
  ];
}

/** The places of a list of arguments: whole arguments, options, and items of arrays, one level deep each. */
export type Place = readonly (string | number)[];

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export function placesOf(args: readonly unknown[]): Place[] {
  return args.flatMap((value, i): Place[] => {
    if (isPlain(value)) return [[i], ...Object.keys(value).map((key) => [i, key])];
    if (Array.isArray(value) && value.length > 0) return [[i], [i, 0]];
    return [[i]];
  });
}

/** The arguments with another value at a place. */
export function withValueAt(args: readonly unknown[], [i, inner]: Place, value: unknown): unknown[] {
  const changed = [...args];
  const old = args[i as number];
  if (inner === undefined) changed[i as number] = value;
  else if (Array.isArray(old)) changed[i as number] = old.map((item, j) => (j === inner ? value : item));
  else changed[i as number] = { ...(old as object), [inner]: value };
  return changed;
}

export function describePlace([i, inner]: Place): string {
  return inner === undefined ? `argument ${i}` : `argument ${i}, ${String(inner)}`;
}

/** Why an outcome is a fault: anything thrown but an error of Fovea's own that says what it expected. */
export function faultOf(error: unknown): string | null {
  if (error instanceof FoveaError && error.name !== 'InternalError') return null;
  return error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${typeof error}`;
}
