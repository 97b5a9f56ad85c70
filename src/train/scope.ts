import type { Precision } from '../compiler/precision.js';
import { withPrecision } from '../engine/select.js';
import { type RandomGenerator, withGenerator } from '../random.js';

/** Settings that a training has to itself: other trainings in the process keep theirs. */
export interface ComputeScope {
  /** Shuffles, drops out and so on. Default: the default generator, which `seed` sets. */
  readonly generator?: RandomGenerator | undefined;
  /** A precision that the engine supports. Default: that of `setPrecision`. */
  readonly precision?: Precision | undefined;
}

/**
 * Calls a function in a scope. Graphs are built and programs run synchronously, so an asynchronous function is in the
 * scope up to its first `await`.
 */
export function within<T>({ generator, precision }: ComputeScope, body: () => T): T {
  const inside = precision === undefined ? body : () => withPrecision(precision, body);
  return generator === undefined ? inside() : withGenerator(generator, inside);
}
