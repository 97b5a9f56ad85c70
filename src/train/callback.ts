import { FoveaError, messageOf } from '../errors.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import type { Json } from '../text/json.js';
import type { DivergenceError } from './divergence.js';
import type { Evaluation, MetricValues } from './evaluation.js';
import type { EpochRecord, TrainingState, TrainOutcome } from './history.js';

/** A training that goes on, as its callbacks see it: one object all along, whose fields change. */
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
  /** The epoch that goes on, from 1. */
  readonly epoch: number;
  /** Batches of this epoch that are done. */
  readonly batch: number;
  /** Samples of this epoch that are done. */
  readonly samples: number;
  /** Seconds of this epoch in which the next batch was waited for. */
  readonly dataSeconds: number;
  /** Loss of the newest batch. */
  readonly loss: number;
  /** Whether the newest batch ended with a step: not if gradients of several batches are accumulated. */
  readonly updated: boolean;
  /** The epochs that are done. */
  readonly history: readonly EpochRecord[];
  /** The newest evaluation. */
  readonly evaluation: Evaluation | null;
  /** Whether there are evaluations at all. */
  readonly evaluating: boolean;
  /** `loss`, then the names of the metrics. */
  readonly metricNames: readonly string[];
  /** Whether larger values of a metric are better; null if nothing says so. */
  higherIsBetter(name: string): boolean | null;
  /** Over the samples of this epoch that are done: `loss`, the mean, and the metrics by name. */
  metrics(): MetricValues;
  /** Where the training stands; not between a batch and the step that it is accumulated for. */
  state(): TrainingState;
  /** Ends the training after the present batch. */
  stop(): void;
}

/** An evaluation or prediction that goes on: one object all along, whose fields change. */
export interface EvaluationProgress {
  readonly batches: number;
  /** Batches that are done. */
  readonly batch: number;
  /** Samples that are done. */
  readonly samples: number;
  /** Samples in all. */
  readonly total: number;
  /** Over the samples that are done: `loss`, the mean, and the metrics by name. Empty for a prediction. */
  metrics(): MetricValues;
}

/**
 * What may be done on the way: derive from this class, or give an object with some of its methods. Promises are waited
 * for. If a method throws, the other callbacks are still told, the state is saved where it can be, and the training
 * ends with a {@link CallbackError}.
 *
 * One callback may serve several trainings, one after another. Each begins with the state that the callback had before
 * its first one, as far as {@link stateDict} tells it; a training that is resumed gets the saved state. What
 * `stateDict` leaves out has to be reset in {@link onTrainBegin}.
 *
 * Saved states contain the class name. Give the class a `static readonly kind = 'MyCallback'` if a minifier may rename it.
 */
export class Callback {
  onTrainBegin?(training: Training): void | Promise<void>;
  onEpochBegin?(training: Training): void | Promise<void>;
  /** After each batch. A small network takes 0.2 ms for one, so be quick. */
  onBatchEnd?(training: Training): void | Promise<void>;
  /**
   * A batch has a loss that is infinite or no number; nothing was learned from it. The training ends with the error,
   * or in good order if {@link Training.stop} is called here.
   */
  onDivergence?(training: Training, error: DivergenceError): void | Promise<void>;
  onEvaluateBegin?(progress: EvaluationProgress): void | Promise<void>;
  /** During the evaluation, after each of its batches. */
  onEvaluateBatch?(progress: EvaluationProgress): void | Promise<void>;
  onEvaluateEnd?(progress: EvaluationProgress): void | Promise<void>;
  onPredictBegin?(progress: EvaluationProgress): void | Promise<void>;
  onPredictBatch?(progress: EvaluationProgress): void | Promise<void>;
  onPredictEnd?(progress: EvaluationProgress): void | Promise<void>;
  /** After the evaluation, before the state is saved; `training.state()` is then the beginning of the next epoch. */
  onEpochEnd?(training: Training, record: EpochRecord): void | Promise<void>;
  /** Like {@link onEpochEnd}, but once the state is saved, where it is saved at all. */
  onEpochSaved?(training: Training, record: EpochRecord): void | Promise<void>;
  /** At the end, also after {@link Training.stop} or an aborted signal, but not if the training failed. */
  onTrainEnd?(training: Training, outcome: TrainOutcome): void | Promise<void>;
  /** After all else, however the training ended: the place to close files, or to give weights back. */
  onTrainClose?(training: Training): void | Promise<void>;
  /** The state of the callback, for a training that is resumed and for one that begins anew. */
  stateDict?(): Json;
  /** Restores what {@link stateDict} gave; called before {@link onTrainBegin}. */
  setStateDict?(state: Json): void;
}

/** Methods that are called on the way. */
export type Hook = {
  [K in keyof Callback]-?: K extends `on${string}` ? K : never;
}[keyof Callback];

/** A callback threw; its error is the cause. */
export class CallbackError extends FoveaError {
  static override readonly kind: string = 'CallbackError';

  constructor(
    /** Which one, such as `EarlyStopping`. */
    readonly callback: string,
    readonly hook: string,
    cause: unknown,
    note = '',
  ) {
    super(`[callback] ${callback}.${hook}: expected it to return, got ${messageOf(cause)}${note}`, { cause });
  }
}
