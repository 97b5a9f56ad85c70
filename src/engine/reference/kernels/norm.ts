import type { TypedArray } from '../../../graph/dtype.js';
import type { Shape } from '../../../graph/shape.js';
import type { NDArray } from '../../ndarray.js';
import type { Kernel } from '../kernel.js';

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
export const batchNormTrain: Kernel<'batchNormTrain'> = ({ epsilon, relu }, inputs, outputs) => {
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

/** With x̂ = (x − mean)/√(variance + ε): `dx = scale/√(variance + ε) · (dy − mean(dy) − x̂·mean(dy·x̂))`. */
export const batchNormBackward: Kernel<'batchNormBackward'> = ({ epsilon, relu }, inputs, outputs) => {
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
  const dy = isSum ? outputs[3].data : inputs[5].data;
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

export const scaleChannels: Kernel<'scaleChannels'> = (_params, [x, scale], [y]) => {
  const pixels = x.data.length / scale.data.length;
  for (let map = 0, i = 0; map < scale.data.length; map++) {
    for (const end = i + pixels; i < end; i++) y.data[i] = x.data[i] * scale.data[map];
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
