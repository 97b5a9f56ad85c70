import { ShapeError } from '../errors.js';
import { formatShape } from '../graph/shape.js';
import { bceWithLogitsBackward, crossEntropyBackward } from './build.js';
import { checkDType, checkExactShape, checkRank, type OpDefinition } from './define.js';

export const crossEntropyOp: OpDefinition<'crossEntropy'> = {
  infer(_params, [logits, labels]) {
    checkDType('crossEntropy', 'logits', logits, 'float32');
    checkDType('crossEntropy', 'labels', labels, 'int32');
    checkRank('crossEntropy', 'logits', logits, 2, '[batch, classes]');
    if (labels.shape.length !== 1 || labels.shape[0] !== logits.shape[0]) {
      throw new ShapeError(
        `[crossEntropy] labels shape: expected [${logits.shape[0]}] (logits ${formatShape(logits.shape)}), ` +
          `got ${formatShape(labels.shape)}`,
      );
    }
    return [{ shape: labels.shape, dtype: 'float32' }];
  },
  vjp: ({ params, inputs: [logits, labels], grads: [dLoss] }) => [
    dLoss === null ? null : crossEntropyBackward(params, logits, labels, dLoss),
    null,
  ],
};

export const crossEntropyBackwardOp: OpDefinition<'crossEntropyBackward'> = {
  infer: (_params, [logits]) => [{ shape: logits.shape, dtype: 'float32' }],
  vjp: null,
};

export const bceWithLogitsOp: OpDefinition<'bceWithLogits'> = {
  infer(_params, [x, target]) {
    checkDType('bceWithLogits', 'logits', x, 'float32');
    checkDType('bceWithLogits', 'target', target, 'float32');
    checkExactShape('bceWithLogits', 'target', target, x.shape);
    return [{ shape: x.shape, dtype: 'float32' }];
  },
  vjp: ({ inputs: [x, target], grads: [dLoss] }) => [
    dLoss === null ? null : bceWithLogitsBackward(x, target, dLoss),
    null,
  ],
};

export const bceWithLogitsBackwardOp: OpDefinition<'bceWithLogitsBackward'> = {
  infer: (_params, [x]) => [{ shape: x.shape, dtype: 'float32' }],
  vjp: null,
};
