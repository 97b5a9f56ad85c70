import type { GraphNode } from '../../../compiler/graph.js';
import type { Lowering, LoweringTable } from '../lowering.js';
import * as channelScale from './channelScale.js';
import * as conv from './conv.js';
import * as elementwise from './elementwise.js';
import * as linear from './linear.js';
import * as norm from './norm.js';
import * as pool from './pool.js';
import * as shape from './shape.js';
import * as update from './update.js';

/** Small work, or work without a kernel in the library: integers, indices, gathers, random numbers. */
const typescript = (context: Lowering, node: GraphNode): void => context.fallback(node);

/** The lowering of every op to oneDNN. */
export const lowerings: LoweringTable = {
  constant: shape.constant,
  unary: elementwise.unary,
  unaryBackward: elementwise.unaryBackward,
  affine: elementwise.affine,
  binary: elementwise.binary,
  select: typescript,
  cast: typescript,
  reshape: shape.reshape,
  transpose: shape.transpose,
  broadcastTo: typescript,
  concat: shape.concat,
  slice: shape.slice,
  pad: typescript,
  reduce: elementwise.reduce,
  argmax: typescript,
  topk: typescript,
  conv2d: conv.conv2d,
  conv2dBackwardData: conv.conv2dBackwardData,
  conv2dBackwardWeights: conv.conv2dBackwardWeights,
  matmul: linear.matmul,
  linear: linear.linear,
  linearBackwardData: linear.linearBackwardData,
  linearBackwardWeights: linear.linearBackwardWeights,
  maxPool2d: pool.maxPool2d,
  maxPool2dBackward: pool.maxPool2dBackward,
  avgPool2d: pool.avgPool2d,
  avgPool2dBackward: pool.avgPool2dBackward,
  adaptiveAvgPool2d: typescript,
  adaptiveAvgPool2dBackward: typescript,
  batchNorm: norm.batchNorm,
  batchNormTrain: norm.batchNormTrain,
  batchNormBackward: norm.batchNormBackward,
  scaleChannels: channelScale.scaleChannels,
  scaleChannelsBackward: channelScale.scaleChannelsBackward,
  layerNorm: norm.layerNorm,
  layerNormBackward: norm.layerNormBackward,
  runningAverage: update.runningAverage,
  softmax: norm.softmax,
  softmaxBackward: norm.softmaxBackward,
  crossEntropy: typescript,
  crossEntropyBackward: typescript,
  bceWithLogits: typescript,
  bceWithLogitsBackward: typescript,
  dropoutMask: typescript,
  sgdUpdate: update.sgdUpdate,
  momentumUpdate: update.momentumUpdate,
  adamUpdate: update.adamUpdate,
};
