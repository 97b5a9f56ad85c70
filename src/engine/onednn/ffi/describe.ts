import type { Shape } from '../../../graph/shape.js';
import type { UnaryFnFromOutput } from '../../../graph/unaryFunctions.js';
import {
  binaries,
  convolutions,
  type EltwiseKernel,
  eltwiseBetas,
  eltwises,
  eltwisesFromOutput,
  normFlags,
  opDescBytes,
  poolings,
  props,
  reductions,
  softmaxes,
} from './enums.js';
import { check, load } from './library.js';
import { dims, type MemoryDesc } from './memoryDesc.js';

function opDesc(init: (bytes: Uint8Array) => number): Uint8Array {
  const bytes = new Uint8Array(opDescBytes);
  const status = init(bytes);
  check(status, 'operation descriptor');
  return bytes;
}

export interface ConvGeometry {
  readonly stride: Shape;
  /** As oneDNN counts: 0 for a dense kernel. */
  readonly dilation: Shape;
  readonly padBefore: Shape;
  readonly padAfter: Shape;
}

export interface PoolGeometry {
  readonly kernel: Shape;
  readonly stride: Shape;
  readonly padBefore: Shape;
  readonly padAfter: Shape;
}

const geometry = ({ stride, dilation, padBefore, padAfter }: ConvGeometry) =>
  [dims(stride), dims(dilation), dims(padBefore), dims(padAfter)] as const;

const poolGeometry = ({ kernel, stride, padBefore, padAfter }: PoolGeometry) =>
  [dims(stride), dims(kernel), dims([0, 0]), dims(padBefore), dims(padAfter)] as const;

export type ConvAlgorithm = keyof typeof convolutions;
export type ForwardProp = 'training' | 'inference';
export type Pooling = keyof typeof poolings;
export type BinaryKernel = keyof typeof binaries;
export type NormFlags = Partial<Record<keyof typeof normFlags, boolean>>;

const flagBits = (flags: NormFlags) =>
  (Object.keys(normFlags) as (keyof typeof normFlags)[]).reduce(
    (bits, name) => (flags[name] ? bits | normFlags[name] : bits),
    0,
  );

/** Descriptors of operations, one function for each kind. */
export const describe = {
  convForward: (
    prop: ForwardProp,
    algorithm: ConvAlgorithm,
    [src, weights, bias, dst]: readonly MemoryDesc[],
    shape: ConvGeometry,
  ) =>
    opDesc((d) =>
      load().api.convForward(
        d,
        props[prop],
        convolutions[algorithm],
        src.bytes,
        weights.bytes,
        bias.bytes,
        dst.bytes,
        ...geometry(shape),
      ),
    ),
  convBackwardData: (
    algorithm: ConvAlgorithm,
    [diffSrc, weights, diffDst]: readonly MemoryDesc[],
    shape: ConvGeometry,
  ) =>
    opDesc((d) =>
      load().api.convBackwardData(
        d,
        convolutions[algorithm],
        diffSrc.bytes,
        weights.bytes,
        diffDst.bytes,
        ...geometry(shape),
      ),
    ),
  convBackwardWeights: (
    algorithm: ConvAlgorithm,
    [src, diffWeights, diffBias, diffDst]: readonly MemoryDesc[],
    shape: ConvGeometry,
  ) =>
    opDesc((d) =>
      load().api.convBackwardWeights(
        d,
        convolutions[algorithm],
        src.bytes,
        diffWeights.bytes,
        diffBias.bytes,
        diffDst.bytes,
        ...geometry(shape),
      ),
    ),
  linearForward: (prop: ForwardProp, [src, weights, bias, dst]: readonly MemoryDesc[]) =>
    opDesc((d) => load().api.linearForward(d, props[prop], src.bytes, weights.bytes, bias.bytes, dst.bytes)),
  linearBackwardData: ([diffSrc, weights, diffDst]: readonly MemoryDesc[]) =>
    opDesc((d) => load().api.linearBackwardData(d, diffSrc.bytes, weights.bytes, diffDst.bytes)),
  linearBackwardWeights: ([src, diffWeights, diffBias, diffDst]: readonly MemoryDesc[]) =>
    opDesc((d) => load().api.linearBackwardWeights(d, src.bytes, diffWeights.bytes, diffBias.bytes, diffDst.bytes)),
  poolForward: (prop: ForwardProp, pooling: Pooling, src: MemoryDesc, dst: MemoryDesc, shape: PoolGeometry) =>
    opDesc((d) =>
      load().api.poolForward(d, props[prop], poolings[pooling], src.bytes, dst.bytes, ...poolGeometry(shape)),
    ),
  poolBackward: (pooling: Pooling, diffSrc: MemoryDesc, diffDst: MemoryDesc, shape: PoolGeometry) =>
    opDesc((d) => load().api.poolBackward(d, poolings[pooling], diffSrc.bytes, diffDst.bytes, ...poolGeometry(shape))),
  normForward: (prop: ForwardProp, data: MemoryDesc, epsilon: number, flags: NormFlags) =>
    opDesc((d) => load().api.normForward(d, props[prop], data.bytes, epsilon, flagBits(flags))),
  normBackward: (diffData: MemoryDesc, data: MemoryDesc, epsilon: number, flags: NormFlags) =>
    opDesc((d) => load().api.normBackward(d, props.backward, diffData.bytes, data.bytes, epsilon, flagBits(flags))),
  eltwiseForward: (fn: EltwiseKernel, data: MemoryDesc, alpha: number, beta: number) =>
    opDesc((d) =>
      load().api.eltwiseForward(d, props.training, eltwises[fn], data.bytes, alpha, eltwiseBetas[fn] ?? beta),
    ),
  /** Gradient from the output; undefined for functions that have none in the library. */
  eltwiseBackward: (fn: UnaryFnFromOutput, diffData: MemoryDesc, data: MemoryDesc, alpha: number) =>
    opDesc((d) => {
      return load().api.eltwiseBackward(
        d,
        eltwisesFromOutput[fn],
        diffData.bytes,
        data.bytes,
        alpha,
        eltwiseBetas[fn] ?? 0,
      );
    }),
  binary: (fn: BinaryKernel, a: MemoryDesc, b: MemoryDesc, dst: MemoryDesc) =>
    opDesc((d) => load().api.binary(d, binaries[fn], a.bytes, b.bytes, dst.bytes)),
  reduction: (fn: keyof typeof reductions, src: MemoryDesc, dst: MemoryDesc) =>
    opDesc((d) => load().api.reduction(d, reductions[fn], src.bytes, dst.bytes, 0, 0)),
  softmaxForward: (kind: keyof typeof softmaxes, src: MemoryDesc, dst: MemoryDesc, axis: number) =>
    opDesc((d) => load().api.softmaxForward(d, props.training, softmaxes[kind], src.bytes, dst.bytes, axis)),
  softmaxBackward: (
    kind: keyof typeof softmaxes,
    diffSrc: MemoryDesc,
    diffDst: MemoryDesc,
    dst: MemoryDesc,
    axis: number,
  ) => opDesc((d) => load().api.softmaxBackward(d, softmaxes[kind], diffSrc.bytes, diffDst.bytes, dst.bytes, axis)),
};
