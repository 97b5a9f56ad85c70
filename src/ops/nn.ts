import { ShapeError } from '../errors.js';
import type { Conv2dParams, Padding, Pair, Pool2dParams, Spec } from '../graph/op.js';
import { formatShape, type Shape } from '../graph/shape.js';
import {
  adaptiveAvgPool2dBackward,
  avgPool2dBackward,
  conv2dBackwardData,
  conv2dBackwardWeights,
  linearBackwardData,
  linearBackwardWeights,
  maxPool2dBackward,
  multiplyMatrices,
} from './build.js';
import { checkDType, checkExactShape, checkInputs, checkRank, type OpDefinition } from './define.js';

/** Output length of a sliding window along one axis, or throws when the window does not fit. */
function windowed(
  where: string,
  axis: 'height' | 'width',
  size: number,
  window: number,
  stride: number,
  padding: number,
): number {
  const out = Math.floor((size + padding - window) / stride) + 1;
  if (out < 1) {
    throw new ShapeError(
      `[${where}] input ${axis}: expected at least ${window - padding} for a window of ${window} ` +
        `and a padding of ${padding} in all, got ${size}`,
    );
  }
  return out;
}

function checkPositive(where: string, what: string, values: Pair): void {
  if (!values.every((n) => Number.isInteger(n) && n > 0)) {
    throw new ShapeError(`[${where}] ${what}: expected positive integers, got ${formatShape(values)}`);
  }
}

function checkPadding(where: string, padding: Padding): void {
  if (!padding.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ShapeError(
      `[${where}] padding (top, bottom, left, right): expected non-negative integers, got ${formatShape(padding)}`,
    );
  }
}

export const conv2dOp: OpDefinition<'conv2d'> = {
  infer(params, inputs) {
    checkInputs('conv2d', inputs, 2, 4);
    const [x, weight, bias, summand] = inputs;
    checkDType('conv2d', 'input', x, 'float32');
    checkDType('conv2d', 'weight', weight, 'float32');
    checkRank('conv2d', 'input', x, 4, 'NCHW');
    checkRank('conv2d', 'weight', weight, 4, '[out, in/groups, height, width]');
    const { stride, padding, dilation, groups } = params;
    checkPositive('conv2d', 'stride', stride);
    checkPositive('conv2d', 'dilation', dilation);
    checkPadding('conv2d', padding);
    const [n, channels, height, width] = x.shape;
    const [out, perGroup, kh, kw] = weight.shape;
    if (!Number.isInteger(groups) || groups < 1 || out % groups !== 0) {
      throw new ShapeError(
        `[conv2d] groups: expected a divisor of the ${out} output channels (weight ${formatShape(weight.shape)}), got ${groups}`,
      );
    }
    if (channels !== perGroup * groups) {
      throw new ShapeError(
        `[conv2d] input channels: expected ${perGroup * groups} (weight ${formatShape(weight.shape)}` +
          `${groups > 1 ? `, ${groups} groups` : ''}), got ${channels} (input ${formatShape(x.shape)}, NCHW)`,
      );
    }
    if (bias !== undefined) {
      checkDType('conv2d', 'bias', bias, 'float32');
      checkExactShape('conv2d', 'bias', bias, [out]);
    }
    const y: Spec = { shape: [n, out, ...convOutput(params, height, width, kh, kw)], dtype: 'float32' };
    if (summand !== undefined) {
      checkDType('conv2d', 'summand', summand, 'float32');
      checkExactShape('conv2d', 'summand', summand, y.shape);
    }
    return [y];
  },
  vjp({ params, inputs: [x, weight, bias], grads: [dy], needs }) {
    if (dy === null) return [null, null, null];
    const dx = needs[0] ? conv2dBackwardData(params, x.shape, dy, weight) : null;
    const hasBias = bias !== undefined && needs[2];
    const [dWeight, dBias] =
      needs[1] || hasBias ? conv2dBackwardWeights(params, weight.shape, hasBias, x, dy) : [null, null];
    return [dx, dWeight, dBias ?? null];
  },
};

