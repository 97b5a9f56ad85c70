/** Facts about an elementwise function that the compiler and the engines need. */
interface UnaryTraits {
  /** The value that the op `unaryBackward` computes its gradient from; null if other ops compute it. */
  readonly gradFrom: 'output' | 'input' | null;
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
  gradFrom: null,
  monotonic: false,
  expensive: false,
  keepsZero: true,
  fusible: false,
  makesNonFinite: false,
} as const satisfies UnaryTraits;

const activation = { ...plain, gradFrom: 'output', monotonic: true, fusible: true } as const;

/** A smooth step times x: its output does not say what its input was. */
const gate = { ...plain, gradFrom: 'input', expensive: true, fusible: true } as const;

/** All elementwise functions of one value, each with its facts. */
export const unaryFunctions = {
  relu: activation,
  relu6: activation,
  leakyRelu: activation,
  sigmoid: { ...activation, expensive: true, keepsZero: false },
  tanh: { ...activation, expensive: true },
  hardswish: { ...gate, expensive: false },
  silu: gate,
  gelu: gate,
  exp: { ...plain, keepsZero: false, makesNonFinite: true },
  log: { ...plain, keepsZero: false, makesNonFinite: true },
  sqrt: { ...plain, makesNonFinite: true },
  abs: plain,
  square: plain,
} as const satisfies Readonly<Record<string, UnaryTraits>>;

export type UnaryFn = keyof typeof unaryFunctions;

/** Functions whose gradient the op `unaryBackward` computes. */
export type UnaryFnWithBackward = {
  [F in UnaryFn]: (typeof unaryFunctions)[F]['gradFrom'] extends null ? never : F;
}[UnaryFn];

export function hasBackward(fn: UnaryFn): fn is UnaryFnWithBackward {
  return unaryFunctions[fn].gradFrom !== null;
}
