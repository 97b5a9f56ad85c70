export { LambdaDecay, type LambdaOptions, MultiplicativeDecay } from './custom.js';
export {
  CosineAnnealingDecay,
  type CosineAnnealingDecayOptions,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
  CyclicLR,
  type CyclicLROptions,
  OneCycleLR,
  type OneCycleLROptions,
} from './cyclic.js';
export {
  ExponentialDecay,
  type GammaOptions,
  InverseTimeDecay,
  NaturalExpDecay,
  NoamDecay,
  type NoamDecayOptions,
  PolynomialDecay,
  type PolynomialDecayOptions,
} from './decay.js';
export { LinearLR, type LinearLROptions, LinearWarmup, type LinearWarmupOptions } from './linear.js';
export { ReduceOnPlateau, type ReduceOnPlateauOptions } from './plateau.js';
export { type DecayOptions, LRScheduler, type LRSchedulerOptions, Schedule, type ScheduleState } from './schedule.js';
export {
  MultiStepDecay,
  type MultiStepDecayOptions,
  PiecewiseDecay,
  type PiecewiseDecayOptions,
  StepDecay,
  type StepDecayOptions,
} from './steps.js';
