import type { OpName } from '../../graph/op.js';
import type { Kernel } from './kernel.js';
import { binary } from './kernels/binary.js';
import { conv2d, conv2dBackwardData, conv2dBackwardWeights } from './kernels/conv.js';
import { affine, cast, constant, runningAverage, select, unary, unaryBackward } from './kernels/elementwise.js';
import { linear, linearBackwardData, linearBackwardWeights, matmul } from './kernels/linear.js';
import {
  bceWithLogits,
  bceWithLogitsBackward,
  crossEntropy,
  crossEntropyBackward,
  softmax,
  softmaxBackward,
} from './kernels/loss.js';
import {
  batchNorm,
  batchNormBackward,
  batchNormTrain,
  layerNorm,
  layerNormBackward,
  scaleChannels,
  scaleChannelsBackward,
} from './kernels/norm.js';
import { adamUpdate, momentumUpdate, sgdUpdate } from './kernels/optimizer.js';
import {
  adaptiveAvgPool2d,
  adaptiveAvgPool2dBackward,
  avgPool2d,
  avgPool2dBackward,
  maxPool2d,
  maxPool2dBackward,
} from './kernels/pool.js';
import { dropoutMask } from './kernels/random.js';
import { argmax, reduce, topk } from './kernels/reduce.js';
import { broadcastTo, concat, pad, reshape, slice, transpose } from './kernels/shape.js';

/** The kernel of every op. */
export const kernels: { readonly [K in OpName]: Kernel<K> } = {
  constant,
  unary,
  unaryBackward,
  affine,
  binary,
  select,
  cast,
  reshape,
  transpose,
  broadcastTo,
  concat,
  slice,
  pad,
  reduce,
  argmax,
  topk,
  conv2d,
  conv2dBackwardData,
  conv2dBackwardWeights,
  matmul,
  linear,
  linearBackwardData,
  linearBackwardWeights,
  maxPool2d,
  maxPool2dBackward,
  avgPool2d,
  avgPool2dBackward,
  adaptiveAvgPool2d,
  adaptiveAvgPool2dBackward,
  batchNorm,
  batchNormTrain,
  batchNormBackward,
  scaleChannels,
  scaleChannelsBackward,
  layerNorm,
  layerNormBackward,
  runningAverage,
  softmax,
  softmaxBackward,
  crossEntropy,
  crossEntropyBackward,
  bceWithLogits,
  bceWithLogitsBackward,
  dropoutMask,
  sgdUpdate,
  momentumUpdate,
  adamUpdate,
};
