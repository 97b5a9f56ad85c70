import type { TypedArray } from '../../../graph/dtype.js';
import type { BinaryFn } from '../../../graph/op.js';
import { sameShape } from '../../../graph/shape.js';
import type { Kernel } from '../kernel.js';
import { applyFused } from './elementwise.js';
import { broadcastStrides, mergeAxes, offsetsOf } from './strides.js';

/** One run of `n` elements; a step of 0 repeats an operand. */
function run(
  fn: BinaryFn,
  a: TypedArray,
  aStart: number,
  aStep: number,
  b: TypedArray,
  bStart: number,
  bStep: number,
  y: TypedArray,
  yStart: number,
  n: number,
): void {
  const end = yStart + n;
  let p = aStart;
  let q = bStart;
  let i = yStart;
  switch (fn) {
    case 'add':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] + b[q];
      return;
    case 'sub':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] - b[q];
      return;
    case 'mul':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] * b[q];
      return;
    case 'div':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] / b[q];
      return;
    case 'max':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = Math.max(a[p], b[q]);
      return;
    case 'min':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = Math.min(a[p], b[q]);
      return;
    case 'equal':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] === b[q] ? 1 : 0;
      return;
    case 'notEqual':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] !== b[q] ? 1 : 0;
      return;
    case 'greater':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] > b[q] ? 1 : 0;
      return;
    case 'greaterEqual':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] >= b[q] ? 1 : 0;
      return;
    case 'less':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] < b[q] ? 1 : 0;
      return;
    case 'lessEqual':
      for (; i < end; i++, p += aStep, q += bStep) y[i] = a[p] <= b[q] ? 1 : 0;
      return;
    default:
      fn satisfies never;
  }
}

export const binary: Kernel<'binary'> = ({ fn, activation }, inputs, outputs) => {
  const a = inputs[0].data;
  const b = inputs[1].data;
  const y = outputs[0].data;
  const aShape = inputs[0].shape;
  const bShape = inputs[1].shape;
  const shape = outputs[0].shape;
  if (b.length === 1) run(fn, a, 0, 1, b, 0, 0, y, 0, y.length);
  else if (a.length === 1) run(fn, a, 0, 0, b, 0, 1, y, 0, y.length);
  else if (sameShape(aShape, bShape)) run(fn, a, 0, 1, b, 0, 1, y, 0, y.length);
  else {
    const { sizes, strides } = mergeAxes(shape, [broadcastStrides(aShape, shape), broadcastStrides(bShape, shape)]);
    const last = sizes.length - 1;
    const aRows = offsetsOf(sizes, strides[0], last);
    const bRows = offsetsOf(sizes, strides[1], last);
    const aStep = strides[0][last];
    const bStep = strides[1][last];
    const n = sizes[last];
    for (let r = 0; r < aRows.length; r++) run(fn, a, aRows[r], aStep, b, bRows[r], bStep, y, r * n, n);
  }
  applyFused(activation, y);
};
