import * as check from '../check.js';
import { InputError, ShapeError } from '../errors.js';
import { formatShape, sameShape } from '../graph/shape.js';
import { kindOf } from '../kind.js';
import { Parameter } from '../tensor/state.js';
import { Tensor } from '../tensor/tensor.js';
import { Schedule } from './lr/schedule.js';
import type { OptimizerOptions } from './options.js';

/**
 * Throws unless a hook, such as `update` of an optimizer, gave one tensor for each of `expected`, with the
 * same shape and dtype.
 */
export function checkResults(owner: object, hook: string, given: readonly Tensor[], expected: readonly Tensor[]): void {
  if (!Array.isArray(given) || given.length !== expected.length) {
    const got = Array.isArray(given) ? given.length : check.shown(given);
    throw new InputError(`[optimizer] ${kindOf(owner)}.${hook}: expected ${expected.length} tensors, got ${got}`);
  }
  for (let i = 0; i < expected.length; i++) checkResult(owner, hook, given[i], expected[i]);
}

export function checkResult(owner: object, hook: string, given: unknown, expected: Tensor): void {
  if (!(given instanceof Tensor)) {
    throw new InputError(`[optimizer] ${kindOf(owner)}.${hook}: expected tensors, got ${check.shown(given)}`);
  }
  if (sameShape(given.shape, expected.shape) && given.dtype === expected.dtype) return;
  const describe = ({ dtype, shape }: Tensor) => `${dtype} ${formatShape(shape)}`;
  throw new ShapeError(`[optimizer] ${kindOf(owner)}.${hook}: expected ${describe(expected)}, got ${describe(given)}`);
}

/** Throws unless the learning rate is a finite number of at least 0. */
export function checkRate(rate: number): number {
  return check.requireValue('optimizer', 'learningRate', rate, rateCheck);
}

const rateCheck = check.rule<number>('a finite number of at least 0, or a schedule', check.nonNegative.is);

/** The options of every optimizer. */
export const optimizerChecks: check.OptionChecks<OptimizerOptions> = {
  parameters: check.listOf(check.instanceOf(Parameter), { least: 1 }),
  learningRate: check.either(rateCheck, check.instanceOf(Schedule), rateCheck.expected),
  gradClip: check.withMethods('a clip, such as ClipGradByNorm', 'clip'),
  average: check.shareBelowOne,
};
