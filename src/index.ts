/** Fovea: trains, evaluates and runs image classifiers on plain CPUs. Everything public is here. */

export type { Precision as ComputePrecision } from './compiler/precision.js';
export type { ConvolutionName, EngineLibrary } from './engine/engine.js';
export type { EngineName } from './engine/engines.js';
export {
  type EngineInfo,
  engineInfo,
  setConvolution,
  setEngine,
  setPrecision,
  setThreads,
} from './engine/select.js';
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
export type { ArrayOf, ArrayOfDType, DType, TypedArray } from './graph/dtype.js';
export type { Padding, Pair } from './graph/op.js';
export type { Shape } from './graph/shape.js';
export * as io from './io/index.js';
export * as metric from './metric/index.js';
export { Model } from './model/model.js';
export type { AmpLevel, FitOptions, ModelEvaluateOptions, PredictOptions, PrepareOptions } from './model/options.js';
export { FlopCount, flops, type LayerFlops, ParameterCounts, summary } from './model/summary.js';
export * as nn from './nn/index.js';
export type { MatmulOptions } from './ops/composed.js';
export * as optimizer from './optimizer/index.js';
export { defaultGenerator, type GeneratorState, RandomGenerator, seed, withGenerator } from './random.js';
export * as runs from './run/index.js';
export * as statistics from './statistics/index.js';
export { concat, matmul, stack, where } from './tensor/combine.js';
export { type NestedNumbers, tensor } from './tensor/fromArrays.js';
export * as F from './tensor/functional.js';
export { grad } from './tensor/grad.js';
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
export type { ProgressStream } from './text/output.js';
export { Callback, CallbackError, type EvaluationProgress, type Training } from './train/callback.js';
export * as callbacks from './train/callbacks/index.js';
export type { SavedState } from './train/checkpoint/schema.js';
export type { LoadOptions } from './train/checkpoint/weights.js';
export { DivergenceError } from './train/divergence.js';
export { type EvaluateOptions, evaluate } from './train/evaluate.js';
export type { Evaluation, MetricValues, Mistake } from './train/evaluation.js';
export type { EpochRecord, NullableValues, ResumeConditions, TrainingState, TrainOutcome } from './train/history.js';
export type { NonFinite } from './train/nonFinite.js';
export type { LossFunction, Objective, ObjectiveOptions } from './train/objective.js';
export type { TrainOptions } from './train/options.js';
export { classProbabilities, type OutputMeaning } from './train/outputs.js';
export type { SampleIdentities, SampleIdentity } from './train/sampleIdentity.js';
export type { ComputeScope } from './train/scope.js';
export type { StepOptions } from './train/step.js';
export { train } from './train/train.js';
export { version } from './version.js';
export type { SplitRole } from './vision/datasets/splits.js';
export type { Preprocessing } from './vision/images/preprocess.js';
export * as vision from './vision/index.js';
export type { PalmRecord } from './vision/palm/record.js';
export type { Shot } from './vision/palm/synth/camera.js';
export type { FundusJob } from './vision/palm/synth/draw.js';
export type { EyeKind } from './vision/palm/synth/eye.js';
