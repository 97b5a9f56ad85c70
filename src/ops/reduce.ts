import { ShapeError } from '../errors.js';
import { formatShape, numel, type Shape } from '../graph/shape.js';
import { affine, binary, broadcastTo, cast, reduce, reshape } from './build.js';
import { checkDType, type OpDefinition } from './define.js';

export const reduceOp: OpDefinition<'reduce'> = {
  infer({ fn, axes, keepdim }, [x]) {
    checkDType(fn, 'input', x, 'float32');
    return [{ shape: reducedShape(x.shape, axes, keepdim), dtype: 'float32' }];
  },
  vjp({ params: { fn, axes }, inputs: [x], outputs: [y], grads: [dy] }) {
    if (dy === null) return [null];
    const kept = reducedShape(x.shape, axes, true);
    const spread = broadcastTo(reshape(dy, kept), x.shape);
    if (fn === 'sum') return [spread];
    if (fn === 'mean') return [affine(spread, numel(kept) / numel(x.shape), 0)];
    // Elements that are equal to the extreme share its gradient.
    const ties = cast(binary('equal', x, reshape(y, kept)), 'float32');
    return [binary('mul', spread, binary('div', ties, reduce('sum', ties, axes, true)))];
  },
};

export const argmaxOp: OpDefinition<'argmax'> = {
  infer: ({ axis, keepdim }, [x]) => [{ shape: reducedShape(x.shape, [axis], keepdim), dtype: 'int32' }],
  vjp: null,
};

export const topkOp: OpDefinition<'topk'> = {
  infer({ k, axis }, [x]) {
    if (!Number.isInteger(k) || k < 1 || k > x.shape[axis]) {
      throw new ShapeError(
        `[topk] k: expected an integer from 1 to ${x.shape[axis]} (axis ${axis} of ${formatShape(x.shape)}), got ${k}`,
      );
    }
    const shape = x.shape.map((n, i) => (i === axis ? k : n));
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: 'int32' },
    ];
  },
  vjp: null,
};

function reducedShape(shape: Shape, axes: readonly number[], keepdim: boolean): number[] {
  const out: number[] = [];
  shape.forEach((size, i) => {
    if (!axes.includes(i)) out.push(size);
    else if (keepdim) out.push(1);
  });
  return out;
}
