/** Sizes and numbers of oneDNN's C API, from its headers, that are the same in all releases from 2.6 on. */
import type { StoredDType } from '../../../graph/dtype.js';
import type { UnaryFn } from '../../../graph/op.js';
import type { UnaryFnWithBackward } from '../../../graph/unaryFunctions.js';

export const maxAxes = 12;
export const execArgBytes = 16;

export const dataTypes = { bfloat16: 2, float32: 3, int32: 4, uint8: 6 } as const satisfies Record<StoredDType, number>;
/** The type of that number; one that no tensor has is read as bytes. */
export const dtypeOf = (type: number): StoredDType =>
  (Object.keys(dataTypes) as StoredDType[]).find((name) => dataTypes[name] === type) ?? 'uint8';

export const formatAny = 1;
export const props = { training: 64, inference: 96, backward: 128, backwardData: 160 } as const;
export const convolutions = { direct: 1, winograd: 2 } as const;
/** Elementwise functions of the library: `linear` is αx + β, `pow` αxᵝ. */
export type EltwiseKernel = UnaryFn | 'linear' | 'pow';
/** Coefficients that belong to a function: relu6 clips from 0 to 6, hardswish is x·clip(x/6 + 1/2). */
const ownCoefficients: Readonly<Partial<Record<EltwiseKernel, readonly [alpha: number, beta: number]>>> = {
  relu6: [0, 6],
  hardswish: [1 / 6, 0.5],
  silu: [1, 0],
};
/** Both coefficients of a function: its own, or those given. */
export const eltwiseCoefficients = (fn: EltwiseKernel, alpha: number, beta = 0): readonly [number, number] =>
  ownCoefficients[fn] ?? [alpha, beta];
/** Variants whose gradient is computed from the output. */
export const eltwisesFromOutput: Readonly<Partial<Record<UnaryFnWithBackward, number>>> = {
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
export type NormFlag = 'globalStatistics' | 'relu' | 'scale' | 'shift';

/** The sum of the flags that are set. */
export const flagBits = (
  bits: Readonly<Record<NormFlag, number>>,
  flags: Readonly<Partial<Record<NormFlag, boolean>>>,
): number => (Object.keys(bits) as NormFlag[]).reduce((sum, name) => (flags[name] ? sum | bits[name] : sum), 0);

export const scratchpadUser = 1;
export const statusUnimplemented = 3;

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
export const [queryInputCount, queryImplementation] = [3, 8];
