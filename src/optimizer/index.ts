export {
  ClipGradByGlobalNorm,
  ClipGradByNorm,
  ClipGradByValue,
  type ClipGradByValueOptions,
  type ClipNormOptions,
  type GradientClip,
} from './clip.js';
export * as lr from './lr/index.js';
export {
  Optimizer,
  type OptimizerOptions,
  type OptimizerSettings,
  type StepOptions,
  type Update,
} from './optimizer.js';
export {
  Adam,
  type AdamOptions,
  AdamW,
  Momentum,
  type MomentumOptions,
  SGD,
  type SGDOptions,
} from './optimizers.js';
