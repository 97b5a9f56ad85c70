import { DTypeError, InternalError } from '../errors.js';
import type { Value } from '../graph/node.js';
import type { BinaryFn } from '../graph/op.js';
import { broadcastShapes } from '../graph/shape.js';
import { hasBackward, unaryFunctions } from '../graph/unaryFunctions.js';
import { affine, binary, cast, constant, select, sumTo, unaryBackward } from './build.js';
import { checkDType, checkExactShape, type OpDefinition } from './define.js';

const comparisons: ReadonlySet<BinaryFn> = new Set([
  'equal',
  'notEqual',
  'greater',
  'greaterEqual',
  'less',
  'lessEqual',
]);

export const unaryOp: OpDefinition<'unary'> = {
  infer(params, [x]) {
    checkDType(params.fn, 'input', x, 'float32');
    return [{ shape: x.shape, dtype: 'float32' }];
  },
  vjp({ params, inputs: [x], outputs: [y], grads: [dy] }) {
    if (dy === null) return [null];
    const { fn } = params;
    if (hasBackward(fn)) return [unaryBackward(params, dy, unaryFunctions[fn].gradFrom === 'output' ? y : x)];
    switch (fn) {
      case 'exp':
        return [binary('mul', dy, y)];
      case 'log':
        return [binary('div', dy, x)];
      case 'sqrt': // d√x = 1/(2√x) dx
        return [binary('div', affine(dy, 0.5, 0), y)];
      case 'square':
        return [binary('mul', dy, affine(x, 2, 0))];
      case 'abs': {
        const zero = constant([], 'float32', 0);
        const positive = cast(binary('greater', x, zero), 'float32');
        const negative = cast(binary('less', x, zero), 'float32');
        return [binary('mul', dy, binary('sub', positive, negative))];
      }
      default:
        return fn satisfies never;
    }
  },
};

export const unaryBackwardOp: OpDefinition<'unaryBackward'> = {
  infer(params, [dy, y]) {
    if (!hasBackward(params.fn)) throw new InternalError(`unaryBackward of ${params.fn}`);
    checkDType('unaryBackward', 'gradient', dy, 'float32');
    checkExactShape('unaryBackward', 'gradient', dy, y.shape);
    return [{ shape: y.shape, dtype: 'float32' }];
  },
  vjp: null,
};

export const affineOp: OpDefinition<'affine'> = {
  infer(_params, [x]) {
    checkDType('affine', 'input', x, 'float32');
    return [{ shape: x.shape, dtype: 'float32' }];
  },
  vjp: ({ params, grads: [dy] }) => [dy === null ? null : affine(dy, params.scale, 0)],
};

export const binaryOp: OpDefinition<'binary'> = {
  infer({ fn }, [a, b]) {
    if (a.dtype !== b.dtype) {
      throw new DTypeError(
        `[${fn}] operands: expected one dtype, got ${a.dtype} [${a.shape}] and ${b.dtype} [${b.shape}]; ` +
          'convert one with cast()',
      );
    }
    checkDType(fn, 'operand', a, 'float32', 'int32', 'uint8');
    return [{ shape: broadcastShapes(fn, a.shape, b.shape), dtype: comparisons.has(fn) ? 'uint8' : a.dtype }];
  },
  vjp({ params: { fn }, inputs: [a, b], outputs: [y], grads: [dy], needs }) {
    if (dy === null) return [null, null];
    const toA = (g: () => Value) => (needs[0] ? sumTo(g(), a.shape) : null);
    const toB = (g: () => Value) => (needs[1] ? sumTo(g(), b.shape) : null);
    switch (fn) {
      case 'add':
        return [toA(() => dy), toB(() => dy)];
      case 'sub':
        return [toA(() => dy), toB(() => affine(dy, -1, 0))];
      case 'mul':
        return [toA(() => binary('mul', dy, b)), toB(() => binary('mul', dy, a))];
      case 'div': // d(a/b) = da/b − (a/b)/b db
        return [toA(() => binary('div', dy, b)), toB(() => affine(binary('div', binary('mul', dy, y), b), -1, 0))];
      case 'max':
        return [toA(() => winnersShare(dy, 'greater', a, b)), toB(() => winnersShare(dy, 'less', a, b))];
      case 'min':
        return [toA(() => winnersShare(dy, 'less', a, b)), toB(() => winnersShare(dy, 'greater', a, b))];
      default:
        return [null, null];
    }
  },
};

/** The gradient where a is chosen over b, half of it where they are equal. */
function winnersShare(dy: Value, comparison: BinaryFn, a: Value, b: Value): Value {
  const wins = cast(binary(comparison, a, b), 'float32');
  const ties = cast(binary('equal', a, b), 'float32');
  return binary('mul', dy, binary('add', wins, affine(ties, 0.5, 0)));
}

export const selectOp: OpDefinition<'select'> = {
  infer(_params, [condition, a, b]) {
    checkDType('select', 'condition', condition, 'uint8');
    if (a.dtype !== b.dtype) {
      throw new DTypeError(`[select] branches: expected one dtype, got ${a.dtype} and ${b.dtype}`);
    }
    checkExactShape('select', 'first branch', a, condition.shape);
    checkExactShape('select', 'second branch', b, condition.shape);
    return [{ shape: a.shape, dtype: a.dtype }];
  },
  vjp({ inputs: [condition, a], grads: [dy], needs }) {
    if (dy === null) return [null, null, null];
    const zeros = constant(a.shape, 'float32', 0);
    return [null, needs[1] ? select(condition, dy, zeros) : null, needs[2] ? select(condition, zeros, dy) : null];
  },
};

export const castOp: OpDefinition<'cast'> = {
  infer: ({ dtype }, [x]) => [{ shape: x.shape, dtype }],
  // Only floats have gradients. A cast from float to float is the identity, and `cast` makes no node for it.
  vjp: null,
};
