import type { NumpyArray } from './numpy.js';

/**
 * The contents of a pickle: tuples are frozen arrays, dicts are maps, `bytes` are views of the file's memory.
 * The same object can stand in several places, and a container in itself.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | NumpyArray
  | readonly PickleValue[]
  | ReadonlyMap<PickleKey, PickleValue>;

export type PickleKey = null | boolean | number | bigint | string;
