import { Buffer, type State } from '../tensor/state.js';

export { freeze } from './freeze.js';
export * as initializer from './initializer.js';
export { Layer, type LayerJson } from './layer.js';
export { LayerNorm, type LayerNormLayerOptions } from './layerNorm.js';
export { type LayerOutputs, layerOutputs } from './layerOutputs.js';
export { BCEWithLogitsLoss, CrossEntropyLoss, MSELoss } from './losses.js';
export {
  BatchNorm2D,
  type BatchNormOptions,
  Conv2D,
  Linear,
  type ParamAttr,
  type WeightOptions,
} from './parametric.js';
export type { StateEntry, StateMismatch } from './stateEntries.js';
export {
  AdaptiveAvgPool2D,
  AvgPool2D,
  Dropout,
  Flatten,
  GELU,
  Hardsigmoid,
  Hardswish,
  Identity,
  LeakyReLU,
  LogSoftmax,
  MaxPool2D,
  ReLU,
  ReLU6,
  Sequential,
  Sigmoid,
  Silu,
  Softmax,
  Swish,
  Tanh,
} from './stateless.js';
export { type LayerSummary, type NetworkSummary, summarize } from './summary.js';
// At the top level it would shadow Node's Buffer.
export { Buffer, type State };
