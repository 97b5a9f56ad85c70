import { installOps, type OpTable } from './define.js';
import * as elementwise from './elementwise.js';
import * as loss from './loss.js';
import * as nn from './nn.js';
import * as norm from './norm.js';
import * as reduce from './reduce.js';
import * as shape from './shape.js';
import * as update from './update.js';

/** Shape rule and gradient of every op. */
export const ops = {
  constant: shape.constantOp,
  unary: elementwise.unaryOp,
  unaryBackward: elementwise.unaryBackwardOp,
  affine: elementwise.affineOp,
  binary: elementwise.binaryOp,
  select: elementwise.selectOp,
  cast: elementwise.castOp,
  reshape: shape.reshapeOp,
  transpose: shape.transposeOp,
  broadcastTo: shape.broadcastToOp,
  concat: shape.concatOp,
  slice: shape.sliceOp,
  pad: shape.padOp,
  reduce: reduce.reduceOp,
  argmax: reduce.argmaxOp,
  topk: reduce.topkOp,
  conv2d: nn.conv2dOp,
  conv2dBackwardData: nn.conv2dBackwardDataOp,
  conv2dBackwardWeights: nn.conv2dBackwardWeightsOp,
  matmul: nn.matmulOp,
  linear: nn.linearOp,
  linearBackwardData: nn.linearBackwardDataOp,
  linearBackwardWeights: nn.linearBackwardWeightsOp,
  maxPool2d: nn.maxPool2dOp,
  maxPool2dBackward: nn.maxPool2dBackwardOp,
  avgPool2d: nn.avgPool2dOp,
  avgPool2dBackward: nn.avgPool2dBackwardOp,
  adaptiveAvgPool2d: nn.adaptiveAvgPool2dOp,
  adaptiveAvgPool2dBackward: nn.adaptiveAvgPool2dBackwardOp,
  batchNorm: norm.batchNormOp,
  batchNormTrain: norm.batchNormTrainOp,
  batchNormBackward: norm.batchNormBackwardOp,
  scaleChannels: norm.scaleChannelsOp,
  scaleChannelsBackward: norm.scaleChannelsBackwardOp,
  layerNorm: norm.layerNormOp,
  layerNormBackward: norm.layerNormBackwardOp,
  runningAverage: norm.runningAverageOp,
  softmax: norm.softmaxOp,
  softmaxBackward: norm.softmaxBackwardOp,
  crossEntropy: loss.crossEntropyOp,
  crossEntropyBackward: loss.crossEntropyBackwardOp,
  bceWithLogits: loss.bceWithLogitsOp,
  bceWithLogitsBackward: loss.bceWithLogitsBackwardOp,
  dropoutMask: update.dropoutMaskOp,
  sgdUpdate: update.sgdUpdateOp,
  momentumUpdate: update.momentumUpdateOp,
  adamUpdate: update.adamUpdateOp,
} satisfies OpTable;

installOps(ops);

export * from './build.js';
export * from './composed.js';
export { withoutGrad } from './define.js';
