import type { TypedArray } from '../../../graph/dtype.js';
import type { Gate } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import type { NDArray } from '../../ndarray.js';
import type { Kernel } from '../kernel.js';
import { applyFused, unaryBackward } from './elementwise.js';

/** `y = x·factor + offset` over one channel. */
function scaleChannel(
  x: TypedArray,
  [batch, channels, height, width]: Shape,
  channel: number,
  factor: number,
  offset: number,
  y: TypedArray,
): void {
  const area = height * width;
  for (let n = 0; n < batch; n++) {
    const from = (n * channels + channel) * area;
    for (let i = from; i < from + area; i++) y[i] = x[i] * factor + offset;
  }
}

export const batchNorm: Kernel<'batchNorm'> = ({ epsilon, relu }, inputs, outputs) => {
  const { shape, data: x } = inputs[0];
  const mean = inputs[1].data;
  const variance = inputs[2].data;
  const scale = inputs[3].data;
  const shift = inputs[4].data;
  const y = outputs[0].data;
  for (let c = 0; c < shape[1]; c++) {
    const factor = scale[c] / Math.sqrt(variance[c] + epsilon);
    scaleChannel(x, shape, c, factor, shift[c] - mean[c] * factor, y);
  }
  if (relu) for (let i = 0; i < y.length; i++) y[i] = Math.max(y[i], 0);
};

/** Ioffe and Szegedy, 2015, algorithm 1. */
export const batchNormTrain: Kernel<'batchNormTrain'> = ({ epsilon, relu, gate }, inputs, outputs) => {
  const { shape, data: x } = inputs[0];
  const scale = inputs[1].data;
  const shift = inputs[2].data;
  const y = outputs[0].data;
  const mean = outputs[1].data;
  const variance = outputs[2].data;
  const mask = outputs[3].data;
  const [batch, channels, height, width] = shape;
  const area = height * width;
  const count = batch * area;
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let n = 0; n < batch; n++) {
      const from = (n * channels + c) * area;
      for (let i = from; i < from + area; i++) sum += x[i];
    }
    const center = sum / count;
    let squares = 0;
    for (let n = 0; n < batch; n++) {
      const from = (n * channels + c) * area;
      for (let i = from; i < from + area; i++) squares += (x[i] - center) * (x[i] - center);
    }
    mean[c] = center;
    variance[c] = squares / count;
    const factor = scale[c] / Math.sqrt(squares / count + epsilon);
    scaleChannel(x, shape, c, factor, shift[c] - center * factor, y);
  }
  const summand = inputs.at(3)?.data;
  if (summand !== undefined) for (let i = 0; i < y.length; i++) y[i] += summand[i];
  applyFused(gate === undefined ? undefined : { fn: gate, alpha: 0 }, y);
  if (!relu) {
    mask.fill(1);
    return;
  }
  for (let i = 0; i < y.length; i++) {
    mask[i] = y[i] > 0 ? 1 : 0;
    y[i] = Math.max(y[i], 0);
  }
};

/** The gradient of the sum that batch norm's result went into. */
function sumGradient(relu: boolean, inputs: readonly NDArray[], gradient: TypedArray): void {
  const [dy, , y, second] = inputs.slice(5).map(({ data }) => data);
  for (let i = 0; i < gradient.length; i++) {
    gradient[i] = relu && y[i] <= 0 ? 0 : dy[i] + (second === undefined ? 0 : second[i]);
  }
}

/** The gradient of batch norm's result, whose gate is not stored. */
function gateGradient(gate: Gate, epsilon: number, inputs: readonly NDArray[]): TypedArray {
  const [x, mean, variance, scale, shift, dy] = inputs;
  const [y, gradient] = [new Float32Array(x.data.length), new Float32Array(x.data.length)];
  for (let c = 0; c < x.shape[1]; c++) {
    const factor = scale.data[c] / Math.sqrt(variance.data[c] + epsilon);
    scaleChannel(x.data, x.shape, c, factor, shift.data[c] - mean.data[c] * factor, y);
  }
  unaryBackward({ fn: gate, alpha: 0 }, [dy, { ...x, data: y }], [{ ...x, data: gradient }]);
  return gradient;
}

