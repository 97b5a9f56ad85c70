import type { TypedArray } from '../../../graph/dtype.js';
import { type Shape, stridesOf } from '../../../graph/shape.js';
import type { Kernel } from '../kernel.js';
import { broadcastStrides, mergeAxes, offsetsOf } from './strides.js';

/** Below this length a loop is faster than making a subarray to copy from. */
const shortRun = 64;

/** Copies `shape` elements between two arrays, each walked with its own offset and strides. */
function copy(
  shape: Shape,
  source: TypedArray,
  sourceOffset: number,
  sourceStrides: readonly number[],
  target: TypedArray,
  targetOffset: number,
  targetStrides: readonly number[],
): void {
  const { sizes, strides } = mergeAxes(shape, [sourceStrides, targetStrides]);
  const last = sizes.length - 1;
  const sourceRows = offsetsOf(sizes, strides[0], last);
  const targetRows = offsetsOf(sizes, strides[1], last);
  const sourceStep = strides[0][last];
  const targetStep = strides[1][last];
  const n = sizes[last];
  const block = n >= shortRun && sourceStep === 1 && targetStep === 1;
  for (let r = 0; r < sourceRows.length; r++) {
    let p = sourceOffset + sourceRows[r];
    let q = targetOffset + targetRows[r];
    if (block) {
      target.set(source.subarray(p, p + n), q);
      continue;
    }
    for (let i = 0; i < n; i++, p += sourceStep, q += targetStep) target[q] = source[p];
  }
}

/** Offset of the element at `position`. */
function offsetOf(position: readonly number[], strides: readonly number[]): number {
  let offset = 0;
  for (let i = 0; i < position.length; i++) offset += position[i] * strides[i];
  return offset;
}

export const reshape: Kernel<'reshape'> = (_params, inputs, outputs) => {
  outputs[0].data.set(inputs[0].data);
};

export const transpose: Kernel<'transpose'> = ({ permutation }, inputs, outputs) => {
  const own = stridesOf(inputs[0].shape);
  const permuted = permutation.map((axis) => own[axis]);
  const { shape, data } = outputs[0];
  copy(shape, inputs[0].data, 0, permuted, data, 0, stridesOf(shape));
};

export const broadcastTo: Kernel<'broadcastTo'> = (_params, inputs, outputs) => {
  const { shape, data } = outputs[0];
  copy(shape, inputs[0].data, 0, broadcastStrides(inputs[0].shape, shape), data, 0, stridesOf(shape));
};

export const concat: Kernel<'concat'> = ({ axis }, inputs, outputs) => {
  const strides = stridesOf(outputs[0].shape);
  let start = 0;
  for (const { shape, data } of inputs) {
    copy(shape, data, 0, stridesOf(shape), outputs[0].data, start * strides[axis], strides);
    start += shape[axis];
  }
};

export const slice: Kernel<'slice'> = ({ starts, sizes }, inputs, outputs) => {
  const strides = stridesOf(inputs[0].shape);
  copy(sizes, inputs[0].data, offsetOf(starts, strides), strides, outputs[0].data, 0, stridesOf(sizes));
};

export const pad: Kernel<'pad'> = ({ before, value }, inputs, outputs) => {
  const { shape } = inputs[0];
  const strides = stridesOf(outputs[0].shape);
  outputs[0].data.fill(value);
  copy(shape, inputs[0].data, 0, stridesOf(shape), outputs[0].data, offsetOf(before, strides), strides);
};
