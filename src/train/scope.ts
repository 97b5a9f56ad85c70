import type { Precision } from '../compiler/precision.js';
import { withPrecision } from '../engine/select.js';
import { type RandomGenerator, withGenerator } from '../random.js';

/** Settings of a single training: other trainings in the process have their own. */
export interface ComputeScope {
  /** Random numbers for shuffling, dropout and so on. Default: the default generator, which `seed` sets. */
  readonly generator?: RandomGenerator | undefined;
  /** A precision that the engine supports. Default: that of `setPrecision`. */
  readonly precision?: Precision | undefined;
}

/**
 * Calls a function in a scope. Graphs are built and programs run synchronously, so an asynchronous function
 * is in the scope until its first `await`.
 */
export function within<T>({ generator, precision }: ComputeScope, body: () => T): T {
  const inside = precision === undefined ? body : () => withPrecision(precision, body);
  return generator === undefined ? inside() : withGenerator(generator, inside);
}
