import type { DType, OutputDType } from './dtype.js';
import type { Shape } from './shape.js';
import type { UnaryFn } from './unaryFunctions.js';

/**
 * The vocabulary of the graph: every op by name with its parameters.
 *
 * Parameters are plain data (numbers, strings, booleans, arrays of them) and belong to the structure of a
 * graph: two graphs that differ in a parameter are compiled separately. A number that changes from step to
 * step (a learning rate, a dropout seed) is therefore an input.
 *
 * The comment of each op gives `inputs -> outputs`. Images are NCHW. Float means float32.
 */
export interface OpParams {
  /** `-> y`: a tensor filled with one value. */
  constant: { readonly shape: Shape; readonly dtype: DType; readonly value: number };

  /** `x -> y` float, elementwise. */
  unary: Activation;
  /** `dy, y -> dx` float: gradient of a unary op from its output y, or from its input (`gradFrom`). */
  unaryBackward: Activation;
  /** `x -> scale·x + shift` float. */
  affine: { readonly scale: number; readonly shift: number };
  /** `a, b -> y` under broadcasting; operands of one dtype. Comparisons give uint8. */
  binary: { readonly fn: BinaryFn; readonly activation?: Activation };
  /** `condition (uint8), a, b -> y`, all of one shape: a where the condition is not 0, else b. */
  select: Empty;
  /** `x -> y`: floats to integers truncate towards zero and saturate; NaN becomes 0. */
  cast: { readonly dtype: DType };

