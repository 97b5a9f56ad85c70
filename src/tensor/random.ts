import * as check from '../check.js';
import { InputError } from '../errors.js';
import { allocate } from '../graph/dtype.js';
import { checkShape, numel, type Shape } from '../graph/shape.js';
import { defaultGenerator, RandomGenerator } from '../random.js';
import { Tensor } from './tensor.js';

export interface RandomOptions {
  /** The generator of the numbers (the one that `seed()` sets). */
  readonly generator?: RandomGenerator;
}

export interface UniformOptions extends RandomOptions {
  /** Default: −1. */
  readonly min?: number;
  /** Default: 1. */
  readonly max?: number;
}

const randomChecks: check.OptionChecks<RandomOptions> = { generator: check.instanceOf(RandomGenerator) };
const uniformChecks: check.OptionChecks<UniformOptions> = { ...randomChecks, min: check.finite, max: check.finite };

const generatorOf = (where: string, options: RandomOptions): RandomGenerator =>
  check.requireOptions(where, options, randomChecks).generator ?? defaultGenerator();

/** float32, uniform from 0 up to but not including 1: `rand([2, 3])`. */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  return Tensor.fromData(generatorOf('rand', options).fillUniform(zeros('rand', shape), 0, 1), shape);
}

/** float32, uniform from `min` (−1) to `max` (1). */
export function uniform(shape: Shape, options: UniformOptions = {}): Tensor {
  const { min = -1, max = 1, generator = defaultGenerator() } = check.requireOptions('uniform', options, uniformChecks);
  return Tensor.fromData(generator.fillUniform(zeros('uniform', shape), min, max), shape);
}

/** float32, from the normal distribution with mean 0 and standard deviation 1. */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  return Tensor.fromData(generatorOf('randn', options).fillNormal(zeros('randn', shape), 0, 1), shape);
}

/** float32, from the normal distribution. */
export function normal(mean: number, std: number, shape: Shape, options: RandomOptions = {}): Tensor {
  check.requireValue('normal', 'mean', mean, check.finite);
  check.requireValue('normal', 'std', std, check.nonNegative);
  return Tensor.fromData(generatorOf('normal', options).fillNormal(zeros('normal', shape), mean, std), shape);
}

/** int32 from `low` to `high` − 1; from 0 to `low` − 1 if `high` is null. The default shape is `[1]`. */
export function randint(
  low: number,
  high: number | null = null,
  shape: Shape = [1],
  options: RandomOptions = {},
): Tensor {
  const generator = generatorOf('randint', options);
  const [from, to] = high === null ? [0, low] : [low, high];
  const fits = (bound: number) => Number.isInteger(bound) && bound >= -(2 ** 31) && bound <= 2 ** 31;
  if (!fits(from) || !fits(to) || from >= to) {
    throw new InputError(
      `[randint] range: expected 32-bit integers low < high, got ${check.shown(from)} and ${check.shown(to)}`,
    );
  }
  checkShape('randint', shape);
  const data = allocate('int32', numel(shape));
  for (let i = 0; i < data.length; i++) data[i] = from + generator.int(to - from);
  return Tensor.fromData(data, shape);
}

/** The int32 numbers from 0 to n − 1 in random order. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  check.requireValue('randperm', 'n', n, check.integer(1, 2 ** 31));
  return Tensor.fromData(Int32Array.from(generatorOf('randperm', options).permutation(n)), [n]);
}

function zeros(where: string, shape: Shape): Float32Array {
  checkShape(where, shape);
  return allocate('float32', numel(shape));
}
