import { InputError, ShapeError } from '../errors.js';
import { formatShape, sameShape } from '../graph/shape.js';
import { kindOf } from '../kind.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Throws unless a hook, such as `update` of an optimizer, gave one tensor for each of `expected`, with the
 * same shape and dtype.
 */
export function checkResults(owner: object, hook: string, given: readonly Tensor[], expected: readonly Tensor[]): void {
  if (!Array.isArray(given) || given.length !== expected.length) {
    const got = Array.isArray(given) ? given.length : typeof given;
    throw new InputError(`[optimizer] ${kindOf(owner)}.${hook}: expected ${expected.length} tensors, got ${got}`);
  }
  for (let i = 0; i < expected.length; i++) checkResult(owner, hook, given[i], expected[i]);
}

export function checkResult(owner: object, hook: string, given: unknown, expected: Tensor): void {
  if (!(given instanceof Tensor)) {
    throw new InputError(`[optimizer] ${kindOf(owner)}.${hook}: expected tensors, got ${typeof given}`);
  }
  if (sameShape(given.shape, expected.shape) && given.dtype === expected.dtype) return;
  const describe = ({ dtype, shape }: Tensor) => `${dtype} ${formatShape(shape)}`;
  throw new ShapeError(`[optimizer] ${kindOf(owner)}.${hook}: expected ${describe(expected)}, got ${describe(given)}`);
}

/** Throws unless the learning rate is a finite number of at least 0. */
export function checkRate(rate: number): number {
  if (!(rate >= 0 && Number.isFinite(rate))) {
    throw new InputError(
      `[optimizer] learningRate: expected a finite number of at least 0, or a schedule, got ${typeof rate === 'number' ? rate : typeof rate}`,
    );
  }
  return rate;
}

/** Throws unless `0 <= value < 1`. */
export function checkShare(what: string, value: number): number {
  if (!(value >= 0 && value < 1)) throw new InputError(`[optimizer] ${what}: expected 0 <= x < 1, got ${value}`);
  return value;
}

/** Throws unless the decay is a finite number of at least 0. */
export function checkDecay(value: number): number {
  if (!(value >= 0 && Number.isFinite(value))) {
    throw new InputError(`[optimizer] weightDecay: expected a finite number of at least 0, got ${value}`);
  }
  return value;
}