  /** `x -> y` with the same elements in row-major order. */
  reshape: { readonly shape: Shape };
  /** `x -> y`, where axis i of y is axis permutation[i] of x. */
  transpose: { readonly permutation: readonly number[] };
  /** `x -> y` repeated along axes of size 1 or missing leading axes. */
  broadcastTo: { readonly shape: Shape };
  /** `x0, x1, … -> y` joined along an axis. */
  concat: { readonly axis: number };
  /** `x -> y = x[starts[i] : starts[i] + sizes[i]]` on every axis. */
  slice: { readonly starts: readonly number[]; readonly sizes: readonly number[] };
  /** `x -> y` with `before[i]` and `after[i]` elements of `value` added on axis i. */
  pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number };

  /** `x -> y` float. Axes are sorted and unique; without keepdim they vanish. */
  reduce: { readonly fn: ReduceFn; readonly axes: readonly number[]; readonly keepdim: boolean };
  /** `x -> int32` index of the largest element along an axis (the first one, if several are equal). */
  argmax: { readonly axis: number; readonly keepdim: boolean };
  /**
   * `x -> values, indices (int32)`: the k largest along an axis, largest first; among equals the lower index
   * first.
   */
  topk: { readonly k: number; readonly axis: number };

  /**
   * `x [N,C,H,W], weight [O,C/groups,kh,kw], bias? [O], summand? [N,O,OH,OW] -> y [N,O,OH,OW]`; a summand
   * comes before the activation.
   */
  conv2d: Conv2dParams & { readonly activation?: Activation };
  /** `dy, weight -> dx` of shape inputShape. */
  conv2dBackwardData: Conv2dParams & { readonly inputShape: Shape };
  /** `x, dy -> dWeight, dBias?` (dBias exists if `bias`). */
  conv2dBackwardWeights: Conv2dParams & { readonly weightShape: Shape; readonly bias: boolean };

  /**
   * `a [B,M,K], b [B,K,N] -> y [B,M,N]`: a product of matrices for each of B; a transposed one is stored so.
   */
  matmul: MatmulParams;

  /** `x [N,I], weight [I,O], bias? [O] -> y [N,O]` */
  linear: { readonly activation?: Activation };
  /** `dy [N,O], weight [I,O] -> dx [N,I]` */
  linearBackwardData: Empty;
  /** `x, dy -> dWeight [I,O], dBias? [O]` */
  linearBackwardWeights: { readonly bias: boolean };

  /** `x -> y, argmax (opaque)`. Padding never wins; of equal elements the first in row-major order wins. */
  maxPool2d: Pool2dParams;
  /** `dy, argmax -> dx` of shape inputShape. */
  maxPool2dBackward: Pool2dParams & { readonly inputShape: Shape };
  /**
   * `x -> y`: mean over the window, padding counted as zeros if `countIncludePad`, else left out of the mean.
   */
  avgPool2d: Pool2dParams & { readonly countIncludePad: boolean };
  /** `dy -> dx` of shape inputShape. */
  avgPool2dBackward: Pool2dParams & { readonly countIncludePad: boolean; readonly inputShape: Shape };
  /** `x -> y`: cell (i, j) is the mean of rows ⌊iH/OH⌋ … ⌈(i+1)H/OH⌉ and columns likewise. */
  adaptiveAvgPool2d: { readonly outputSize: Pair };
  /** `dy -> dx` of shape inputShape. */
  adaptiveAvgPool2dBackward: { readonly outputSize: Pair; readonly inputShape: Shape };

  /**
   * `x, mean, variance, scale, shift -> y = (x − mean)/√(variance + epsilon)·scale + shift`, statistics
   * given.
   */
  batchNorm: BatchNormParams;
  /**
   * `x, scale, shift -> y, mean, variance, mask (opaque)`: statistics of the batch over N, H and W; the
   * variance is the biased one. With `relu`, y is max(y, 0) and `mask` says where it was positive; with a
   * `gate` y is its result. A fourth input is added to y before that.
   */
  batchNormTrain: BatchNormParams;
  /**
   * `x, mean, variance, scale, shift, dy, mask -> dx, dScale, dShift` of batchNormTrain. Two more inputs say
   * that something was added to its y: `y, dy2?`, of which the gradient is that of y, and a fourth output: dy
   * + dy2, with `relu` where y > 0.
   */
  batchNormBackward: BatchNormParams;
  /**
   * `x [N,C,H,W], scale [N,C,1,1], shift? [N,C,1,1] -> y = x·scale + shift`: each channel of each image by
   * its own numbers. The compiler adds the shift.
   */
  scaleChannels: Empty;
  /** `x, scale, dy -> dx = dy·scale, dScale = Σ dy·x` over the pixels of each channel. */
  scaleChannelsBackward: Empty;

  /**
   * `x, scale, shift -> y = (x − mean)/√(variance + epsilon)·scale + shift, mean, inverse`: statistics along
   * one axis, which both factors have; `inverse` is 1/√(variance + epsilon), and has size 1 there like the
   * mean.
   */
  layerNorm: LayerNormParams;
  /** `x, mean, inverse, scale, dy -> dx, dScale, dShift` of layerNorm. */
  layerNormBackward: LayerNormParams;

  /** `running, batch -> decay·running + (1 − decay)·batch` */
  runningAverage: { readonly decay: number };

  /** `x -> softmax(x)` along an axis, or its logarithm. */
  softmax: SoftmaxParams;
  /** `dy, y -> dx` from softmax's own output. */
  softmaxBackward: SoftmaxParams;
  /**
   * `logits [N,C], labels int32 [N] -> loss [N] = −log softmax(logits)[label]`; 0 where label = ignoreIndex.
   */
  crossEntropy: { readonly ignoreIndex: number };
  /** `logits, labels, dLoss [N] -> dLogits = (softmax(logits) − onehot(label))·dLoss` */
  crossEntropyBackward: { readonly ignoreIndex: number };
  /** `x, target -> max(x,0) − x·target + log(1 + e^(−|x|))` elementwise; both float of one shape. */
  bceWithLogits: Empty;
  /** `x, target, dLoss -> dx = (sigmoid(x) − target)·dLoss` */
  bceWithLogitsBackward: Empty;

  /** `seed int32 [2] -> mask` of 0 (with probability p) and 1/(1 − p), or of 0 and 1 if not `upscale`. */
  dropoutMask: { readonly shape: Shape; readonly p: number; readonly upscale: boolean };

  /** `parameter, gradient, rate [] -> parameter` (SGD with coupled L2 decay). */
  sgdUpdate: { readonly weightDecay: number };
  /** `parameter, gradient, velocity, rate [] -> parameter, velocity` */
  momentumUpdate: { readonly momentum: number; readonly weightDecay: number; readonly nesterov: boolean };
  /**
   * `parameter, gradient, moment1, moment2, scalars [4] -> parameter, moment1, moment2`, where scalars are
   * the rate, 1 − β1ᵗ, 1 − β2ᵗ and the factor of decoupled decay (1 for Adam): parameter·factor − step.
   * Coupled decay sees the parameter as it was.
   */
  adamUpdate: {
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly weightDecay: number;
  };
}

