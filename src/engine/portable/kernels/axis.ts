import type { Activation } from '../../../graph/op.js';

/**
 * One axis of a convolution, as a gather: output `start + i·step` is the sum over its taps t of the input at
 * `i·stride + offset + t·tapStep`, times the weight at `weight + t·weightStep`.
 */
export interface AxisGather {
  readonly start: number;
  readonly step: number;
  /** Number of outputs. */
  readonly count: number;
  readonly stride: number;
  readonly taps: number;
  readonly offset: number;
  readonly tapStep: number;
  readonly weight: number;
  readonly weightStep: number;
}

/** Sizes of a convolution without those of its channels. */
interface WindowSizes {
  readonly images: number;
  /** Height, width. */
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  readonly kernel: readonly [number, number];
}

/** A convolution in either direction, as sums over places of the input. */
export interface GatherSizes extends WindowSizes {
  readonly rows: readonly AxisGather[];
  readonly cols: readonly AxisGather[];
  readonly bias: boolean;
  readonly summand: boolean;
  readonly activation?: Activation | undefined;
}

/** The gradient of a convolution's weights. */
export interface GradientSizes extends WindowSizes {
  /** Gathers of the forward pass. */
  readonly row: AxisGather;
  readonly col: AxisGather;
}

export interface AxisGeometry {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly dilation: number;
}

/** The outputs of a convolution. */
export function forwardAxis({ output, kernel, stride, pad, dilation }: AxisGeometry): AxisGather {
  return {
    start: 0,
    step: 1,
    count: output,
    stride,
    taps: kernel,
    offset: -pad,
    tapStep: dilation,
    weight: 0,
    weightStep: 1,
  };
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/**
 * The gradients of a convolution's inputs, gathered from those of its outputs: one gather for the inputs of
 * each remainder by the stride, which different taps reach.
 */
export function backwardAxes({ input, kernel, stride, pad, dilation }: AxisGeometry): AxisGather[] {
  // Input h is under output (h + pad − k·dilation) / stride for every tap k that leaves no remainder.
  return Array.from({ length: Math.min(stride, input) }, (_, start) => {
    const every = stride / divisor(stride, dilation);
    const places = Array.from({ length: kernel }, (_, k) => start + pad - k * dilation);
    const first = places.findIndex((place) => place % stride === 0);
    return {
      start,
      step: stride,
      count: Math.ceil((input - start) / stride),
      stride: 1,
      taps: first < 0 ? 0 : Math.ceil((kernel - first) / every),
      offset: first < 0 ? 0 : places[first] / stride,
      tapStep: (-every * dilation) / stride,
      weight: Math.max(0, first),
      weightStep: every,
    };
  });
}

/** The first and the last input that the outputs of an axis reach, also outside of the input. */
export function reach(gathers: readonly AxisGather[]): readonly [first: number, last: number] {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { count, stride, taps, offset, tapStep } of gathers) {
    if (taps === 0) continue;
    const ends = [offset, offset + (taps - 1) * tapStep];
    first = Math.min(first, ...ends);
    last = Math.max(last, (count - 1) * stride + Math.max(...ends));
  }
  return first <= last ? [first, last] : [0, -1];
}
