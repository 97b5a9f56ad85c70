import type { Shape } from '../../../graph/shape.js';
import type { UnaryFnWithBackward } from '../../../graph/unaryFunctions.js';
import type {
  binaries,
  convolutions,
  EltwiseKernel,
  NormFlag,
  poolings,
  props,
  reductions,
  softmaxes,
} from './enums.js';
import type { Described } from './nativeDesc.js';

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

export type ConvAlgorithm = keyof typeof convolutions;
export type ForwardProp = 'training' | 'inference';
export type Pooling = keyof typeof poolings;
export type BinaryKernel = keyof typeof binaries;
export type NormFlags = Partial<Record<NormFlag, boolean>>;

interface Convolution {
  readonly algorithm: ConvAlgorithm;
  readonly geometry: ConvGeometry;
}

interface PoolingOf {
  readonly pooling: Pooling;
  readonly geometry: PoolGeometry;
}

interface Norm {
  readonly epsilon: number;
  readonly flags: NormFlags;
}

interface Softmax {
  readonly softmax: keyof typeof softmaxes;
  readonly axis: number;
}

interface Forward {
  readonly prop: keyof typeof props;
}

/** Parameters of each kind of operation, besides the layouts of its operands. */
interface Parameters {
  convForward: Convolution & Forward;
  convBackwardData: Convolution;
  convBackwardWeights: Convolution;
  matmul: object;
  linearForward: Forward;
  linearBackwardData: object;
  linearBackwardWeights: object;
  poolForward: PoolingOf & Forward;
  poolBackward: PoolingOf;
  normForward: Norm & Forward;
  normBackward: Norm;
  eltwiseForward: { readonly fn: EltwiseKernel; readonly alpha: number; readonly beta: number };
  eltwiseBackward: { readonly fn: UnaryFnWithBackward; readonly alpha: number };
  binary: { readonly fn: BinaryKernel };
  reduction: { readonly fn: keyof typeof reductions };
  softmaxForward: Softmax;
  softmaxBackward: Softmax;
}

export type OperationKind = keyof Parameters;

/** An operation of one kind, with the layouts of its operands in the library's order. */
export type OperationOf<K extends OperationKind> = Readonly<Parameters[K]> & {
  readonly kind: K;
  readonly descs: readonly Described[];
};

/** An operation that a primitive can be created for. It holds for every release of the library. */
export type Operation = { [K in OperationKind]: OperationOf<K> }[OperationKind];

/** Descriptions of operations, one function for each kind. */
export const describe = {
  convForward: (
    prop: ForwardProp,
    algorithm: ConvAlgorithm,
    /** Source, weights, bias, destination. */
    descs: readonly Described[],
    geometry: ConvGeometry,
  ): Operation => ({ kind: 'convForward', prop, algorithm, descs, geometry }),
  convBackwardData: (
    algorithm: ConvAlgorithm,
    /** Gradient of the source, weights, gradient of the destination. */
    descs: readonly Described[],
    geometry: ConvGeometry,
  ): Operation => ({ kind: 'convBackwardData', algorithm, descs, geometry }),
  convBackwardWeights: (
    algorithm: ConvAlgorithm,
    /** Source, gradients of weights, bias and destination. */
    descs: readonly Described[],
    geometry: ConvGeometry,
  ): Operation => ({ kind: 'convBackwardWeights', algorithm, descs, geometry }),
  /** Source, weights, bias, destination. */
  matmul: (descs: readonly Described[]): Operation => ({ kind: 'matmul', descs }),
  linearForward: (prop: ForwardProp, descs: readonly Described[]): Operation => ({
    kind: 'linearForward',
    prop,
    descs,
  }),
  linearBackwardData: (descs: readonly Described[]): Operation => ({ kind: 'linearBackwardData', descs }),
  linearBackwardWeights: (descs: readonly Described[]): Operation => ({ kind: 'linearBackwardWeights', descs }),
  poolForward: (
    prop: ForwardProp,
    pooling: Pooling,
    src: Described,
    dst: Described,
    geometry: PoolGeometry,
  ): Operation => ({ kind: 'poolForward', prop, pooling, descs: [src, dst], geometry }),
  poolBackward: (pooling: Pooling, diffSrc: Described, diffDst: Described, geometry: PoolGeometry): Operation => ({
    kind: 'poolBackward',
    pooling,
    descs: [diffSrc, diffDst],
    geometry,
  }),
  /** Source and destination have the same layout. */
  normForward: (prop: ForwardProp, data: Described, epsilon: number, flags: NormFlags): Operation => ({
    kind: 'normForward',
    prop,
    descs: [data],
    epsilon,
    flags,
  }),
  normBackward: (diffData: Described, data: Described, epsilon: number, flags: NormFlags): Operation => ({
    kind: 'normBackward',
    descs: [diffData, data],
    epsilon,
    flags,
  }),
  eltwiseForward: (fn: EltwiseKernel, data: Described, alpha: number, beta: number): Operation => ({
    kind: 'eltwiseForward',
    fn,
    descs: [data],
    alpha,
    beta,
  }),
  /** Gradient from the output, or from the input for functions whose output does not determine it. */
  eltwiseBackward: (fn: UnaryFnWithBackward, diffData: Described, data: Described, alpha: number): Operation => ({
    kind: 'eltwiseBackward',
    fn,
    descs: [diffData, data],
    alpha,
  }),
  binary: (fn: BinaryKernel, a: Described, b: Described, dst: Described): Operation => ({
    kind: 'binary',
    fn,
    descs: [a, b, dst],
  }),
  reduction: (fn: keyof typeof reductions, src: Described, dst: Described): Operation => ({
    kind: 'reduction',
    fn,
    descs: [src, dst],
  }),
  softmaxForward: (softmax: keyof typeof softmaxes, src: Described, dst: Described, axis: number): Operation => ({
    kind: 'softmaxForward',
    softmax,
    descs: [src, dst],
    axis,
  }),
  softmaxBackward: (
    softmax: keyof typeof softmaxes,
    diffSrc: Described,
    diffDst: Described,
    dst: Described,
    axis: number,
  ): Operation => ({ kind: 'softmaxBackward', softmax, descs: [diffSrc, diffDst, dst], axis }),
};