function convOutput({ stride, padding, dilation }: Conv2dParams, h: number, w: number, kh: number, kw: number): Pair {
  const [top, bottom, left, right] = padding;
  return [
    windowed('conv2d', 'height', h, dilation[0] * (kh - 1) + 1, stride[0], top + bottom),
    windowed('conv2d', 'width', w, dilation[1] * (kw - 1) + 1, stride[1], left + right),
  ];
}

export const conv2dBackwardDataOp: OpDefinition<'conv2dBackwardData'> = {
  infer: ({ inputShape }) => [{ shape: inputShape, dtype: 'float32' }],
  vjp: null,
};

export const conv2dBackwardWeightsOp: OpDefinition<'conv2dBackwardWeights'> = {
  infer: ({ weightShape, bias }) => weightAndBias(weightShape, weightShape[0], bias),
  vjp: null,
};

function weightAndBias(weightShape: Shape, outputs: number, bias: boolean): Spec[] {
  const specs: Spec[] = [{ shape: weightShape, dtype: 'float32' }];
  if (bias) specs.push({ shape: [outputs], dtype: 'float32' });
  return specs;
}

export const matmulOp: OpDefinition<'matmul'> = {
  infer({ transposeA, transposeB }, [a, b]) {
    for (const [what, value] of Object.entries({ 'left operand': a, 'right operand': b })) {
      checkDType('matmul', what, value, 'float32');
      checkRank('matmul', what, value, 3, '[batch, rows, columns]');
    }
    const [rows, inner] = transposeA ? [a.shape[2], a.shape[1]] : a.shape.slice(1);
    const columns = b.shape[transposeB ? 1 : 2];
    checkExactShape('matmul', 'right operand', b, [a.shape[0], ...(transposeB ? [columns, inner] : [inner, columns])]);
    return [{ shape: [a.shape[0], rows, columns], dtype: 'float32' }];
  },
  // With A and B as they are multiplied: dA = dY·Bᵀ, dB = Aᵀ·dY; where one is stored transposed, so is its
  // gradient.
  vjp({ params: { transposeA, transposeB }, inputs: [a, b], grads: [dy], needs }) {
    if (dy === null) return [null, null];
    const ofA = () =>
      transposeA
        ? multiplyMatrices({ transposeA: transposeB, transposeB: true }, b, dy)
        : multiplyMatrices({ transposeA: false, transposeB: !transposeB }, dy, b);
    const ofB = () =>
      transposeB
        ? multiplyMatrices({ transposeA: true, transposeB: transposeA }, dy, a)
        : multiplyMatrices({ transposeA: !transposeA, transposeB: false }, a, dy);
    return [needs[0] ? ofA() : null, needs[1] ? ofB() : null];
  },
};

export const linearOp: OpDefinition<'linear'> = {
  infer(_params, inputs) {
    checkInputs('linear', inputs, 2, 3);
    const [x, weight, bias] = inputs;
    checkDType('linear', 'input', x, 'float32');
    checkDType('linear', 'weight', weight, 'float32');
    checkRank('linear', 'input', x, 2, '[batch, features]');
    checkRank('linear', 'weight', weight, 2, '[in, out]');
    const [features, out] = weight.shape;
    if (x.shape[1] !== features) {
      throw new ShapeError(
        `[linear] input features: expected ${features} (weight ${formatShape(weight.shape)}, [in, out]), ` +
          `got ${x.shape[1]} (input ${formatShape(x.shape)})`,
      );
    }
    if (bias !== undefined) {
      checkDType('linear', 'bias', bias, 'float32');
      checkExactShape('linear', 'bias', bias, [out]);
    }
    return [{ shape: [x.shape[0], out], dtype: 'float32' }];
  },
  vjp({ inputs: [x, weight, bias], grads: [dy], needs }) {
    if (dy === null) return [null, null, null];
    const dx = needs[0] ? linearBackwardData(dy, weight) : null;
    const hasBias = bias !== undefined && needs[2];
    const [dWeight, dBias] = needs[1] || hasBias ? linearBackwardWeights(hasBias, x, dy) : [null, null];
    return [dx, dWeight, dBias ?? null];
  },
};

