import type { Training } from './callback.js';
import type { Evaluation, MetricValues } from './evaluation.js';
import type { EpochRecord, NullableValues } from './history.js';

/** Results of the batches of an epoch. */
export interface TrainedEpoch {
  /** The mean loss and the metrics. */
  readonly values: MetricValues;
  /** Share of correct predictions; null if they were not counted. */
  readonly accuracy: number | null;
  readonly seconds: number;
}

/** The record of an epoch that is done; `evaluation` is that of this epoch, if it had one. */
export function epochRecordOf(
  training: Training,
  { values, accuracy, seconds }: TrainedEpoch,
  evaluation: Evaluation | null,
): EpochRecord {
  const { epoch, samples, dataSeconds, optimizer } = training;
  const { loss, ...metrics } = values;
  return {
    epoch,
    trainLoss: loss,
    evalLoss: evaluation?.loss ?? null,
    evalAccuracy: evaluation?.accuracy ?? null,
    imagesPerSecond: samples / seconds,
    seconds,
    dataShare: dataSeconds / seconds,
    learningRate: optimizer.learningRate,
    ...(Object.keys(metrics).length > 0 && {
      trainMetrics: nullable(metrics),
      evalMetrics: evaluation === null ? null : nullable(evaluation.metrics),
    }),
    ...(accuracy !== null && { trainAccuracy: accuracy }),
  };
}

function nullable(metrics: MetricValues): NullableValues {
  return Object.fromEntries(Object.entries(metrics).map(([name, x]) => [name, Number.isFinite(x) ? x : null]));
}
