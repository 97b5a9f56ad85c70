import { InputError } from '../../../errors.js';
import type { TypedArray } from '../../../graph/dtype.js';
import type { Kernel } from '../kernel.js';
import { splitAt } from './strides.js';

/** `log Σ e^x` over `n` elements, with the largest factored out so that nothing overflows. */
function logSumExp(x: TypedArray, start: number, step: number, n: number): number {
  const end = start + n * step;
  let max = -Infinity;
  for (let i = start; i < end; i += step) if (x[i] > max) max = x[i];
  let sum = 0;
  for (let i = start; i < end; i += step) sum += Math.exp(x[i] - max);
  return max + Math.log(sum);
}

export const softmax: Kernel<'softmax'> = ({ axis, log }, inputs, outputs) => {
  const x = inputs[0].data;
  const y = outputs[0].data;
  const { outer, size, inner } = splitAt(inputs[0].shape, axis);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < inner; k++) {
      const start = o * size * inner + k;
      const end = start + size * inner;
      const total = logSumExp(x, start, inner, size);
      if (log) for (let i = start; i < end; i += inner) y[i] = x[i] - total;
      else for (let i = start; i < end; i += inner) y[i] = Math.exp(x[i] - total);
    }
  }
};

/** `dx = y·(dy − Σ dy·y)`, and for the logarithm `dx = dy − e^y·Σ dy`. */
export const softmaxBackward: Kernel<'softmaxBackward'> = ({ axis, log }, inputs, outputs) => {
  const dy = inputs[0].data;
  const y = inputs[1].data;
  const dx = outputs[0].data;
  const { outer, size, inner } = splitAt(inputs[0].shape, axis);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < inner; k++) {
      const start = o * size * inner + k;
      const end = start + size * inner;
      let sum = 0;
      if (log) {
        for (let i = start; i < end; i += inner) sum += dy[i];
        for (let i = start; i < end; i += inner) dx[i] = dy[i] - Math.exp(y[i]) * sum;
      } else {
        for (let i = start; i < end; i += inner) sum += dy[i] * y[i];
        for (let i = start; i < end; i += inner) dx[i] = y[i] * (dy[i] - sum);
      }
    }
  }
};

function checkLabel(label: number, classes: number, row: number): void {
  if (label < 0 || label >= classes) {
    throw new InputError(`[crossEntropy] label: expected 0 to ${classes - 1}, got ${label} (row ${row})`);
  }
}

export const crossEntropy: Kernel<'crossEntropy'> = ({ ignoreIndex }, inputs, outputs) => {
  const logits = inputs[0].data;
  const labels = inputs[1].data;
  const loss = outputs[0].data;
  const classes = inputs[0].shape[1];
  for (let n = 0; n < loss.length; n++) {
    const label = labels[n];
    if (label === ignoreIndex) {
      loss[n] = 0;
      continue;
    }
    checkLabel(label, classes, n);
    loss[n] = logSumExp(logits, n * classes, 1, classes) - logits[n * classes + label];
  }
};

export const crossEntropyBackward: Kernel<'crossEntropyBackward'> = ({ ignoreIndex }, inputs, outputs) => {
  const logits = inputs[0].data;
  const labels = inputs[1].data;
  const dLoss = inputs[2].data;
  const dLogits = outputs[0].data;
  const [batch, classes] = inputs[0].shape;
  for (let n = 0; n < batch; n++) {
    const label = labels[n];
    const start = n * classes;
    if (label === ignoreIndex) {
      dLogits.fill(0, start, start + classes);
      continue;
    }
    checkLabel(label, classes, n);
    const total = logSumExp(logits, start, 1, classes);
    const weight = dLoss[n];
    for (let c = 0; c < classes; c++) {
      dLogits[start + c] = (Math.exp(logits[start + c] - total) - (c === label ? 1 : 0)) * weight;
    }
  }
};

export const bceWithLogits: Kernel<'bceWithLogits'> = (_params, inputs, outputs) => {
  const x = inputs[0].data;
  const target = inputs[1].data;
  const loss = outputs[0].data;
  for (let i = 0; i < loss.length; i++) {
    const v = x[i];
    loss[i] = Math.max(v, 0) - v * target[i] + Math.log1p(Math.exp(-Math.abs(v)));
  }
};

export const bceWithLogitsBackward: Kernel<'bceWithLogitsBackward'> = (_params, inputs, outputs) => {
  const x = inputs[0].data;
  const target = inputs[1].data;
  const dLoss = inputs[2].data;
  const dx = outputs[0].data;
  for (let i = 0; i < dx.length; i++) dx[i] = (1 / (1 + Math.exp(-x[i])) - target[i]) * dLoss[i];
};
