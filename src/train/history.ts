import type { MetricState } from '../metric/index.js';
import type { lr, OptimizerSettings } from '../optimizer/index.js';
import type { GeneratorState } from '../random.js';
import type { Json } from '../text/json.js';
import type { Evaluation } from './evaluation.js';
import type { SampleIdentity } from './sampleIdentity.js';

/** Metrics of one epoch, written as one line of `metrics.jsonl`. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Mean loss over the samples of the epoch, each computed before the step that learned from it. */
  readonly trainLoss: number;
  /** Share of the same samples that were predicted correctly, if it was counted. */
  readonly trainAccuracy?: number | undefined;
  /** Mean loss over the samples of the evaluation; null without an evaluation. */
  readonly evalLoss: number | null;
  /** Share of the samples of the evaluation that were predicted correctly; null without an evaluation. */
  readonly evalAccuracy: number | null;
  /** Training throughput; like `seconds`, it excludes the evaluation. */
  readonly imagesPerSecond: number;
  readonly seconds: number;
  /** Share of the seconds that the training waited for the next batch. */
  readonly dataShare: number;
  /** The rate at the end of the epoch's batches. */
  readonly learningRate?: number | undefined;
  /**
   * The metrics, if any, over the samples of the epoch, each computed before the step that learned from it.
   */
  readonly trainMetrics?: NullableValues | undefined;
  /** The same metrics over the evaluation; null without an evaluation. */
  readonly evalMetrics?: NullableValues | null | undefined;
}

/** Values of metrics by name; null where one is undefined, such as the AUC of samples of one class. */
export type NullableValues = Readonly<Record<string, number | null>>;

/**
 * The progress of a training, as plain JSON. With it, the parameters and the optimizer's states, `train`
 * continues as if the training had never stopped.
 */
export interface TrainingState {
  /** The epoch that is in progress or comes next, from 1. */
  readonly epoch: number;
  /** Batches of that epoch that are done. */
  readonly batch: number;
  /** Samples of that epoch that are done. */
  readonly samples: number;
  /** Sum of their losses. */
  readonly lossSum: number;
  /** How many of them were predicted correctly, if that is counted. */
  readonly hits?: number | undefined;
  /** Seconds that they took. */
  readonly seconds: number;
  /** The part of those seconds that the training waited for batches. */
  readonly dataSeconds: number;
  /** State of the generator when that epoch was shuffled; null if the epoch has not begun. */
  readonly shuffle: GeneratorState | null;
  /** State of the training's generator, from which all random numbers are sampled. */
  readonly generator: GeneratorState;
  /** States of generators that the loader and layers have of their own, by name. */
  readonly generators?: Readonly<Record<string, GeneratorState>> | undefined;
  /** Steps of the optimizer. */
  readonly steps: number;
  /** Learning rate of the optimizer. */
  readonly learningRate: number;
  /** State of the optimizer's schedule; null if its rate is a plain number. */
  readonly schedule: lr.ScheduleState | null;
  /** State of each metric in this epoch. */
  readonly metrics: readonly MetricState[];
  /** States of the callbacks, by name. */
  readonly callbacks: Readonly<Record<string, Json>>;
  /** Checked when the training is resumed; states of earlier versions lack it. */
  readonly setting?: ResumeConditions | undefined;
}

/**
 * Settings that are compared when a training is resumed: plain JSON, saved with its state. States of earlier
 * versions lack the optional fields.
 */
export interface ResumeConditions {
  readonly batchSize: number;
  /** Number of samples of the data set. */
  readonly samples: number;
  readonly dropLast: boolean;
  /** `shuffled`, `as stored`, or the sampler's class. */
  readonly order: string;
  readonly accumulateGradBatches: number;
  /** Class of the optimizer. */
  readonly optimizer: string;
  /** Class of the schedule; null for a plain learning rate. */
  readonly schedule: string | null;
  /** Names of the metrics. */
  readonly metrics: readonly string[];
  /** Class of a loss that is a layer, else `function`. */
  readonly loss?: string | undefined;
  /** The network's layers with their options, by name. */
  readonly layers?: Readonly<Record<string, string>> | undefined;
  /** The ops of the network's forward pass, with the number of each. */
  readonly operations?: Readonly<Record<string, number>> | undefined;
  /** Names of the parameters that are not trained. */
  readonly frozen?: readonly string[] | undefined;
  /** Value of the loss for fixed outputs; it changes with the options of the loss. See `lossProbe`. */
  readonly lossOfProbe?: number | null | undefined;
  /** Digests of the training samples. */
  readonly trainData?: SampleIdentity | undefined;
  /** Digests of the evaluation samples; null without an evaluation. */
  readonly evalData?: SampleIdentity | null | undefined;
  /** The rate that the optimizer was given; absent if a schedule computes it from the number of steps. */
  readonly learningRate?: number | undefined;
  readonly classWeight?: readonly number[] | null | undefined;
  /** Momentum, decay and so on. */
  readonly optimizerSettings?: OptimizerSettings | undefined;
}

/** The result of a training. */
export interface TrainOutcome {
  readonly history: readonly EpochRecord[];
  /** The newest evaluation. */
  readonly evaluation: Evaluation | null;
  /** Whether all epochs are done, or a callback ended the training after one of them. */
  readonly completed: boolean;
}