/** With x̂ = (x − mean)/√(variance + ε): `dx = scale/√(variance + ε) · (dy − mean(dy) − x̂·mean(dy·x̂))`. */
export const batchNormBackward: Kernel<'batchNormBackward'> = ({ epsilon, relu, gate }, inputs, outputs) => {
  const x = inputs[0].data;
  const mean = inputs[1].data;
  const variance = inputs[2].data;
  const scale = inputs[3].data;
  const mask = inputs[6].data;
  const dx = outputs[0].data;
  const dScale = outputs[1].data;
  const dShift = outputs[2].data;
  const [batch, channels, height, width] = inputs[0].shape;
  const area = height * width;
  const count = batch * area;
  const isSum = inputs.length > 7;
  const dy = isSum ? outputs[3].data : gate === undefined ? inputs[5].data : gateGradient(gate, epsilon, inputs);
  if (isSum) sumGradient(relu === true, inputs, dy);
  const masks = relu && !isSum;
  for (let c = 0; c < channels; c++) {
    const center = mean[c];
    const inverse = 1 / Math.sqrt(variance[c] + epsilon);
    let sum = 0;
    let product = 0;
    for (let n = 0; n < batch; n++) {
      const from = (n * channels + c) * area;
      for (let i = from; i < from + area; i++) {
        const d = masks && mask[i] === 0 ? 0 : dy[i];
        sum += d;
        product += d * (x[i] - center);
      }
    }
    dShift[c] = sum;
    dScale[c] = product * inverse;
    const factor = scale[c] * inverse;
    const meanGradient = sum / count;
    const slope = (product * inverse * inverse) / count;
    for (let n = 0; n < batch; n++) {
      const from = (n * channels + c) * area;
      for (let i = from; i < from + area; i++) {
        const d = masks && mask[i] === 0 ? 0 : dy[i];
        dx[i] = factor * (d - meanGradient - (x[i] - center) * slope);
      }
    }
  }
};

export const scaleChannels: Kernel<'scaleChannels'> = (_params, [x, scale, shift], [y]) => {
  const pixels = x.data.length / scale.data.length;
  for (let map = 0, i = 0; map < scale.data.length; map++) {
    const summand = shift?.data[map] ?? 0;
    for (const end = i + pixels; i < end; i++) y.data[i] = x.data[i] * scale.data[map] + summand;
  }
};

export const scaleChannelsBackward: Kernel<'scaleChannelsBackward'> = (_params, [x, scale, dy], [dx, dScale]) => {
  const pixels = x.data.length / scale.data.length;
  for (let map = 0, i = 0; map < scale.data.length; map++) {
    let sum = 0;
    for (const end = i + pixels; i < end; i++) {
      sum += dy.data[i] * x.data[i];
      dx.data[i] = dy.data[i] * scale.data[map];
    }
    dScale.data[map] = sum;
  }
};

/** Sizes before, along and behind an axis. */
function aroundAxis(shape: Shape, axis: number): readonly [outer: number, size: number, inner: number] {
  const product = (sizes: Shape) => sizes.reduce((a, b) => a * b, 1);
  return [product(shape.slice(0, axis)), shape[axis], product(shape.slice(axis + 1))];
}

/** Ba et al., 2016. */
export const layerNorm: Kernel<'layerNorm'> = ({ axis, epsilon }, [x, scale, shift], [y, mean, inverse]) => {
  const [outer, size, inner] = aroundAxis(x.shape, axis);
  for (let o = 0, place = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++, place++) {
      const first = o * size * inner + i;
      let sum = 0;
      for (let c = 0; c < size; c++) sum += x.data[first + c * inner];
      const center = sum / size;
      let squares = 0;
      for (let c = 0; c < size; c++) squares += (x.data[first + c * inner] - center) ** 2;
      const factor = 1 / Math.sqrt(squares / size + epsilon);
      mean.data[place] = center;
      inverse.data[place] = factor;
      for (let c = 0; c < size; c++) {
        const at = first + c * inner;
        y.data[at] = (x.data[at] - center) * factor * scale.data[c] + shift.data[c];
      }
    }
  }
};

/** With x̂ = (x − mean)·inverse and g = dy·scale: `dx = inverse·(g − mean(g) − x̂·mean(g·x̂))`. */
export const layerNormBackward: Kernel<'layerNormBackward'> = ({ axis }, inputs, [dx, dScale, dShift]) => {
  const [x, mean, inverse, scale, dy] = inputs.map(({ data }) => data);
  const [outer, size, inner] = aroundAxis(inputs[0].shape, axis);
  const sums = { scale: new Float64Array(size), shift: new Float64Array(size) };
  for (let o = 0, place = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++, place++) {
      const first = o * size * inner + i;
      let sum = 0;
      let product = 0;
      for (let c = 0; c < size; c++) {
        const at = first + c * inner;
        const normalized = (x[at] - mean[place]) * inverse[place];
        sum += dy[at] * scale[c];
        product += dy[at] * scale[c] * normalized;
        sums.scale[c] += dy[at] * normalized;
        sums.shift[c] += dy[at];
      }
      for (let c = 0; c < size; c++) {
        const at = first + c * inner;
        const normalized = (x[at] - mean[place]) * inverse[place];
        dx.data[at] = inverse[place] * (dy[at] * scale[c] - sum / size - (normalized * product) / size);
      }
    }
  }
  dScale.data.set(sums.scale);
  dShift.data.set(sums.shift);
};
