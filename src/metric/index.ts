export { type RocAuc, rocAuc } from './auc.js';
export type { BinaryScores } from './binary.js';
export { brierScore, type Calibration, calibration, type ReliabilityBin } from './calibration.js';
export { Accuracy, Auc, type Metric, type MetricState, type NameOption, Precision, Recall } from './metrics.js';
export { type Interval, type Proportion, wilsonInterval } from './proportion.js';
export {
  averagePrecision,
  type PrecisionRecallCurve,
  precisionRecallCurve,
  type RocCurve,
  rocCurve,
} from './roc.js';
export { type ScreeningMetrics, type ScreeningOptions, screeningMetrics } from './screening.js';
export {
  chooseOperatingPoint,
  type OperatingPoint,
  type OperatingRule,
  type PredictiveValues,
  predictiveValues,
  type ThresholdMetrics,
  thresholdMetrics,
} from './threshold.js';
