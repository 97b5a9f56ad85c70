import { InputError } from '../errors.js';
import { checkShape, numel, type Shape } from '../graph/shape.js';
import { defaultGenerator, type RandomGenerator } from '../random.js';
import { Tensor } from './tensor.js';

export interface RandomOptions {
  /** The generator of the numbers (the one that `seed()` sets). */
  readonly generator?: RandomGenerator;
}

/** float32, uniform from 0 up to but not including 1: `rand([2, 3])`. */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  return uniform(shape, { ...options, min: 0, max: 1 });
}

/** float32, uniform from `min` (−1) to `max` (1). */
export function uniform(
  shape: Shape,
  {
    min = -1,
    max = 1,
    generator = defaultGenerator(),
  }: RandomOptions & { readonly min?: number; readonly max?: number } = {},
): Tensor {
  return Tensor.fromData(generator.fillUniform(zeros('uniform', shape), min, max), shape);
}

/** float32, from the normal distribution with mean 0 and standard deviation 1. */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  return normal(0, 1, shape, options);
}

/** float32, from the normal distribution. */
export function normal(
  mean: number,
  std: number,
  shape: Shape,
  { generator = defaultGenerator() }: RandomOptions = {},
): Tensor {
  return Tensor.fromData(generator.fillNormal(zeros('normal', shape), mean, std), shape);
}

/** int32 from `low` to `high` − 1; from 0 to `low` − 1 if `high` is null. The default shape is `[1]`. */
export function randint(
  low: number,
  high: number | null = null,
  shape: Shape = [1],
  { generator = defaultGenerator() }: RandomOptions = {},
): Tensor {
  const [from, to] = high === null ? [0, low] : [low, high];
  const fits = (bound: number) => Number.isInteger(bound) && bound >= -(2 ** 31) && bound <= 2 ** 31;
  if (!fits(from) || !fits(to) || from >= to) {
    throw new InputError(`[randint] range: expected 32-bit integers low < high, got ${from} and ${to}`);
  }
  checkShape('randint', shape);
  return Tensor.fromData(
    Int32Array.from({ length: numel(shape) }, () => from + generator.int(to - from)),
    shape,
  );
}

/** The int32 numbers from 0 to n − 1 in random order. */
export function randperm(n: number, { generator = defaultGenerator() }: RandomOptions = {}): Tensor {
  if (!Number.isInteger(n) || n < 1 || n > 2 ** 31) {
    throw new InputError(`[randperm] n: expected a positive integer, got ${n}`);
  }
  return Tensor.fromData(Int32Array.from(generator.permutation(n)), [n]);
}

function zeros(where: string, shape: Shape): Float32Array {
  checkShape(where, shape);
  return new Float32Array(numel(shape));
}
