/**
 * Fovea in a browser: engines, tensors, layers, optimizers, metrics, networks, pictures, transforms, formats
 * and the training loop. Data sets of files, run folders and `Model` need Node; `index.ts` has them.
 */

export type { EngineName } from '#engines';
export type { Precision as ComputePrecision } from './compiler/precision.js';
export { type EngineInfo, engineInfo, setConvolution, setEngine, setThreads } from './engine/select.js';
export {
  DTypeError,
  EngineError,
  FileError,
  FoveaError,
  InputError,
  type InstallableOptions,
  InternalError,
  MemoryError,
  NonFiniteError,
  PackageError,
  ShapeError,
  StaleTensorError,
} from './errors.js';
export type { DType, TypedArray } from './graph/dtype.js';
export type { Shape } from './graph/shape.js';
export * as io from './io/browser.js';
export * as metric from './metric/index.js';
export * as nn from './nn/index.js';
export * as optimizer from './optimizer/index.js';
export { defaultGenerator, type GeneratorState, RandomGenerator, seed, withGenerator } from './random.js';
export * as statistics from './statistics/index.js';
export { concat, matmul, stack, where } from './tensor/combine.js';
export { type NestedNumbers, tensor } from './tensor/fromArrays.js';
export * as F from './tensor/functional.js';
export { noGrad } from './tensor/noGrad.js';
export {
  normal,
  type RandomOptions,
  rand,
  randint,
  randn,
  randperm,
  type UniformOptions,
  uniform,
} from './tensor/random.js';
export { Parameter } from './tensor/state.js';
export { type ReduceOptions, Tensor, type TensorLike } from './tensor/tensor.js';
export type { Json } from './text/json.js';
export { Callback, CallbackError, type Training } from './train/callback.js';
export { type Checkpoint, CheckpointStore } from './train/checkpointStore.js';
export { DivergenceError } from './train/divergence.js';
export { type EvaluateOptions, evaluate } from './train/evaluate.js';
export type { Evaluation } from './train/evaluation.js';
export type { EpochRecord, TrainingState, TrainOutcome } from './train/history.js';
export type { TrainOptions } from './train/options.js';
export { train } from './train/train.js';
export { version } from './version.js';
export * as vision from './vision/portable.js';