export type OpName = keyof OpParams;

/**
 * Names of each op's inputs, in order; `concat` takes any number. Optional inputs may be missing from the
 * end.
 */
export const inputNames = {
  constant: [],
  unary: ['x'],
  unaryBackward: ['dy', 'y'],
  affine: ['x'],
  binary: ['a', 'b'],
  select: ['condition', 'a', 'b'],
  cast: ['x'],
  reshape: ['x'],
  transpose: ['x'],
  broadcastTo: ['x'],
  concat: [],
  slice: ['x'],
  pad: ['x'],
  reduce: ['x'],
  argmax: ['x'],
  topk: ['x'],
  conv2d: ['x', 'weight', 'bias', 'summand'],
  conv2dBackwardData: ['dy', 'weight'],
  conv2dBackwardWeights: ['x', 'dy'],
  matmul: ['a', 'b'],
  linear: ['x', 'weight', 'bias'],
  linearBackwardData: ['dy', 'weight'],
  linearBackwardWeights: ['x', 'dy'],
  maxPool2d: ['x'],
  maxPool2dBackward: ['dy', 'argmax'],
  avgPool2d: ['x'],
  avgPool2dBackward: ['dy'],
  adaptiveAvgPool2d: ['x'],
  adaptiveAvgPool2dBackward: ['dy'],
  batchNorm: ['x', 'mean', 'variance', 'scale', 'shift'],
  batchNormTrain: ['x', 'scale', 'shift', 'summand'],
  batchNormBackward: ['x', 'mean', 'variance', 'scale', 'shift', 'dy', 'mask', 'y', 'dy2'],
  scaleChannels: ['x', 'scale', 'shift'],
  scaleChannelsBackward: ['x', 'scale', 'dy'],
  layerNorm: ['x', 'scale', 'shift'],
  layerNormBackward: ['x', 'mean', 'inverse', 'scale', 'dy'],
  runningAverage: ['running', 'batch'],
  softmax: ['x'],
  softmaxBackward: ['dy', 'y'],
  crossEntropy: ['logits', 'labels'],
  crossEntropyBackward: ['logits', 'labels', 'dLoss'],
  bceWithLogits: ['x', 'target'],
  bceWithLogitsBackward: ['x', 'target', 'dLoss'],
  dropoutMask: ['seed'],
  sgdUpdate: ['parameter', 'gradient', 'rate'],
  momentumUpdate: ['parameter', 'gradient', 'velocity', 'rate'],
  adamUpdate: ['parameter', 'gradient', 'moment1', 'moment2', 'scalars'],
} as const satisfies Readonly<Record<OpName, readonly string[]>>;

export type InputName<K extends OpName> = (typeof inputNames)[K][number];

export type Empty = Readonly<Record<string, never>>;

export type { UnaryFn };

/** An elementwise function; `alpha` is the negative slope of leakyRelu and 0 for all others. */
export interface Activation {
  readonly fn: UnaryFn;
  readonly alpha: number;
}

export type BinaryFn = ArithmeticFn | ComparisonFn;
export type ArithmeticFn = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min';
export type ComparisonFn = 'equal' | 'greater' | 'greaterEqual' | 'less' | 'lessEqual' | 'notEqual';

export type ReduceFn = 'sum' | 'mean' | 'max' | 'min';

/** Height, width. */
export type Pair = readonly [number, number];
/** Top, bottom, left, right. */
export type Padding = readonly [number, number, number, number];

export interface Conv2dParams {
  readonly stride: Pair;
  readonly padding: Padding;
  readonly dilation: Pair;
  readonly groups: number;
}

export interface Pool2dParams {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
}

export type Gate = 'silu' | 'hardswish';

export interface BatchNormParams {
  readonly epsilon: number;
  /** Set by the compiler when it fuses the ReLU that follows. */
  readonly relu?: boolean;
  /** Set by the compiler when it fuses one of these functions, which follows. */
  readonly gate?: Gate;
}

export interface LayerNormParams {
  readonly axis: number;
  readonly epsilon: number;
}

export interface MatmulParams {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

export interface SoftmaxParams {
  readonly axis: number;
  readonly log: boolean;
}

/** Shape and element type of one output. */
export interface Spec {
  readonly shape: Shape;
  readonly dtype: OutputDType;
}
