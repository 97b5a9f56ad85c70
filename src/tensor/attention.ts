import { ShapeError } from '../errors.js';
import { formatShape, sameShape } from '../graph/shape.js';
import * as ops from '../ops/index.js';
import { requireTensor, Tensor } from './tensor.js';

/**
 * Attention (Vaswani et al., 2017): softmax(query·keyᵀ/√size)·value for each head, as in Paddle.
 *
 * @param query `[batch, places, heads, size]`
 * @param key `[batch, otherPlaces, heads, size]`
 * @param value of the shape of the keys
 * @returns `[batch, places, heads, size]`
 * @throws {ShapeError} for other shapes
 *
 * @example
 * ```ts
 * const [q, k, v] = [randn([2, 9, 3, 64]), randn([2, 9, 3, 64]), randn([2, 9, 3, 64])];
 * const y = F.scaledDotProductAttention(q, k, v); // [2, 9, 3, 64]
 * ```
 */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor): Tensor {
  for (const [name, tensor] of Object.entries({ query, key, value })) {
    requireTensor('scaledDotProductAttention', tensor, name);
    if (tensor.shape.length === 4) continue;
    throw new ShapeError(
      `[scaledDotProductAttention] ${name}: expected [batch, places, heads, size], got ${formatShape(tensor.shape)}`,
    );
  }
  const [batch, , heads, size] = query.shape;
  const expected = [batch, key.shape[1], heads, size];
  for (const [name, { shape }] of Object.entries({ key, value })) {
    if (sameShape(shape, expected)) continue;
    throw new ShapeError(
      `[scaledDotProductAttention] ${name}: expected ${formatShape(expected)} (query ${formatShape(query.shape)}), got ` +
        formatShape(shape),
    );
  }
  const [q, k, v] = [query, key, value].map((tensor) => tensor.transpose([0, 2, 1, 3]));
  return attend(q, k, v).transpose([0, 2, 1, 3]);
}

/** {@link scaledDotProductAttention} with the heads first: `[batch, heads, places, size]`. */
export function attend(query: Tensor, key: Tensor, value: Tensor): Tensor {
  // There are more scores than numbers of the query.
  const scaled = query.mul(1 / Math.sqrt(query.shape[3]));
  const shares = ops.softmax(scaled.matmul(key, { transposeY: true }).value, -1);
  return new Tensor(shares).matmul(value);
}
