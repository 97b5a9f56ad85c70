import { DTypeError, ShapeError } from '../errors.js';
import { checkShape, formatShape, numel, type Shape } from '../graph/shape.js';
import { pad, reshape, slice, sumTo, transpose } from './build.js';
import type { OpDefinition } from './define.js';

export const constantOp: OpDefinition<'constant'> = {
  infer: ({ shape, dtype }) => [{ shape, dtype }],
  vjp: () => [],
};

export const reshapeOp: OpDefinition<'reshape'> = {
  infer({ shape }, [x]) {
    if (numel(shape) !== numel(x.shape)) {
      throw new ShapeError(
        `[reshape] elements: expected ${numel(x.shape)} (input ${formatShape(x.shape)}), ` +
          `got ${numel(shape)} (shape ${formatShape(shape)})`,
      );
    }
    return [{ shape, dtype: x.dtype }];
  },
  vjp: ({ inputs: [x], grads: [dy] }) => [dy === null ? null : reshape(dy, x.shape)],
};

export const transposeOp: OpDefinition<'transpose'> = {
  infer({ permutation }, [x]) {
    const rank = x.shape.length;
    const seen = new Set(permutation);
    if (permutation.length !== rank || seen.size !== rank || permutation.some((axis) => !(axis in x.shape))) {
      throw new ShapeError(
        `[transpose] permutation: expected each axis of ${formatShape(x.shape)} once, got ${formatShape(permutation)}`,
      );
    }
    return [{ shape: permutation.map((axis) => x.shape[axis]), dtype: x.dtype }];
  },
  vjp({ params: { permutation }, grads: [dy] }) {
    if (dy === null) return [null];
    const inverse = new Array<number>(permutation.length);
    permutation.forEach((axis, i) => {
      inverse[axis] = i;
    });
    return [transpose(dy, inverse)];
  },
};

export const broadcastToOp: OpDefinition<'broadcastTo'> = {
  infer({ shape }, [x]) {
    const offset = shape.length - x.shape.length;
    if (offset < 0 || x.shape.some((size, i) => size !== 1 && size !== shape[i + offset])) {
      throw new ShapeError(
        `[broadcastTo] shape: expected one that ${formatShape(x.shape)} broadcasts to, got ${formatShape(shape)}`,
      );
    }
    return [{ shape, dtype: x.dtype }];
  },
  vjp: ({ inputs: [x], grads: [dy] }) => [dy === null ? null : sumTo(dy, x.shape)],
};

export const concatOp: OpDefinition<'concat'> = {
  infer({ axis }, inputs) {
    const [first] = inputs;
    let size = 0;
    for (const x of inputs) {
      if (x.dtype !== first.dtype) {
        throw new DTypeError(`[concat] inputs: expected one dtype, got ${first.dtype} and ${x.dtype}`);
      }
      if (x.shape.length !== first.shape.length || x.shape.some((n, i) => i !== axis && n !== first.shape[i])) {
        throw new ShapeError(
          `[concat] inputs: expected equal sizes but for axis ${axis}, ` +
            `got ${inputs.map((value) => formatShape(value.shape)).join(' and ')}`,
        );
      }
      size += x.shape[axis];
    }
    return [{ shape: first.shape.map((n, i) => (i === axis ? size : n)), dtype: first.dtype }];
  },
  vjp({ params: { axis }, inputs, grads: [dy], needs }) {
    let start = 0;
    return inputs.map((x, i) => {
      const starts = x.shape.map((_, d) => (d === axis ? start : 0));
      start += x.shape[axis];
      return dy !== null && needs[i] ? slice(dy, starts, x.shape) : null;
    });
  },
};

export const sliceOp: OpDefinition<'slice'> = {
  infer({ starts, sizes }, [x]) {
    checkShape('slice', sizes);
    const fits =
      starts.length === x.shape.length &&
      sizes.length === x.shape.length &&
      x.shape.every((n, i) => Number.isInteger(starts[i]) && starts[i] >= 0 && starts[i] + sizes[i] <= n);
    if (!fits) {
      throw new ShapeError(
        `[slice] range: expected one inside ${formatShape(x.shape)}, ` +
          `got starts ${formatShape(starts)} and sizes ${formatShape(sizes)}`,
      );
    }
    return [{ shape: sizes, dtype: x.dtype }];
  },
  vjp({ params: { starts, sizes }, inputs: [x], grads: [dy] }) {
    if (dy === null) return [null];
    const after = x.shape.map((n, i) => n - starts[i] - sizes[i]);
    return [pad(dy, starts, after, 0)];
  },
};

export const padOp: OpDefinition<'pad'> = {
  infer({ before, after }, [x]) {
    const valid = (amounts: Shape) =>
      amounts.length === x.shape.length && amounts.every((n) => Number.isInteger(n) && n >= 0);
    if (!valid(before) || !valid(after)) {
      throw new ShapeError(
        `[pad] amounts: expected non-negative integers for each axis of ${formatShape(x.shape)}, ` +
          `got ${formatShape(before)} before and ${formatShape(after)} after`,
      );
    }
    return [{ shape: x.shape.map((n, i) => before[i] + n + after[i]), dtype: x.dtype }];
  },
  vjp: ({ params: { before }, inputs: [x], grads: [dy] }) => [dy === null ? null : slice(dy, before, x.shape)],
};