export const linearBackwardDataOp: OpDefinition<'linearBackwardData'> = {
  infer: (_params, [dy, weight]) => [{ shape: [dy.shape[0], weight.shape[0]], dtype: 'float32' }],
  vjp: null,
};

export const linearBackwardWeightsOp: OpDefinition<'linearBackwardWeights'> = {
  infer: ({ bias }, [x, dy]) => weightAndBias([x.shape[1], dy.shape[1]], dy.shape[1], bias),
  vjp: null,
};

function pooledShape(where: string, params: Pool2dParams, x: Spec): Shape {
  checkDType(where, 'input', x, 'float32');
  checkRank(where, 'input', x, 4, 'NCHW');
  const { kernel, stride, padding } = params;
  checkPositive(where, 'kernelSize', kernel);
  checkPositive(where, 'stride', stride);
  checkPadding(where, padding);
  const [top, bottom, left, right] = padding;
  // A window with nothing but padding would have no maximum and no mean.
  if (Math.max(top, bottom) >= kernel[0] || Math.max(left, right) >= kernel[1]) {
    throw new ShapeError(
      `[${where}] padding: expected less than kernelSize ${formatShape(kernel)}, got ${formatShape(padding)}`,
    );
  }
  const [n, channels, height, width] = x.shape;
  return [
    n,
    channels,
    windowed(where, 'height', height, kernel[0], stride[0], top + bottom),
    windowed(where, 'width', width, kernel[1], stride[1], left + right),
  ];
}

export const maxPool2dOp: OpDefinition<'maxPool2d'> = {
  infer(params, [x]) {
    const shape = pooledShape('maxPool2d', params, x);
    return [
      { shape, dtype: 'float32' },
      { shape, dtype: 'opaque' },
    ];
  },
  vjp: ({ params, inputs: [x], outputs: [, argmax], grads: [dy] }) => [
    dy === null ? null : maxPool2dBackward(params, x.shape, dy, argmax),
  ],
};

export const maxPool2dBackwardOp: OpDefinition<'maxPool2dBackward'> = {
  infer: ({ inputShape }) => [{ shape: inputShape, dtype: 'float32' }],
  vjp: null,
};

export const avgPool2dOp: OpDefinition<'avgPool2d'> = {
  infer: (params, [x]) => [{ shape: pooledShape('avgPool2d', params, x), dtype: 'float32' }],
  vjp: ({ params, inputs: [x], grads: [dy] }) => [dy === null ? null : avgPool2dBackward(params, x.shape, dy)],
};

export const avgPool2dBackwardOp: OpDefinition<'avgPool2dBackward'> = {
  infer: ({ inputShape }) => [{ shape: inputShape, dtype: 'float32' }],
  vjp: null,
};

export const adaptiveAvgPool2dOp: OpDefinition<'adaptiveAvgPool2d'> = {
  infer({ outputSize }, [x]) {
    checkDType('adaptiveAvgPool2d', 'input', x, 'float32');
    checkRank('adaptiveAvgPool2d', 'input', x, 4, 'NCHW');
    checkPositive('adaptiveAvgPool2d', 'outputSize', outputSize);
    return [{ shape: [x.shape[0], x.shape[1], ...outputSize], dtype: 'float32' }];
  },
  vjp: ({ params: { outputSize }, inputs: [x], grads: [dy] }) => [
    dy === null ? null : adaptiveAvgPool2dBackward(outputSize, x.shape, dy),
  ],
};

export const adaptiveAvgPool2dBackwardOp: OpDefinition<'adaptiveAvgPool2dBackward'> = {
  infer: ({ inputShape }) => [{ shape: inputShape, dtype: 'float32' }],
  vjp: null,
};
