import type { Activation, ArithmeticFn } from '../../../graph/op.js';
import { type UnaryFnWithBackward, unaryFunctions } from '../../../graph/unaryFunctions.js';
import type { Assembler, Vector } from '../../kernels/assembler.js';
import type { TaskKernel } from '../../kernels/taskKernel.js';
import { activate } from './activation.js';
import { geluSlope, sigmoid } from './exponential.js';
import { flatKernel } from './flat.js';

/** Operands: x, y. */
export function unaryKernel(count: number, activation: Activation): TaskKernel {
  return flatKernel({ count, reads: 1, writes: 1, body: (to, [x]) => [activate(to, activation, x)] });
}

/** `x·scale + shift`. Operands: x, y. */
export function affineKernel(count: number, scale: number, shift: number): TaskKernel {
  return flatKernel({
    count,
    reads: 1,
    writes: 1,
    body: (to, [x]) => {
      const y = to.constant(shift);
      to.addProduct(y, x, to.constant(scale));
      return [y];
    },
  });
}

/** The gradient; y is the function's output, or its input where `gradFrom` says so. */
function slope(to: Assembler, fn: UnaryFnWithBackward, alpha: number, dy: Vector, y: Vector): Vector {
  const isPositive = to.compare('greater', y, to.zero());
  switch (fn) {
    case 'relu':
      return to.apply('and', dy, isPositive);
    case 'relu6':
      return to.apply('and', to.apply('and', dy, isPositive), to.compare('less', y, to.constant(6)));
    case 'leakyRelu':
      return to.select(isPositive, dy, to.apply('mul', dy, to.constant(alpha)));
    case 'sigmoid':
      return to.apply('mul', to.apply('mul', dy, y), to.apply('sub', to.constant(1), y));
    case 'tanh':
      return to.apply('mul', dy, to.apply('sub', to.constant(1), to.apply('mul', y, y)));
    case 'hardswish': {
      const inside = to.apply('add', to.apply('mul', y, to.constant(1 / 3)), to.constant(0.5));
      const below = to.select(to.compare('less', y, to.constant(3)), inside, to.constant(1));
      return to.apply('mul', dy, to.select(to.compare('greater', y, to.constant(-3)), below, to.zero()));
    }
    case 'silu': {
      const share = sigmoid(to, y);
      const grown = to.constant(1);
      to.addProduct(grown, y, to.apply('sub', to.constant(1), share));
      return to.apply('mul', dy, to.apply('mul', share, grown));
    }
    case 'gelu':
      return to.apply('mul', dy, geluSlope(to, y));
    default:
      return fn satisfies never;
  }
}

/** Operands: dy, y, dx. */
export function unaryBackwardKernel(count: number, fn: UnaryFnWithBackward, alpha: number): TaskKernel {
  return flatKernel({ count, reads: 2, writes: 1, body: (to, [dy, y]) => [slope(to, fn, alpha, dy, y)] });
}

/** NaN stays NaN, on either side. */
function combine(to: Assembler, fn: ArithmeticFn, a: Vector, b: Vector): Vector {
  const result = to.apply(fn, a, b);
  return fn === 'max' || fn === 'min' ? to.select(to.compare('notEqual', b, b), b, result) : result;
}

/** One operand may be a single number. */
export type Single = 'a' | 'b' | null;

/** Operands: a and b, of which a single number comes second; y. */
export function binaryKernel(
  count: number,
  fn: ArithmeticFn,
  activation: Activation | undefined,
  single: Single,
): TaskKernel {
  const finish = (to: Assembler, y: Vector) => [activation === undefined ? y : activate(to, activation, y)];
  if (single === null) {
    return flatKernel({ count, reads: 2, writes: 1, body: (to, [a, b]) => finish(to, combine(to, fn, a, b)) });
  }
  return flatKernel({
    count,
    reads: 1,
    scalars: [1],
    writes: 1,
    body: (to, [x], [number]) => {
      const [a, b] = single === 'a' ? [number, x] : [x, number];
      return finish(to, combine(to, fn, a, b));
    },
  });
}

/** Whether {@link activate} has the function. The others are exact in TypeScript alone. */
export const hasKernel = (fn: Activation['fn']): boolean => fn !== 'exp' && fn !== 'log' && fn in unaryFunctions;
