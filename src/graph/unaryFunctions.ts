/** Facts about an elementwise function that the compiler and the engines need. */
interface UnaryTraits {
  /** Its gradient is computed from its own output, by the op `unaryBackward`. */
  readonly gradFromOutput: boolean;
  /** It never decreases: the maximum of its results is its result for the maximum. */
  readonly monotonic: boolean;
  /** It takes longer than a comparison. */
  readonly expensive: boolean;
  /** It gives 0 for 0. */
  readonly keepsZero: boolean;
  /** Kernels of conv2d, linear and binary can apply it to their own output. */
  readonly fusible: boolean;
  /** It may give an infinite number or NaN for a finite one. */
  readonly makesNonFinite: boolean;
}

const plain = {
  gradFromOutput: false,
  monotonic: false,
  expensive: false,
  keepsZero: true,
  fusible: false,
  makesNonFinite: false,
} as const satisfies UnaryTraits;

const activation = { ...plain, gradFromOutput: true, monotonic: true, fusible: true } as const;

/** All elementwise functions of one value, each with its facts. */
export const unaryFunctions = {
  relu: activation,
  relu6: activation,
  leakyRelu: activation,
  sigmoid: { ...activation, expensive: true, keepsZero: false },
  tanh: { ...activation, expensive: true },
  exp: { ...plain, keepsZero: false, makesNonFinite: true },
  log: { ...plain, keepsZero: false, makesNonFinite: true },
  sqrt: { ...plain, makesNonFinite: true },
  abs: plain,
  square: plain,
} as const satisfies Readonly<Record<string, UnaryTraits>>;

export type UnaryFn = keyof typeof unaryFunctions;

/** Functions whose gradient is computed from their own output. */
export type UnaryFnFromOutput = {
  [F in UnaryFn]: (typeof unaryFunctions)[F]['gradFromOutput'] extends true ? F : never;
}[UnaryFn];

export function hasGradFromOutput(fn: UnaryFn): fn is UnaryFnFromOutput {
  return unaryFunctions[fn].gradFromOutput;
}
