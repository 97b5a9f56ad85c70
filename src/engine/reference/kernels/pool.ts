import type { TypedArray } from '../../../graph/dtype.js';
import type { Pair, Pool2dParams } from '../../../graph/op.js';
import type { Shape } from '../../../graph/shape.js';
import type { Kernel } from '../kernel.js';

/**
 * The part of each window along one axis that is inside the input: from `starts[i]` up to, not including,
 * `ends[i]`.
 */
interface Windows {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

function slidingWindows(input: number, output: number, kernel: number, stride: number, pad: number): Windows {
  const starts = new Int32Array(output);
  const ends = new Int32Array(output);
  for (let i = 0; i < output; i++) {
    const start = i * stride - pad;
    starts[i] = Math.max(start, 0);
    ends[i] = Math.min(start + kernel, input);
  }
  return { starts, ends };
}

function adaptiveWindows(input: number, output: number): Windows {
  const starts = new Int32Array(output);
  const ends = new Int32Array(output);
  for (let i = 0; i < output; i++) {
    starts[i] = Math.floor((i * input) / output);
    ends[i] = Math.ceil(((i + 1) * input) / output);
  }
  return { starts, ends };
}

/** Windows along height and width. */
type Grid = readonly [Windows, Windows];

function slidingGrid({ kernel, stride, padding }: Pool2dParams, input: Shape, output: Shape): Grid {
  return [
    slidingWindows(input[2], output[2], kernel[0], stride[0], padding[0]),
    slidingWindows(input[3], output[3], kernel[1], stride[1], padding[2]),
  ];
}

function adaptiveGrid(outputSize: Pair, input: Shape): Grid {
  return [adaptiveWindows(input[2], outputSize[0]), adaptiveWindows(input[3], outputSize[1])];
}

export const maxPool2d: Kernel<'maxPool2d'> = (params, inputs, outputs) => {
  const [batch, channels, height, width] = inputs[0].shape;
  const x = inputs[0].data;
  const y = outputs[0].data;
  const argmax = outputs[1].data;
  const [rows, cols] = slidingGrid(params, inputs[0].shape, outputs[0].shape);
  let out = 0;
  for (let map = 0; map < batch * channels; map++) {
    const plane = map * height * width;
    for (let i = 0; i < rows.starts.length; i++) {
      const rowStart = rows.starts[i];
      const rowEnd = rows.ends[i];
      for (let j = 0; j < cols.starts.length; j++, out++) {
        const colStart = cols.starts[j];
        const colEnd = cols.ends[j];
        let place = rowStart * width + colStart;
        let best = x[plane + place];
        for (let h = rowStart; h < rowEnd; h++) {
          for (let p = h * width + colStart; p < h * width + colEnd; p++) {
            const v = x[plane + p];
            // A NaN wins, as in PyTorch: it must not vanish from the output.
            if (v > best || Number.isNaN(v)) {
              best = v;
              place = p;
            }
          }
        }
        y[out] = best;
        argmax[out] = place;
      }
    }
  }
};

export const maxPool2dBackward: Kernel<'maxPool2dBackward'> = ({ inputShape }, inputs, outputs) => {
  const [batch, channels, height, width] = inputShape;
  const dy = inputs[0].data;
  const argmax = inputs[1].data;
  const dx = outputs[0].data;
  const area = dy.length / (batch * channels);
  const sum = new Float64Array(height * width);
  for (let map = 0; map < batch * channels; map++) {
    sum.fill(0);
    for (let i = map * area; i < (map + 1) * area; i++) sum[argmax[i]] += dy[i];
    dx.set(sum, map * sum.length);
  }
};

/**
 * Means over the windows: their sums divided by `divisor`, or by the elements inside the input if it is 0.
 */
function average(x: TypedArray, input: Shape, [rows, cols]: Grid, divisor: number, y: TypedArray): void {
  const [batch, channels, height, width] = input;
  let out = 0;
  for (let map = 0; map < batch * channels; map++) {
    const plane = map * height * width;
    for (let i = 0; i < rows.starts.length; i++) {
      const rowStart = rows.starts[i];
      const rowEnd = rows.ends[i];
      for (let j = 0; j < cols.starts.length; j++, out++) {
        const colStart = cols.starts[j];
        const colEnd = cols.ends[j];
        let sum = 0;
        for (let h = rowStart; h < rowEnd; h++) {
          const row = plane + h * width;
          for (let p = row + colStart; p < row + colEnd; p++) sum += x[p];
        }
        y[out] = sum / (divisor || (rowEnd - rowStart) * (colEnd - colStart));
      }
    }
  }
}

function averageBackward(dy: TypedArray, input: Shape, [rows, cols]: Grid, divisor: number, dx: TypedArray): void {
  const [batch, channels, height, width] = input;
  const sum = new Float64Array(height * width);
  let out = 0;
  for (let map = 0; map < batch * channels; map++) {
    sum.fill(0);
    for (let i = 0; i < rows.starts.length; i++) {
      const rowStart = rows.starts[i];
      const rowEnd = rows.ends[i];
      for (let j = 0; j < cols.starts.length; j++, out++) {
        const colStart = cols.starts[j];
        const colEnd = cols.ends[j];
        const share = dy[out] / (divisor || (rowEnd - rowStart) * (colEnd - colStart));
        for (let h = rowStart; h < rowEnd; h++) {
          for (let p = h * width + colStart; p < h * width + colEnd; p++) sum[p] += share;
        }
      }
    }
    dx.set(sum, map * sum.length);
  }
}

export const avgPool2d: Kernel<'avgPool2d'> = (params, inputs, outputs) => {
  const { shape, data } = inputs[0];
  const divisor = params.countIncludePad ? params.kernel[0] * params.kernel[1] : 0;
  average(data, shape, slidingGrid(params, shape, outputs[0].shape), divisor, outputs[0].data);
};

export const avgPool2dBackward: Kernel<'avgPool2dBackward'> = (params, inputs, outputs) => {
  const { shape, data } = inputs[0];
  const divisor = params.countIncludePad ? params.kernel[0] * params.kernel[1] : 0;
  averageBackward(data, params.inputShape, slidingGrid(params, params.inputShape, shape), divisor, outputs[0].data);
};

export const adaptiveAvgPool2d: Kernel<'adaptiveAvgPool2d'> = ({ outputSize }, inputs, outputs) => {
  const { shape, data } = inputs[0];
  average(data, shape, adaptiveGrid(outputSize, shape), 0, outputs[0].data);
};

export const adaptiveAvgPool2dBackward: Kernel<'adaptiveAvgPool2dBackward'> = (params, inputs, outputs) => {
  const { outputSize, inputShape } = params;
  averageBackward(inputs[0].data, inputShape, adaptiveGrid(outputSize, inputShape), 0, outputs[0].data);
};
