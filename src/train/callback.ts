import { FoveaError, messageOf } from '../errors.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import type { Json } from '../text/json.js';
import type { DivergenceError } from './divergence.js';
import type { Evaluation, MetricValues } from './evaluation.js';
import type { EpochRecord, TrainingState, TrainOutcome } from './history.js';

/** A running training, as its callbacks see it. It is one object whose fields change. */
export interface Training {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  /** Folder for the files of the training, if it has one. */
  readonly saveDir: string | null;
  /** Steps of the optimizer from here to the end of all epochs. */
  readonly stepsLeft: number;
  /** Epochs in all. */
  readonly epochs: number;
  /** Batches in this epoch. */
  readonly batches: number;
  /** Samples in this epoch. */
  readonly epochSamples: number;
  /** The current epoch, from 1. */
  readonly epoch: number;
  /** Batches of this epoch that are done. */
  readonly batch: number;
  /** Samples of this epoch that are done. */
  readonly samples: number;
  /** Seconds of this epoch that were spent waiting for batches. */
  readonly dataSeconds: number;
  /** Loss of the newest batch. */
  readonly loss: number;
  /** Whether the newest batch ended with a step. False between batches whose gradients are accumulated. */
  readonly updated: boolean;
  /** The epochs that are done. */
  readonly history: readonly EpochRecord[];
  /** The newest evaluation. */
  readonly evaluation: Evaluation | null;
  /** Whether the training has evaluations. */
  readonly evaluating: boolean;
  /** `loss`, then the names of the metrics. */
  readonly metricNames: readonly string[];
  /** Whether larger values of a metric are better; null if the metric does not say. */
  higherIsBetter(name: string): boolean | null;
  /** `loss`, the mean, and the metrics by name, over the finished samples of this epoch. */
  metrics(): MetricValues;
  /** The state to save. Only when `updated` is true: gradients that are being accumulated are not in it. */
  state(): TrainingState;
  /** Ends the training after the current batch. */
  stop(): void;
}

/** A running evaluation or prediction, as its callbacks see it. It is one object whose fields change. */
export interface EvaluationProgress {
  readonly batches: number;
  /** Batches that are done. */
  readonly batch: number;
  /** Samples that are done. */
  readonly samples: number;
  /** Samples in all. */
  readonly total: number;
  /** `loss`, the mean, and the metrics by name, over the finished samples. Empty for a prediction. */
  metrics(): MetricValues;
}

/**
 * Hooks into a training, an evaluation or a prediction. Derive from this class, or pass an object with some
 * of its methods. Promises are awaited. If a method throws, the other callbacks are still called, the state
 * is saved if possible, and the training ends with a {@link CallbackError}.
 *
 * One callback may serve several trainings, one after another. Each training starts with the state that the
 * callback had before its first training, as far as {@link stateDict} contains it. A resumed training gets
 * the saved state. Reset everything else in {@link onTrainBegin}.
 *
 * @example
 * ```ts
 * import { Callback, type EpochRecord, type Training } from 'fovea';
 *
 * class Warmup extends Callback {
 *   override onEpochBegin({ epoch, optimizer }: Training) {
 *     optimizer.learningRate = 0.01 * Math.min(1, epoch / 5);
 *   }
 *   override onEpochEnd(training: Training, { epoch, evalAccuracy }: EpochRecord) {
 *     console.log(epoch, evalAccuracy);
 *     if (evalAccuracy !== null && evalAccuracy > 0.99) training.stop();
 *   }
 * }
 * ```
 */
export class Callback {
  onTrainBegin?(training: Training): void | Promise<void>;
  onEpochBegin?(training: Training): void | Promise<void>;
  /** After each batch. A small network takes 0.2 ms per batch, so be quick. */
  onBatchEnd?(training: Training): void | Promise<void>;
  /**
   * Called when the loss of a batch is infinite or NaN. The batch changed no parameter. The training ends
   * with the error, or normally if {@link Training.stop} is called here.
   */
  onDivergence?(training: Training, error: DivergenceError): void | Promise<void>;
  onEvaluateBegin?(progress: EvaluationProgress): void | Promise<void>;
  /** During the evaluation, after each of its batches. */
  onEvaluateBatch?(progress: EvaluationProgress): void | Promise<void>;
  onEvaluateEnd?(progress: EvaluationProgress): void | Promise<void>;
  onPredictBegin?(progress: EvaluationProgress): void | Promise<void>;
  onPredictBatch?(progress: EvaluationProgress): void | Promise<void>;
  onPredictEnd?(progress: EvaluationProgress): void | Promise<void>;
  /**
   * After the evaluation, before the state is saved. `training.state()` is then at the start of the next
   * epoch.
   */
  onEpochEnd?(training: Training, record: EpochRecord): void | Promise<void>;
  /** Like {@link onEpochEnd}, but after the state is saved, if it is saved at all. */
  onEpochSaved?(training: Training, record: EpochRecord): void | Promise<void>;
  /** At the end, also after {@link Training.stop} or an aborted signal, but not if the training failed. */
  onTrainEnd?(training: Training, outcome: TrainOutcome): void | Promise<void>;
  /** Last of all, however the training ended: close files or restore weights here. */
  onTrainClose?(training: Training): void | Promise<void>;
  /** The state of the callback. It is restored for a resumed training, and reset for a new one. */
  stateDict?(): Json;
  /** Restores the result of {@link stateDict}; called before {@link onTrainBegin}. */
  setStateDict?(state: Json): void;
}

/** Names of the hooks. */
export type Hook = {
  [K in keyof Callback]-?: K extends `on${string}` ? K : never;
}[keyof Callback];

/** A callback threw; its error is the cause. */
export class CallbackError extends FoveaError {
  static override readonly kind: string = 'CallbackError';

  constructor(
    /** Name of the callback, such as `EarlyStopping`. */
    readonly callback: string,
    readonly hook: string,
    cause: unknown,
    note = '',
  ) {
    super(`[callback] ${callback}.${hook} failed: ${messageOf(cause)}${note}`, { cause });
  }
}
