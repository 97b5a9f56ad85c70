import * as check from '../check.js';
import { allocate } from '../graph/dtype.js';
import { numel, type Shape } from '../graph/shape.js';
import { defaultGenerator, RandomGenerator } from '../random.js';

/** Number of inputs that one output sums over, and of outputs that one input reaches. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Options of random initializers. */
export interface InitializerOptions {
  /** Default: the default generator at the time the values are made; see `seed` and `withGenerator`. */
  readonly generator?: RandomGenerator;
}

/** Makes the initial values of a parameter. */
export type Initializer = (shape: Shape, fans: Fans) => Float32Array;

const checks: check.OptionChecks<InitializerOptions> = { generator: check.instanceOf(RandomGenerator) };

/** One value everywhere. */
export function constant(value: number): Initializer {
  check.requireValue('constant', 'value', value, check.finite);
  return (shape) => allocate('float32', numel(shape)).fill(value);
}

/** Normal distribution. */
export function normal(mean = 0, std = 1, options: InitializerOptions = {}): Initializer {
  check.requireValue('normal', 'mean', mean, check.finite);
  check.requireValue('normal', 'std', std, check.nonNegative);
  const { generator } = check.requireOptions('normal', options, checks);
  return (shape) => {
    const data = allocate('float32', numel(shape));
    (generator ?? defaultGenerator()).fillNormal(data, mean, std);
    return data;
  };
}

/** Uniform distribution from `low` to `high`. */
export function uniform(low = -1, high = 1, options: InitializerOptions = {}): Initializer {
  check.requireValue('uniform', 'low', low, check.finite);
  check.requireValue('uniform', 'high', high, check.rule(`a finite number from low = ${low} on`, isFrom(low)));
  const { generator } = check.requireOptions('uniform', options, checks);
  return (shape) => {
    const data = allocate('float32', numel(shape));
    (generator ?? defaultGenerator()).fillUniform(data, low, high);
    return data;
  };
}

/** Uniform within ±√(6/(fanIn + fanOut)) (Glorot & Bengio, 2010): the default of Linear. */
export function xavierUniform(options: InitializerOptions = {}): Initializer {
  check.requireOptions('xavierUniform', options, checks);
  return (shape, fans) => {
    const limit = Math.sqrt(6 / (fans.fanIn + fans.fanOut));
    return uniform(-limit, limit, options)(shape, fans);
  };
}

/** Normal with standard deviation √(2/fanIn) (He et al., 2015): the default of Conv2D. */
export function kaimingNormal(options: InitializerOptions = {}): Initializer {
  check.requireOptions('kaimingNormal', options, checks);
  return (shape, fans) => normal(0, Math.sqrt(2 / fans.fanIn), options)(shape, fans);
}

/** Uniform within ±√(6/fanIn) (He et al., 2015). */
export function kaimingUniform(options: InitializerOptions = {}): Initializer {
  check.requireOptions('kaimingUniform', options, checks);
  return (shape, fans) => {
    const limit = Math.sqrt(6 / fans.fanIn);
    return uniform(-limit, limit, options)(shape, fans);
  };
}

function isFrom(least: number): (value: unknown) => boolean {
  return (value) => check.finite.is(value) && value >= least;
}
