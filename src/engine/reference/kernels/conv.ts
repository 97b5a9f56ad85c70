import type { Conv2dParams } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import type { Kernel } from '../kernel.js';
import { applyFused } from './elementwise.js';

/**
 * One spatial axis of a convolution. The input position under output `i` and kernel tap `k` is
 * `i·stride + offsets[k]`; it is inside the input for `i` from `starts[k]` up to, not including, `ends[k]`.
 */
interface Taps {
  readonly stride: number;
  readonly offsets: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

function tapsOf(input: number, output: number, kernel: number, stride: number, pad: number, dilation: number): Taps {
  const offsets = new Int32Array(kernel);
  const starts = new Int32Array(kernel);
  const ends = new Int32Array(kernel);
  for (let k = 0; k < kernel; k++) {
    const offset = k * dilation - pad;
    offsets[k] = offset;
    starts[k] = Math.max(0, Math.ceil(-offset / stride));
    ends[k] = Math.min(output, Math.floor((input - 1 - offset) / stride) + 1);
  }
  return { stride, offsets, starts, ends };
}

interface Geometry {
  readonly batch: number;
  readonly groups: number;
  /** Channels of one group. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly rows: Taps;
  readonly cols: Taps;
}

function geometryOf({ stride, padding, dilation, groups }: Conv2dParams, x: Shape, weight: Shape, y: Shape): Geometry {
  const [top, , left] = padding;
  const [kernelHeight, kernelWidth] = [weight[2], weight[3]];
  let [height, width, outHeight, outWidth] = [x[2], x[3], y[2], y[3]];
  const pointwise = height === outHeight && width === outWidth && kernelHeight * kernelWidth === 1;
  if (pointwise && stride[0] === 1 && stride[1] === 1 && top === 0 && left === 0) {
    // Every pixel is on its own, so that the plane may as well be one long row: longer inner loops.
    width *= height;
    outWidth = width;
    height = 1;
    outHeight = 1;
  }
  return {
    batch: x[0],
    groups,
    inChannels: weight[1],
    outChannels: weight[0] / groups,
    height,
    width,
    outHeight,
    outWidth,
    kernelHeight,
    kernelWidth,
    rows: tapsOf(height, outHeight, kernelHeight, stride[0], top, dilation[0]),
    cols: tapsOf(width, outWidth, kernelWidth, stride[1], left, dilation[1]),
  };
}

/**
 * `y[n,o,i,j] = bias[o] + Σ x[n, c, i·sh − top + kh·dh, j·sw − left + kw·dw] · weight[o,c,kh,kw]` within each
 * group.
 */
export const conv2d: Kernel<'conv2d'> = (params, inputs, outputs) => {
  const g = geometryOf(params, inputs[0].shape, inputs[1].shape, outputs[0].shape);
  const { inChannels, outChannels, height, width, outHeight, outWidth, kernelHeight, kernelWidth, rows, cols } = g;
  const step = cols.stride;
  const x = inputs[0].data;
  const weight = inputs[1].data;
  const bias = inputs.length > 2 ? inputs[2].data : null;
  const summand = inputs.length > 3 ? inputs[3].data : null;
  const y = outputs[0].data;
  const channels = outChannels * g.groups;
  const sum = new Float64Array(outWidth);
  for (let no = 0; no < g.batch * channels; no++) {
    const o = no % channels;
    // Images hold `groups` runs of input channels as they hold `groups` runs of output channels.
    const firstChannel = Math.floor(no / outChannels) * inChannels;
    for (let i = 0; i < outHeight; i++) {
      sum.fill(bias === null ? 0 : bias[o]);
      for (let c = 0; c < inChannels; c++) {
        for (let kh = 0; kh < kernelHeight; kh++) {
          if (i < rows.starts[kh] || i >= rows.ends[kh]) continue;
          const row = ((firstChannel + c) * height + i * rows.stride + rows.offsets[kh]) * width;
          const taps = ((o * inChannels + c) * kernelHeight + kh) * kernelWidth;
          for (let kw = 0; kw < kernelWidth; kw++) {
            const w = weight[taps + kw];
            const end = cols.ends[kw];
            let j = cols.starts[kw];
            let p = row + j * step + cols.offsets[kw];
            for (; j < end; j++, p += step) sum[j] += x[p] * w;
          }
        }
      }
      const out = (no * outHeight + i) * outWidth;
      for (let j = 0; j < outWidth; j++) y[out + j] = sum[j];
    }
  }
  if (summand !== null) for (let i = 0; i < y.length; i++) y[i] += summand[i];
  applyFused(params.activation, y);
};

export const conv2dBackwardData: Kernel<'conv2dBackwardData'> = (params, inputs, outputs) => {
  const g = geometryOf(params, params.inputShape, inputs[1].shape, inputs[0].shape);
  const { inChannels, outChannels, height, width, outHeight, outWidth, kernelHeight, kernelWidth, rows, cols } = g;
  const step = cols.stride;
  const dy = inputs[0].data;
  const weight = inputs[1].data;
  const dx = outputs[0].data;
  const channels = inChannels * g.groups;
  const plane = new Float64Array(height * width);
  for (let nc = 0; nc < g.batch * channels; nc++) {
    const c = nc % inChannels;
    const run = Math.floor(nc / inChannels);
    const firstOutput = (run % g.groups) * outChannels;
    plane.fill(0);
    for (let o = 0; o < outChannels; o++) {
      const map = (run * outChannels + o) * outHeight;
      const taps = ((firstOutput + o) * inChannels + c) * kernelHeight * kernelWidth;
      for (let kh = 0; kh < kernelHeight; kh++) {
        for (let i = rows.starts[kh]; i < rows.ends[kh]; i++) {
          const row = (i * rows.stride + rows.offsets[kh]) * width;
          const from = (map + i) * outWidth;
          for (let kw = 0; kw < kernelWidth; kw++) {
            const w = weight[taps + kh * kernelWidth + kw];
            const end = cols.ends[kw];
            let j = cols.starts[kw];
            let p = row + j * step + cols.offsets[kw];
            for (; j < end; j++, p += step) plane[p] += dy[from + j] * w;
          }
        }
      }
    }
    dx.set(plane, nc * plane.length);
  }
};

export const conv2dBackwardWeights: Kernel<'conv2dBackwardWeights'> = (params, inputs, outputs) => {
  const g = geometryOf(params, inputs[0].shape, params.weightShape, inputs[1].shape);
  const { inChannels, outChannels, height, width, outHeight, outWidth, kernelHeight, kernelWidth, rows, cols } = g;
  const step = cols.stride;
  const x = inputs[0].data;
  const dy = inputs[1].data;
  const dWeight = outputs[0].data;
  const inputMaps = inChannels * g.groups;
  const outputMaps = outChannels * g.groups;
  let at = 0;
  for (let o = 0; o < outputMaps; o++) {
    const firstChannel = Math.floor(o / outChannels) * inChannels;
    for (let c = firstChannel; c < firstChannel + inChannels; c++) {
      for (let kh = 0; kh < kernelHeight; kh++) {
        const top = rows.starts[kh];
        const bottom = rows.ends[kh];
        for (let kw = 0; kw < kernelWidth; kw++, at++) {
          const left = cols.starts[kw];
          const right = cols.ends[kw];
          let sum = 0;
          for (let n = 0; n < g.batch; n++) {
            for (let i = top; i < bottom; i++) {
              const from = ((n * outputMaps + o) * outHeight + i) * outWidth;
              const row = ((n * inputMaps + c) * height + i * rows.stride + rows.offsets[kh]) * width;
              let p = row + left * step + cols.offsets[kw];
              for (let j = left; j < right; j++, p += step) sum += dy[from + j] * x[p];
            }
          }
          dWeight[at] = sum;
        }
      }
    }
  }
  if (!params.bias) return;
  const dBias = outputs[1].data;
  const area = outHeight * outWidth;
  for (let o = 0; o < outputMaps; o++) {
    let sum = 0;
    for (let n = 0; n < g.batch; n++) {
      const from = (n * outputMaps + o) * area;
      for (let i = from; i < from + area; i++) sum += dy[i];
    }
    dBias[o] = sum;
  }
};
