import type { Kernel } from '../kernel.js';
import { applyFused } from './elementwise.js';

export const linear: Kernel<'linear'> = ({ activation }, inputs, outputs) => {
  const [batch, features] = inputs[0].shape;
  const x = inputs[0].data;
  const weight = inputs[1].data;
  const bias = inputs.length > 2 ? inputs[2].data : null;
  const y = outputs[0].data;
  const units = outputs[0].shape[1];
  const sum = new Float64Array(y.length);
  if (bias !== null) for (let n = 0; n < batch; n++) sum.set(bias, n * units);
  // Features outermost: each row of a weight that may be far larger than the caches is read once.
  for (let i = 0; i < features; i++) {
    const row = i * units;
    for (let n = 0; n < batch; n++) {
      const value = x[n * features + i];
      const to = n * units;
      for (let o = 0; o < units; o++) sum[to + o] += value * weight[row + o];
    }
  }
  y.set(sum);
  applyFused(activation, y);
};

export const linearBackwardData: Kernel<'linearBackwardData'> = (_params, inputs, outputs) => {
  const [batch, units] = inputs[0].shape;
  const dy = inputs[0].data;
  const weight = inputs[1].data;
  const dx = outputs[0].data;
  const features = outputs[0].shape[1];
  for (let i = 0; i < features; i++) {
    const row = i * units;
    for (let n = 0; n < batch; n++) {
      const from = n * units;
      let sum = 0;
      for (let o = 0; o < units; o++) sum += dy[from + o] * weight[row + o];
      dx[n * features + i] = sum;
    }
  }
};

export const linearBackwardWeights: Kernel<'linearBackwardWeights'> = (params, inputs, outputs) => {
  const [batch, features] = inputs[0].shape;
  const x = inputs[0].data;
  const dy = inputs[1].data;
  const units = inputs[1].shape[1];
  const dWeight = outputs[0].data;
  const sum = new Float64Array(units);
  for (let i = 0; i < features; i++) {
    sum.fill(0);
    for (let n = 0; n < batch; n++) {
      const value = x[n * features + i];
      const from = n * units;
      for (let o = 0; o < units; o++) sum[o] += value * dy[from + o];
    }
    dWeight.set(sum, i * units);
  }
  if (!params.bias) return;
  sum.fill(0);
  for (let n = 0; n < batch; n++) for (let o = 0; o < units; o++) sum[o] += dy[n * units + o];
  outputs[1].data.set(sum);
};

export const matmul: Kernel<'matmul'> = ({ transposeA, transposeB }, [a, b], [y]) => {
  const [batch, rows, columns] = y.shape;
  const inner = a.shape[transposeA ? 1 : 2];
  const [ofRow, ofA] = transposeA ? [1, rows] : [inner, 1];
  const [ofColumn, ofB] = transposeB ? [inner, 1] : [1, columns];
  const sums = new Float64Array(columns);
  for (let i = 0; i < batch * rows; i++) {
    const [matrix, row] = [Math.floor(i / rows), i % rows];
    sums.fill(0);
    for (let k = 0; k < inner; k++) {
      const value = a.data[matrix * rows * inner + row * ofRow + k * ofA];
      const from = matrix * inner * columns + k * ofB;
      for (let column = 0; column < columns; column++) sums[column] += value * b.data[from + column * ofColumn];
    }
    y.data.set(sums, i * columns);
  }
};
