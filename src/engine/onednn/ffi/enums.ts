/** Sizes and numbers of oneDNN 2.x's C API, from its headers. */
import type { StoredDType } from '../../../graph/dtype.js';
import type { UnaryFn } from '../../../graph/op.js';
import type { UnaryFnFromOutput } from '../../../graph/unaryFunctions.js';

export const memoryDescBytes = 696;
export const opDescBytes = 8192; // larger than the largest op descriptor (convolution, 5976)
export const maxAxes = 12;
export const execArgBytes = 16;

export const dataTypes = { bfloat16: 2, float32: 3, int32: 4, uint8: 6 } as const satisfies Record<StoredDType, number>;
export const formatAny = 1;
export const plainTags = [0, 2, 3, 4, 5, 7] as const; // a, ab, abc, abcd, abcde by number of axes
export const props = { training: 64, inference: 96, backward: 128, backwardData: 160 } as const;
export const convolutions = { direct: 1, winograd: 2 } as const;
/** Elementwise functions of the library: `linear` is αx + β, `pow` αxᵝ. */
export type EltwiseKernel = UnaryFn | 'linear' | 'pow';
export const eltwises: Readonly<Record<EltwiseKernel, number>> = {
  pow: 32,
  relu: 31,
  relu6: 16,
  leakyRelu: 31,
  tanh: 47,
  square: 79,
  abs: 95,
  sqrt: 111,
  linear: 127,
  sigmoid: 175,
  exp: 191,
  log: 239,
};
/** Second coefficients that belong to the function: relu6 clips from 0 to 6. */
export const eltwiseBetas: Readonly<Partial<Record<EltwiseKernel, number>>> = { relu6: 6 };
/** Variants whose gradient is computed from the output. */
export const eltwisesFromOutput: Readonly<Record<UnaryFnFromOutput, number>> = {
  relu: 256,
  relu6: 262,
  leakyRelu: 256,
  tanh: 257,
  sigmoid: 260,
};
export const poolings = { max: 511, avgIncludePad: 767, avgExcludePad: 1023 } as const;
export const binaries = { add: 131056, mul: 131057, max: 131058, min: 131059, div: 131060, sub: 131061 } as const;
export const reductions = { max: 196594, min: 196595, sum: 196596, mean: 196598 } as const;
export const softmaxes = { softmax: 196608, logSoftmax: 196609 } as const;
export const normFlags = { globalStatistics: 1, relu: 4, scale: 8, shift: 16 } as const;
export const scratchpadUser = 1;
export const statusUnimplemented = 3;
const postOpArgBase = 16384;

/** Names of execution arguments. */
export const args = {
  src: 1,
  src1: 2,
  dst: 17,
  weights: 33,
  bias: 41,
  mean: 49,
  variance: 50,
  scale: 51,
  shift: 52,
  workspace: 64,
  scratchpad: 80,
  diffSrc: 129,
  diffDst: 145,
  diffWeights: 161,
  diffBias: 169,
  diffScale: 255,
  diffShift: 256,
} as const;

/** Argument of input `i` of a concat. */
export function multipleSrc(i: number): number {
  return 1024 + i;
}

/** Argument of the second operand of the binary post-op at place `i`. */
export function postOpSrc(i: number): number {
  return (postOpArgBase * (i + 1)) | args.src1;
}

export const queries = {
  src: 129,
  diffSrc: 130,
  weights: 131,
  diffWeights: 132,
  dst: 133,
  diffDst: 134,
  workspace: 135,
  scratchpad: 136,
} as const;
export const queryImplementation = 8;
