import { instanceOf, listOf, requireValue } from '../check.js';
import { ShapeError } from '../errors.js';
import { formatShape, normalizeAxis, sameShape } from '../graph/shape.js';
import type { MatmulOptions } from '../ops/composed.js';
import * as ops from '../ops/index.js';
import { requireTensor, Tensor, type TensorLike } from './tensor.js';

const someTensors = listOf(instanceOf(Tensor), { least: 1 });

/**
 * Elements of `x` where the condition is not 0, else of `y`; see {@link Tensor.where}.
 *
 * @example
 * ```ts
 * const x = randn([2, 3]);
 * const y = where(x.greater(0), x, x.mul(0.1));
 * ```
 */
export function where(condition: Tensor, x: TensorLike, y: TensorLike): Tensor {
  return requireTensor('where', condition, 'condition').where(x, y);
}

/** Product of matrices; see {@link Tensor.matmul}. */
export function matmul(x: Tensor, y: Tensor, options: MatmulOptions = {}): Tensor {
  return requireTensor('matmul', x).matmul(y, options);
}

/**
 * Joins tensors of one shape along a new axis of the result; negative ones count from the end.
 *
 * @throws {ShapeError} if the shapes differ
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  requireValue('stack', 'tensors', tensors, someTensors);
  const [{ shape }] = tensors;
  const other = tensors.find((t) => !sameShape(t.shape, shape));
  if (other !== undefined) {
    throw new ShapeError(
      `[stack] tensors: expected one shape, got ${formatShape(shape)} and ${formatShape(other.shape)}`,
    );
  }
  const place = normalizeAxis('stack', axis, shape.length + 1);
  return new Tensor(
    ops.stack(
      tensors.map((t) => t.value),
      place,
    ),
  );
}

/** Joins tensors along an axis. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  requireValue('concat', 'tensors', tensors, someTensors);
  const values = tensors.map((t) => t.value);
  return new Tensor(ops.concat(values, normalizeAxis('concat', axis, tensors[0].shape.length)));
}
