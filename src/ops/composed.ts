import { InputError, ShapeError } from '../errors.js';
import type { Value } from '../graph/node.js';
import { broadcastShapes, formatShape, numel, type Shape } from '../graph/shape.js';
import {
  binary,
  broadcastTo,
  cast,
  concat,
  constant,
  linear,
  multiplyMatrices,
  reshape,
  select,
  transpose,
  unary,
} from './build.js';
import { withoutGrad } from './define.js';

// These functions are no ops: they build several ops, which the engines compute.

/** `a` where the condition is not 0, else `b`, under broadcasting. */
export function where(condition: Value, a: Value, b: Value): Value {
  const shape = broadcastShapes('where', broadcastShapes('where', condition.shape, a.shape), b.shape);
  const mask =
    condition.dtype === 'uint8'
      ? condition
      : binary('notEqual', condition, constant([], condition.dtype as 'float32' | 'int32', 0));
  return select(broadcastTo(mask, shape), broadcastTo(a, shape), broadcastTo(b, shape));
}

/**
 * Limits each element to min … max. The gradient is 0 beyond a limit, as in Paddle and PyTorch; NaN stays
 * NaN.
 */
export function clip(x: Value, min: number, max: number): Value {
  if (!(min <= max)) throw new InputError(`[clip] min: expected at most max = ${max}, got ${min}`);
  const dtype = x.dtype as 'float32' | 'int32';
  const bound = (value: number) => constant([], dtype, value);
  const limited = withoutGrad(() => {
    const below = max === Number.POSITIVE_INFINITY ? x : binary('min', x, bound(max));
    return min === Number.NEGATIVE_INFINITY ? below : binary('max', below, bound(min));
  });
  if (!x.requiresGrad) return limited;
  const limits = [
    ...(min === Number.NEGATIVE_INFINITY ? [] : [binary('greaterEqual', x, bound(min))]),
    ...(max === Number.POSITIVE_INFINITY ? [] : [binary('lessEqual', x, bound(max))]),
  ];
  if (limits.length === 0) return x;
  const inside = limits.reduce((a, b) => binary('mul', a, b));
  return where(inside, x, limited);
}

/**
 * x to the power of a number. Whole exponents multiply; others give NaN for negative bases, and gradient 0 at
 * 0.
 */
export function power(x: Value, exponent: number): Value {
  if (!Number.isFinite(exponent)) throw new InputError(`[pow] exponent: expected a finite number, got ${exponent}`);
  const one = constant([], 'float32', 1);
  if (exponent < 0) return binary('div', one, power(x, -exponent));
  if (exponent === 0) return constant(x.shape, 'float32', 1);
  if (exponent === 0.5) return unary('sqrt', x);
  if (!Number.isInteger(exponent)) return powerOf(x, constant([], 'float32', exponent));
  let result: Value | null = null;
  let square = x;
  for (let rest = exponent; ; square = unary('square', square)) {
    if (rest % 2 === 1) result = result === null ? square : binary('mul', result, square);
    rest = Math.floor(rest / 2);
    if (rest === 0) return result as Value;
  }
}

/**
 * x to the power of the elements of another value, under broadcasting: e^(exponent·log x), and 0 or 1 for a
 * base of 0.
 */
export function powerOf(x: Value, exponent: Value): Value {
  const zero = constant([], 'float32', 0);
  const one = constant([], 'float32', 1);
  const isZero = binary('equal', x, zero);
  // The logarithm of 0 must not be computed at all: its gradient would be 0·∞.
  const log = unary('log', where(isZero, one, x));
  const result = unary('exp', binary('mul', exponent, log));
  return where(isZero, cast(binary('equal', exponent, zero), 'float32'), result);
}

export interface MatmulOptions {
  /** Whether to swap the last two axes of the first operand. Default: false. */
  readonly transposeX?: boolean;
  /** Whether to swap the last two axes of the second operand. Default: false. */
  readonly transposeY?: boolean;
}

/** Product of matrices; see `Tensor.matmul`. */
export function matmul(x: Value, y: Value, { transposeX = false, transposeY = false }: MatmulOptions = {}): Value {
  if (x.shape.length === 0 || y.shape.length === 0) {
    throw new ShapeError(
      `[matmul] operands: expected at least one axis each, got ${formatShape(x.shape)} and ${formatShape(y.shape)}; ` +
        'multiply by a scalar with mul()',
    );
  }
  // A vector is a row on the left and a column on the right, and its axis is not in the result.
  const [isRow, isColumn] = [x.shape.length === 1, y.shape.length === 1];
  const left = isRow ? reshape(x, [1, ...x.shape]) : x;
  const right = isColumn ? reshape(y, [...y.shape, 1]) : y;
  const [transposeA, transposeB] = [transposeX && !isRow, transposeY && !isColumn];
  const [rows, inner] = matrixOf(left, transposeA);
  const [depth, columns] = matrixOf(right, transposeB);
  if (inner !== depth) {
    throw new ShapeError(
      `[matmul] inner axes: expected equal sizes, got ${inner} (${formatShape(x.shape)}${transposeX ? ', transposed' : ''}) ` +
        `and ${depth} (${formatShape(y.shape)}${transposeY ? ', transposed' : ''})`,
    );
  }
  const batch = broadcastShapes('matmul', left.shape.slice(0, -2), right.shape.slice(0, -2));
  const product =
    right.shape.length === 2
      ? linear(
          reshape(transposeA ? swapLast(left) : left, [numel(left.shape) / inner, inner]),
          transposeB ? swapLast(right) : right,
          null,
        )
      : multiplyMatrices({ transposeA, transposeB }, spread(left, batch), spread(right, batch));
  const outer = [...(isRow ? [] : [rows]), ...(isColumn ? [] : [columns])];
  return reshape(product, [...batch, ...outer]);
}

/** Rows and columns of the matrices that are multiplied. */
function matrixOf({ shape }: Value, transposed: boolean): readonly [number, number] {
  const [rows, columns] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}

function swapLast(x: Value): Value {
  const axes = x.shape.map((_, i) => i);
  return transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

/** `[batch, rows, columns]`, with the leading axes broadcast and joined. */
function spread(x: Value, batch: Shape): Value {
  const matrix = x.shape.slice(-2);
  return reshape(broadcastTo(x, [...batch, ...matrix]), [numel(batch), ...matrix]);
}

/** Joins values of one shape along a new axis. */
export function stack(values: readonly Value[], axis: number): Value {
  return concat(
    values.map((value) => reshape(value, [...value.shape.slice(0, axis), 1, ...value.shape.slice(axis)])),
    axis,
  );
}
