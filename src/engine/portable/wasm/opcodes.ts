import type { Comparison, VectorFunction, VectorOp } from '../../kernels/assembler.js';

/** Instructions of WebAssembly 2.0 that the kernels need, by their bytes. */
export const op = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  i32Const: 0x41,
  i32Less: 0x49,
  i32GreaterEqual: 0x4f,
  i32Add: 0x6a,
  i32Subtract: 0x6b,
  i32Multiply: 0x6c,
  i32Divide: 0x6e,
  i32Remainder: 0x70,
} as const;

/** A block that leaves no value. */
export const noResult = 0x40;

/** The byte before all instructions on vectors. */
export const vectorPrefix = 0xfd;

/** Instructions on vectors, by the number behind the prefix. */
export const vectorOp = {
  load: 0x00,
  loadSplat: 0x09,
  store: 0x0b,
  const: 0x0c,
  shuffle: 0x0d,
  load32Zero: 0x5c,
  load64Zero: 0x5d,
  load32Lane: 0x56,
  store32Lane: 0x5a,
  store64Lane: 0x5b,
  bitSelect: 0x52,
  shiftLeft: 0xab,
  addIntegers: 0xae,
  toIntegers: 0xf8,
  /** It belongs to the proposal "relaxed SIMD". */
  multiplyAdd: 0x105,
} as const;

/** `max(a, b)` is `pmax`: b if a < b, else a. It is one instruction, and keeps a NaN in `a`. */
export const binaryOps: Readonly<Record<VectorOp, number>> = {
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  min: 0xea,
  max: 0xeb,
  and: 0x4e,
  andNot: 0x4f,
  or: 0x50,
  xor: 0x51,
};

export const functions: Readonly<Record<VectorFunction, number>> = { abs: 0xe0, neg: 0xe1, sqrt: 0xe3, round: 0x6a };

export const comparisons: Readonly<Record<Comparison, number>> = {
  equal: 0x41,
  notEqual: 0x42,
  less: 0x43,
  greater: 0x44,
  lessEqual: 0x45,
  greaterEqual: 0x46,
};
