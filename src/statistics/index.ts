export {
  balancedAccuracy,
  type Kappa,
  type KappaWeights,
  kappa,
  matthews,
} from './agreement.js';
export { type AucOptions, type RocAuc, rocAuc } from './auc.js';
export type { ResampledInterval } from './bca.js';
export type { BinaryScores } from './binary.js';
export { type Bootstrap, bootstrap, bootstrapAll } from './bootstrap.js';
export {
  type Calibrator,
  type CalibratorFit,
  calibrate,
  fitCalibrator,
} from './calibrate/calibrator.js';
export type { IsotonicScaling } from './calibrate/isotonic.js';
export { type CalibrationLine, calibrationLine, type Estimate } from './calibrate/line.js';
export { type LogitSet, logOddsOf } from './calibrate/logits.js';
export type { PlattScaling } from './calibrate/platt.js';
export { type CalibrationSummary, calibrationSummary } from './calibrate/summary.js';
export type { TemperatureScaling } from './calibrate/temperature.js';
export {
  brierScore,
  type Calibration,
  type CalibrationOptions,
  calibration,
  type ReliabilityBin,
  topLabelCalibration,
} from './calibration.js';
export {
  type ClassMean,
  type ClassMeans,
  type ClassMetrics,
  type ConfusionMetrics,
  classMetrics,
  confusionMetrics,
  type MeanName,
} from './classMetrics.js';
export { type CompareOptions, compareModels, type ModelComparison, type PairComparison } from './compare.js';
export { type ClassCounts, type ConfusionMatrix, confusionMatrix } from './confusion.js';
export {
  type AbstentionCurve,
  type AbstentionPoint,
  abstentionCurve,
  atCoverage,
} from './curves/abstention.js';
export {
  type DecisionCurveOptions,
  type DecisionPoint,
  decisionCurve,
  prepareNetBenefit,
} from './curves/decision.js';
export { holm, undistinguished } from './holm.js';
export { type LikelihoodRatio, type LikelihoodRatios, likelihoodRatios } from './likelihoodRatios.js';
export { type McNemar, mcnemar } from './mcnemar.js';
export { type MetricIntervals, metricIntervals } from './metricIntervals.js';
export { higherIsBetter, type MetricInput, type MetricName, metricNames, prepareMetric } from './namedMetrics.js';
export { compareAucs, type PairedAuc } from './pairedAuc.js';
export { type ClassPredictions, predictedClasses } from './predictions.js';
export {
  type PredictiveValue,
  type PredictiveValues,
  predictiveValues,
  predictiveValuesAt,
} from './predictiveValues.js';
export { classBrierScore, logLoss } from './probabilityMetrics.js';
export { clopperPearsonInterval, type Interval, type Proportion, wilsonInterval } from './proportion.js';
export type { ResampleOptions } from './resample.js';
export {
  averagePrecision,
  type PrecisionRecallCurve,
  precisionRecallCurve,
  type RocCurve,
  rocCurve,
} from './roc.js';
export { type StudySize, samplesForAuc, samplesForShare, samplesForStudy } from './sampleSize.js';
export { type ScreeningMetrics, type ScreeningOptions, screeningMetrics } from './screening.js';
export type { ShareName } from './shares.js';
export {
  type CostRule,
  chooseOperatingPoint,
  type OperatingPoint,
  type OperatingRule,
  type ThresholdMetrics,
  thresholdMetrics,
} from './threshold.js';
export type { MetricValue, WeightedMetric } from './value.js';
