/** Trainings of the command line and their folders: create, resume, evaluate, predict. */

export type { UnreadPicture } from './answeredPictures.js';
export type {
  DataFixes,
  DataPart,
  HoldOut,
  ImageLoadingOptions,
  KnownSplit,
  OpenOptions,
  Split,
  Understanding,
} from './catalog/datasets/namedDataset.js';
export type { PicturesRecord, RunConfig, SplitRecord } from './config.js';
export type { ChosenPoint, Decision, DecisionRule } from './decision.js';
export type { ChosenPart, DecisionChoice } from './decisions/record.js';
export {
  type EvaluateRunOptions,
  evaluateRun,
  type OpenRunOptions,
  openRun,
  type RunEvaluation,
  type TrainedRun,
  writeEvaluation,
} from './evaluate.js';
export { type EvaluateWeightsOptions, evaluateWeights, type WeightsEvaluation } from './evaluateWeights.js';
export {
  type ExplainPicturesOptions,
  type Explanation,
  type ExplanationCheck,
  explainPictures,
  type Unexplained,
} from './explain.js';
export type { ExplainMethod } from './explainMethods.js';
export {
  type NearImage,
  nearestImages,
  type RunFeatures,
  type RunFeaturesOptions,
  runActivity,
  runFeatures,
} from './features/features.js';
export type { RunImagesOptions } from './features/images.js';
export { type PictureFeatures, pictureFeatures } from './features/pictures.js';
export { RunFolder } from './folder.js';
export type { FoldOfRun } from './folds/plan.js';
export type { LossName } from './losses.js';
export type { OptimizerChoice, OptimizerName } from './optimizers.js';
export type { TrainingChoices, TrainingOption, Values } from './option.js';
export type { PositiveClass } from './positive.js';
export {
  type ClassPrediction,
  type NamedPicture,
  type PictureInput,
  type PredictFilesOptions,
  type Prediction,
  predictFiles,
  type Unreadable,
} from './predict.js';
export { readPredictions, type StoredPredictions } from './predictions/file.js';
export type { PredictionIntervals } from './predictions/intervals.js';
export type { Predictions } from './predictions/predictions.js';
export type { PredictionsRecord } from './predictions/record.js';
export { readWeightsRecord } from './pretrained.js';
export type { Recipe, RecipeChanges } from './recipe.js';
export type { FinalEvaluation } from './results/finalEvaluations.js';
export type { ResultRecord, RunResults } from './results/record.js';
export { Run, type RunOutcome } from './run.js';
export type { RepeatOptions, ResumeOptions, RunOptions, RunTrainOptions } from './runOptions.js';
export type { ScheduleSettings } from './schedule.js';
export type { PartialEvaluation, SeenImages } from './seen.js';
export { slimRun } from './slim.js';
export type { Techniques } from './trainingOptions.js';
export type { TestTimeAugmentation } from './tta.js';
export type { WeightsRecord } from './weightsRecord.js';
