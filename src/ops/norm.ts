import type { Value } from '../graph/node.js';
import type { Spec } from '../graph/op.js';
import {
  affine,
  batchNormBackward,
  binary,
  constant,
  layerNormBackward,
  reduce,
  reshape,
  scaleChannels,
  scaleChannelsBackward,
  softmaxBackward,
  unary,
} from './build.js';
import { checkDType, checkExactShape, checkRank, type OpDefinition } from './define.js';

function checkBatchNorm(x: Spec, perChannel: Readonly<Record<string, Spec>>): void {
  checkDType('batchNorm', 'input', x, 'float32');
  checkRank('batchNorm', 'input', x, 4, 'NCHW');
  for (const [what, value] of Object.entries(perChannel)) {
    checkDType('batchNorm', what, value, 'float32');
    checkExactShape('batchNorm', what, value, [x.shape[1]]);
  }
}

export const batchNormOp: OpDefinition<'batchNorm'> = {
  infer(_params, [x, mean, variance, scale, shift]) {
    checkBatchNorm(x, { mean, variance, scale, shift });
    return [{ shape: x.shape, dtype: 'float32' }];
  },
  // The statistics are constants here, so y is an affine function of x in each channel.
  vjp({ params: { epsilon }, inputs: [x, mean, variance, scale], grads: [dy], needs }) {
    if (dy === null) return [null, null, null, null, null];
    const perChannel = (v: Value) => reshape(v, [1, x.shape[1], 1, 1]);
    const inverse = binary('div', constant([], 'float32', 1), unary('sqrt', affine(variance, 1, epsilon)));
    const normalized = () => binary('mul', binary('sub', x, perChannel(mean)), perChannel(inverse));
    return [
      needs[0] ? binary('mul', dy, perChannel(binary('mul', scale, inverse))) : null,
      null,
      null,
      needs[3] ? reduce('sum', binary('mul', dy, normalized()), [0, 2, 3]) : null,
      needs[4] ? reduce('sum', dy, [0, 2, 3]) : null,
    ];
  },
};

export const batchNormTrainOp: OpDefinition<'batchNormTrain'> = {
  infer(_params, [x, scale, shift, summand]) {
    checkBatchNorm(x, { scale, shift });
    if (summand !== undefined) checkExactShape('batchNorm', 'summand', summand, x.shape);
    const statistics: Spec = { shape: [x.shape[1]], dtype: 'float32' };
    return [{ shape: x.shape, dtype: 'float32' }, statistics, statistics, { shape: x.shape, dtype: 'opaque' }];
  },
  vjp({ params, inputs: [x, scale, shift], outputs: [, mean, variance, mask], grads: [dy] }) {
    return dy === null ? [null, null, null] : [...batchNormBackward(params, x, mean, variance, scale, shift, dy, mask)];
  },
};

export const batchNormBackwardOp: OpDefinition<'batchNormBackward'> = {
  infer(_params, [x, mean, , , , , , y]) {
    const features: Spec = { shape: x.shape, dtype: 'float32' };
    const perChannel: Spec = { shape: mean.shape, dtype: 'float32' };
    return [features, perChannel, perChannel, ...(y === undefined ? [] : [features])];
  },
  vjp: null,
};

export const scaleChannelsOp: OpDefinition<'scaleChannels'> = {
  infer(_params, [x, scale, shift]) {
    checkDType('scaleChannels', 'input', x, 'float32');
    checkRank('scaleChannels', 'input', x, 4, 'NCHW');
    checkDType('scaleChannels', 'scale', scale, 'float32');
    checkExactShape('scaleChannels', 'scale', scale, [...x.shape.slice(0, 2), 1, 1]);
    if (shift !== undefined) checkExactShape('scaleChannels', 'shift', shift, scale.shape);
    return [{ shape: x.shape, dtype: 'float32' }];
  },
  vjp({ inputs: [x, scale], grads: [dy], needs }) {
    if (dy === null) return [null, null];
    return needs[1] ? [...scaleChannelsBackward(x, scale, dy)] : [scaleChannels(dy, scale), null];
  },
};

export const scaleChannelsBackwardOp: OpDefinition<'scaleChannelsBackward'> = {
  infer(_params, [x, scale, dy]) {
    checkExactShape('scaleChannels', 'gradient', dy, x.shape);
    return [
      { shape: x.shape, dtype: 'float32' },
      { shape: scale.shape, dtype: 'float32' },
    ];
  },
  vjp: null,
};

export const layerNormOp: OpDefinition<'layerNorm'> = {
  infer({ axis }, [x, scale, shift]) {
    checkDType('layerNorm', 'input', x, 'float32');
    for (const [what, value] of Object.entries({ scale, shift })) {
      checkDType('layerNorm', what, value, 'float32');
      checkExactShape('layerNorm', what, value, [x.shape[axis]]);
    }
    const statistics: Spec = { shape: x.shape.map((size, i) => (i === axis ? 1 : size)), dtype: 'float32' };
    return [{ shape: x.shape, dtype: 'float32' }, statistics, statistics];
  },
  vjp: ({ params, inputs: [x, scale], outputs: [, mean, inverse], grads: [dy] }) =>
    dy === null ? [null, null, null] : [...layerNormBackward(params, x, mean, inverse, scale, dy)],
};

export const layerNormBackwardOp: OpDefinition<'layerNormBackward'> = {
  infer(_params, [x, , , scale, dy]) {
    checkExactShape('layerNorm', 'gradient', dy, x.shape);
    const factors: Spec = { shape: scale.shape, dtype: 'float32' };
    return [{ shape: x.shape, dtype: 'float32' }, factors, factors];
  },
  vjp: null,
};

export const runningAverageOp: OpDefinition<'runningAverage'> = {
  infer(_params, [running, batch]) {
    checkExactShape('runningAverage', 'batch statistics', batch, running.shape);
    return [{ shape: running.shape, dtype: 'float32' }];
  },
  vjp: null,
};

export const softmaxOp: OpDefinition<'softmax'> = {
  infer({ log }, [x]) {
    checkDType(log ? 'logSoftmax' : 'softmax', 'input', x, 'float32');
    return [{ shape: x.shape, dtype: 'float32' }];
  },
  vjp: ({ params, outputs: [y], grads: [dy] }) => [dy === null ? null : softmaxBackward(params, dy, y)],
};

export const softmaxBackwardOp: OpDefinition<'softmaxBackward'> = {
  infer: (_params, [, y]) => [{ shape: y.shape, dtype: 'float32' }],
  vjp: null,
};
