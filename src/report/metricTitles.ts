import type { MetricName } from '../statistics/index.js';

/** Names of metrics for people. */
export const metricTitles: Readonly<Record<MetricName, string>> = {
  accuracy: 'accuracy',
  balancedAccuracy: 'balanced accuracy',
  kappa: 'kappa',
  linearKappa: 'kappa, linear',
  quadraticKappa: 'kappa, quadratic',
  matthews: 'Matthews correlation',
  sensitivity: 'sensitivity',
  specificity: 'specificity',
  ppv: 'PPV',
  npv: 'NPV',
  f1: 'F1',
  auc: 'AUC',
  averagePrecision: 'average precision',
  brierScore: 'Brier score',
  logLoss: 'log loss',
};
