import type { DataLoader } from '../io/data/dataloader.js';
import type { Metric } from '../metric/index.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Callback, Training } from './callback.js';
import type { Evaluation } from './evaluate.js';
import type { LossFunction } from './losses.js';
import type { SampleIdentities } from './sampleIdentity.js';
import type { Objective } from './step.js';
import type { EpochRecord, TrainingState } from './train.js';

export interface TrainOptions {
  readonly network: Layer;
  readonly optimizer: Optimizer;
  readonly loss: LossFunction;
  /** Default: the loss of `network.forward(images)`. */
  readonly objective?: ((images: Tensor, labels: Tensor) => Objective) | undefined;
  /** Weight of each class in the training's loss, `[classes]`; the loss must know its third parameter. */
  readonly classWeight?: Tensor | undefined;
  /** The same as numbers, for the record. */
  readonly classWeights?: readonly number[] | undefined;
  /** Counts the samples that are judged right in training, from the outputs of its steps (false). */
  readonly trainAccuracy?: boolean | undefined;
  readonly trainLoader: DataLoader;
  /** Judged after epochs. */
  readonly evalLoader?: DataLoader | undefined;
  /** Epochs between two evaluations (1). The last epoch is always judged. */
  readonly evalFreq?: number | undefined;
  /** Gathered over the batches of the training and over each evaluation. */
  readonly metrics?: readonly Metric[] | undefined;
  readonly epochs: number;
  /** Epochs that count as done before the training begins (0). */
  readonly initialEpoch?: number | undefined;
  /** Ends the training after so many batches in all, in place of `epochs`; the epoch that is cut short is judged too. */
  readonly numIters?: number | undefined;
  /**
   * Batches whose gradients make one step (1). The gradient is the mean over all their samples, so that the step is
   * that of one large batch. Fewer at the end of an epoch.
   */
  readonly accumulateGradBatches?: number | undefined;
  readonly callbacks?: readonly Callback[] | undefined;
  /** Folder for the files of callbacks that have none of their own. */
  readonly saveDir?: string | undefined;
  /** Saves the state: called after each epoch, and where the training ends early. */
  readonly save?: ((training: Training) => Promise<void>) | undefined;
  /** Tells whether a training is resumed with the data of before. */
  readonly samples?: SampleIdentities | undefined;
  /** Saves after so many steps too. */
  readonly saveSteps?: number | undefined;
  /** Told of what looks wrong and need not be. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Ends the training after the present batch, like {@link Training.stop}. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Goes on from there. The network and the optimizer must have been restored; the default generator, the optimizer's
   * learning rate or schedule, metrics and callbacks are restored here.
   * The loader has to shuffle with the default generator, as it does unless told otherwise.
   */
  readonly from?: { readonly state: TrainingState; readonly history: readonly EpochRecord[] } | undefined;
}

export interface TrainOutcome {
  readonly history: readonly EpochRecord[];
  /** The newest evaluation. */
  readonly evaluation: Evaluation | null;
  /** Whether all epochs were done, or a callback has ended the training after one of them. */
  readonly completed: boolean;
}
