/** Sizes and numbers of oneDNN 2.x's C API, from its headers. `../enums.ts` has those of all releases. */
import type { EltwiseKernel, NormFlag } from '../enums.js';
import type { InstructionSets } from '../instructionSets.js';

export const memoryDescBytes = 696;
export const opDescBytes = 8192; // larger than the largest op descriptor (convolution, 5976)
export const plainTags = [0, 2, 3, 4, 5, 7] as const; // a, ab, abc, abcd, abcde by number of axes
export const postOpArgBase = 16384;

export const eltwises: Readonly<Record<EltwiseKernel, number>> = {
  pow: 32,
  gelu: 48,
  hardswish: 112,
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
  silu: 223,
  log: 239,
};

export const normFlags: Readonly<Record<NormFlag, number>> = { globalStatistics: 1, relu: 4, scale: 8, shift: 16 };

export const instructionSets: InstructionSets = [
  [0x3e7, 'AVX-512 with AMX', 'AMX'],
  [0xe7, 'AVX-512 with BF16', 'AVX-512'],
  [0x67, 'AVX-512 with VNNI', null],
  [0x27, 'AVX-512', null],
  [0x407, 'AVX2 with VNNI', null],
  [0x7, 'AVX2', null],
  [0x3, 'AVX', null],
  [0x1, 'SSE4.1', null],
];
