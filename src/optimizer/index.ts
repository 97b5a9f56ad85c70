export {
  ClipGradByGlobalNorm,
  ClipGradByNorm,
  ClipGradByValue,
  type ClipGradByValueOptions,
  type ClipNormOptions,
  type GradientClip,
} from './clip.js';
export * as lr from './lr/index.js';
export { Optimizer } from './optimizer.js';
export {
  Adam,
  type AdamOptions,
  AdamW,
  Momentum,
  type MomentumOptions,
  SGD,
  type SGDOptions,
} from './optimizers.js';
export type { OptimizerOptions, OptimizerSettings, StepOptions, Update } from './options.js';
