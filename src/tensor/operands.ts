import * as check from '../check.js';
import type { Padding, Pair } from '../graph/op.js';
import { RandomGenerator } from '../random.js';
import { Tensor } from './tensor.js';

// Options of the functions of `F` and of the layers that call them, and their checks.

/** One number for both axes, or `[height, width]`. */
export type Size2D = number | Pair;

/**
 * Zeros around an image: one number for all sides, `[vertical, horizontal]`, or `[top, bottom, left, right]`.
 */
export type Padding2D = number | Pair | Padding;

export type Reduction = 'mean' | 'sum' | 'none';

export const count = check.integer(1);
const breadth = check.integer(0);

const isListOf = (item: check.Check, ...lengths: readonly number[]) => {
  return (x: unknown) => Array.isArray(x) && lengths.includes(x.length) && x.every((one) => item.is(one));
};

/** A positive size, or one for each axis. */
export const size2D = check.ofShape(
  check.rule<Size2D>('a positive integer, or [height, width]', (x) => count.is(x) || isListOf(count, 2)(x)),
);
const padding2D = check.ofShape(
  check.rule<Padding2D>('an integer from 0 on, [vertical, horizontal], or [top, bottom, left, right]', (x) => {
    return breadth.is(x) || isListOf(breadth, 2, 4)(x);
  }),
);

export function pairOf(size: Size2D): Pair {
  return typeof size === 'number' ? [size, size] : size;
}

export function paddingOf(padding: Padding2D): Padding {
  if (typeof padding === 'number') return [padding, padding, padding, padding];
  if (padding.length === 4) return padding;
  return [padding[0], padding[0], padding[1], padding[1]];
}

const reductions: check.Check<Reduction> = check.oneOf(['mean', 'sum', 'none']);

export interface Conv2dOptions {
  /** Default: 1. */
  readonly stride?: Size2D;
  /** Default: 0. */
  readonly padding?: Padding2D;
  /** Default: 1. */
  readonly dilation?: Size2D;
  /** Default: 1. */
  readonly groups?: number;
}

export const convChecks: check.OptionChecks<Conv2dOptions> = {
  stride: size2D,
  padding: padding2D,
  dilation: size2D,
  groups: count,
};

/** The parameters of a convolution from checked options. */
export function convParams({ stride = 1, padding = 0, dilation = 1, groups = 1 }: Conv2dOptions) {
  return { stride: pairOf(stride), padding: paddingOf(padding), dilation: pairOf(dilation), groups };
}

export interface Pool2dOptions {
  /** Default: the kernel size. */
  readonly stride?: Size2D;
  /** Default: 0. */
  readonly padding?: Padding2D;
}

export interface AvgPool2dOptions extends Pool2dOptions {
  /** Leaves the padding out of the mean (true, as in Paddle; PyTorch's default is the opposite). */
  readonly exclusive?: boolean;
}

export const poolChecks: check.OptionChecks<Pool2dOptions> = { stride: size2D, padding: padding2D };
export const avgPoolChecks: check.OptionChecks<AvgPool2dOptions> = { ...poolChecks, exclusive: check.flag };

export interface DropoutOptions {
  /** Probability of dropping an element, from 0 up to but not including 1. Default: 0.5. */
  readonly p?: number;
  /** Outside of training, nothing is dropped. Default: true. */
  readonly training?: boolean;
  /**
   * `upscaleInTrain` (default) divides the remaining elements by 1 − p in training. `downscaleInInfer`
   * multiplies by 1 − p outside of training instead.
   */
  readonly mode?: 'upscaleInTrain' | 'downscaleInInfer';
  /** Default: the generator that `seed()` sets. */
  readonly generator?: RandomGenerator;
}

export const dropoutChecks: check.OptionChecks<DropoutOptions> = {
  p: check.rule<number>('0 <= p < 1', check.shareBelowOne.is),
  training: check.flag,
  mode: check.oneOf(['upscaleInTrain', 'downscaleInInfer']),
  generator: check.instanceOf(RandomGenerator),
};

export interface CrossEntropyOptions {
  /**
   * Default: `mean`, as in Paddle: the sum divided by the number of samples. Ignored samples count only if
   * `ignoreIndex` is negative. With weights, the divisor is the sum of the samples' weights. The mean is 0 if
   * no sample counts.
   */
  readonly reduction?: Reduction;
  /** The loss of samples with this label is 0. Default: -100. */
  readonly ignoreIndex?: number;
  /** Weight of each class, `[C]`. */
  readonly weight?: Tensor | undefined;
  /**
   * Share of each target that is spread evenly over all classes (Szegedy et al., 2016), as in PyTorch: with
   * weights, each class counts by its own. Default: 0.
   */
  readonly labelSmoothing?: number | undefined;
}

export const crossEntropyChecks: check.OptionChecks<CrossEntropyOptions> = {
  reduction: reductions,
  ignoreIndex: check.integer(-(2 ** 31), 2 ** 31 - 1),
  weight: check.instanceOf(Tensor),
  labelSmoothing: check.share,
};

/** Options of losses that are means of elementwise terms. */
export interface LossOptions {
  /** Default: `mean`. */
  readonly reduction?: Reduction;
}

export const lossChecks: check.OptionChecks<LossOptions> = { reduction: reductions };
