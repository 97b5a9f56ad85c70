export { Accuracy, Auc, type Metric, type MetricState, type NameOption, Precision, Recall } from './metrics.js';
