/** Fovea: trains, judges and runs image classifiers on plain CPUs. Everything public is here. */

export type { Precision } from './compiler/precision.js';
export {
  type ConvolutionName,
  type EngineInfo,
  type EngineName,
  engineInfo,
  setConvolution,
  setEngine,
  setPrecision,
  setThreads,
} from './engine/select.js';
export * from './errors.js';
export type { DType, TypedArray } from './graph/dtype.js';
export type { Shape } from './graph/shape.js';
export * as io from './io/index.js';
export * as metric from './metric/index.js';
export {
  Callback,
  CallbackError,
  type Json,
  type Judging,
  type NamedFigures,
  type Training,
} from './model/callback.js';
export * as callbacks from './model/callbacks/index.js';
export { DivergenceError } from './model/divergence.js';
export {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type Misjudged,
} from './model/evaluate.js';
export {
  type EvaluateRunOptions,
  evaluateRun,
  openRun,
  type RunEvaluation,
  type TrainedRun,
} from './model/evaluateRun.js';
export type { FitOptions } from './model/fit.js';
export type { LossFunction } from './model/losses.js';
export { type AmpLevel, type JudgeOptions, Model, type PredictOptions, type PrepareOptions } from './model/model.js';
export type { LoadOptions } from './model/modelFile.js';
export type { NonFinite } from './model/nonFinite.js';
export { classProbabilities, type OutputMeaning } from './model/outputs.js';
export { type FlopsOptions, flops, type ParameterCounts, summary } from './model/paddleSummary.js';
export {
  type NamedPicture,
  type PictureInput,
  type Prediction,
  predictFiles,
  type Unreadable,
} from './model/predict.js';
export { readWeightsRecord } from './model/pretrained.js';
export type { OptimizerName, OptimizerSettings, Recipe, RecipeChanges } from './model/recipes.js';
export { type ResumeOptions, Run, type RunOptions, type RunTrainOptions } from './model/run.js';
export { RunFolder } from './model/runFolder.js';
export { slimRun } from './model/slim.js';
export type { Objective } from './model/step.js';
export { type LayerSummary, type NetworkSummary, summarize } from './model/summary.js';
export {
  type EpochRecord,
  type TrainingState,
  train,
} from './model/trainer.js';
export type { TrainOptions, TrainOutcome } from './model/trainOptions.js';
export { version } from './model/version.js';
export type { WeightsRecord } from './model/weightsRecord.js';
export * as nn from './nn/index.js';
export * as optimizer from './optimizer/index.js';
export { defaultGenerator, Generator, type GeneratorState, seed } from './random.js';
export * as F from './tensor/functional.js';
export { normal, type RandomOptions, rand, randint, randn, randperm, uniform } from './tensor/random.js';
export { Buffer, Parameter } from './tensor/state.js';
export {
  concat,
  type NestedNumbers,
  noGrad,
  type ReduceOptions,
  Tensor,
  type TensorLike,
  tensor,
} from './tensor/tensor.js';
export * as vision from './vision/index.js';
