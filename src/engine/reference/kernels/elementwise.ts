import { InternalError } from '../../../errors.js';
import type { DType, TypedArray } from '../../../graph/dtype.js';
import type { Activation } from '../../../graph/op.js';
import { hasBackward } from '../../../graph/unaryFunctions.js';
import type { Kernel } from '../kernel.js';

/** x·min(max(x + 3, 0), 6)/6; NaN stays NaN. */
const hardswish = (x: number): number => (x <= -3 ? 0 : x >= 3 ? x : (x * (x + 3)) / 6);

const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** The share of a standard normal distribution below x: (1 + erf(x/√2))/2. */
function normalShare(x: number): number {
  // Infinite series (Abramowitz and Stegun, 26.2.11); beyond 9 the rest is below the precision of float64.
  if (Math.abs(x) >= 9) return x > 0 ? 1 : 0;
  let [term, sum] = [x, x];
  for (let n = 3; Math.abs(term) > 1e-18 * Math.abs(sum); n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

/** Applies an elementwise function from `x` to `y`, which may be the same array. */
function applyUnary({ fn, alpha }: Activation, x: TypedArray, y: TypedArray): void {
  const n = y.length;
  switch (fn) {
    case 'relu':
      // Math.max keeps a NaN, which `x > 0 ? x : 0` would turn into a healthy zero.
      for (let i = 0; i < n; i++) y[i] = Math.max(x[i], 0);
      return;
    case 'relu6':
      for (let i = 0; i < n; i++) y[i] = Math.min(Math.max(x[i], 0), 6);
      return;
    case 'leakyRelu':
      for (let i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : alpha * x[i];
      return;
    case 'sigmoid':
      for (let i = 0; i < n; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
      return;
    case 'tanh':
      for (let i = 0; i < n; i++) y[i] = Math.tanh(x[i]);
      return;
    case 'hardswish':
      for (let i = 0; i < n; i++) y[i] = hardswish(x[i]);
      return;
    case 'silu':
      for (let i = 0; i < n; i++) y[i] = x[i] / (1 + Math.exp(-x[i]));
      return;
    case 'gelu':
      for (let i = 0; i < n; i++) y[i] = x[i] * normalShare(x[i]);
      return;
    case 'exp':
      for (let i = 0; i < n; i++) y[i] = Math.exp(x[i]);
      return;
    case 'log':
      for (let i = 0; i < n; i++) y[i] = Math.log(x[i]);
      return;
    case 'sqrt':
      for (let i = 0; i < n; i++) y[i] = Math.sqrt(x[i]);
      return;
    case 'abs':
      for (let i = 0; i < n; i++) y[i] = Math.abs(x[i]);
      return;
    case 'square':
      for (let i = 0; i < n; i++) y[i] = x[i] * x[i];
      return;
    default:
      fn satisfies never;
  }
}

/**
 * The activation fused into another op. It acts on the stored float32 result, so that a graph gives the same
 * bits with and without the fusion.
 */
export function applyFused(activation: Activation | undefined, y: TypedArray): void {
  if (activation !== undefined) applyUnary(activation, y, y);
}

export const constant: Kernel<'constant'> = ({ value }, _inputs, outputs) => {
  outputs[0].data.fill(value);
};

export const unary: Kernel<'unary'> = (params, inputs, outputs) => {
  applyUnary(params, inputs[0].data, outputs[0].data);
};

export const unaryBackward: Kernel<'unaryBackward'> = ({ fn, alpha }, inputs, outputs) => {
  const dy = inputs[0].data;
  const y = inputs[1].data;
  const dx = outputs[0].data;
  const n = dx.length;
  if (!hasBackward(fn)) throw new InternalError(`unaryBackward of ${fn}`);
  switch (fn) {
    case 'relu':
      for (let i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
      return;
    case 'relu6':
      for (let i = 0; i < n; i++) dx[i] = y[i] > 0 && y[i] < 6 ? dy[i] : 0;
      return;
    case 'leakyRelu':
      for (let i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : alpha * dy[i];
      return;
    case 'sigmoid':
      for (let i = 0; i < n; i++) dx[i] = dy[i] * y[i] * (1 - y[i]);
      return;
    case 'tanh':
      for (let i = 0; i < n; i++) dx[i] = dy[i] * (1 - y[i] * y[i]);
      return;
    // y is the input of these.
    case 'hardswish':
      for (let i = 0; i < n; i++) dx[i] = dy[i] * (y[i] <= -3 ? 0 : y[i] >= 3 ? 1 : y[i] / 3 + 0.5);
      return;
    case 'silu':
      for (let i = 0; i < n; i++) {
        const share = 1 / (1 + Math.exp(-y[i]));
        dx[i] = dy[i] * share * (1 + y[i] * (1 - share));
      }
      return;
    case 'gelu':
      for (let i = 0; i < n; i++) dx[i] = dy[i] * (normalShare(y[i]) + y[i] * normalDensity(y[i]));
      return;
    default:
      fn satisfies never;
  }
};

export const affine: Kernel<'affine'> = ({ scale, shift }, inputs, outputs) => {
  const x = inputs[0].data;
  const y = outputs[0].data;
  for (let i = 0; i < y.length; i++) y[i] = scale * x[i] + shift;
};

export const select: Kernel<'select'> = (_params, inputs, outputs) => {
  const condition = inputs[0].data;
  const a = inputs[1].data;
  const b = inputs[2].data;
  const y = outputs[0].data;
  for (let i = 0; i < y.length; i++) y[i] = condition[i] !== 0 ? a[i] : b[i];
};

/** The values that an integer type can hold. */
const ranges = { int32: [-2147483648, 2147483647], uint8: [0, 255] } as const satisfies Partial<
  Record<DType, readonly [number, number]>
>;

export const cast: Kernel<'cast'> = ({ dtype }, inputs, outputs) => {
  const x = inputs[0].data;
  const y = outputs[0].data;
  if (dtype === 'float32') {
    for (let i = 0; i < y.length; i++) y[i] = x[i];
    return;
  }
  const [low, high] = ranges[dtype];
  // The store truncates numbers inside the range and turns NaN into 0.
  for (let i = 0; i < y.length; i++) y[i] = Math.min(Math.max(x[i], low), high);
};

export const runningAverage: Kernel<'runningAverage'> = ({ decay }, inputs, outputs) => {
  const running = inputs[0].data;
  const batch = inputs[1].data;
  const y = outputs[0].data;
  for (let i = 0; i < y.length; i++) y[i] = decay * running[i] + (1 - decay) * batch[i];
};
