/** Numbers of the C API of oneDNN 3.x, from its headers. `../enums.ts` has those of all releases. */
import type { EltwiseKernel, NormFlag } from '../enums.js';
import type { InstructionSets } from '../instructionSets.js';

export const plainTags = [0, 2, 3, 4, 5, 6] as const; // a, ab, abc, abcd, abcde by number of axes
export const postOpArgBase = 32768;
/** Added to an argument for the memory that its factor is read from. */
export const scaleArgBase = 4096;
/** "The type of the destination". */
export const undefinedType = 0;

export const eltwises: Readonly<Record<EltwiseKernel, number>> = {
  relu: 32,
  leakyRelu: 32,
  tanh: 33,
  square: 35,
  abs: 36,
  sqrt: 37,
  linear: 38,
  sigmoid: 41,
  exp: 42,
  silu: 44,
  log: 45,
  relu6: 47,
  pow: 48,
  gelu: 49,
  hardswish: 52,
};

export const normFlags: Readonly<Record<NormFlag, number>> = { globalStatistics: 1, scale: 2, shift: 4, relu: 8 };

export const instructionSets: InstructionSets = [
  [0xfef, 'AVX-512 with AMX', 'AMX'],
  [0xe7, 'AVX-512 with BF16', 'AVX-512'],
  [0x67, 'AVX-512 with VNNI', null],
  [0x27, 'AVX-512', null],
  [0xf, 'AVX2 with VNNI', null],
  [0x7, 'AVX2', null],
  [0x3, 'AVX', null],
  [0x1, 'SSE4.1', null],
];

/** Fields of a descriptor that can be asked for. */
export const descQueries = {
  strides: 14,
  rank: 256,
  shape: 257,
  type: 258,
  kind: 262,
  blockCount: 263,
  blockSizes: 264,
  blockAxes: 265,
} as const;
