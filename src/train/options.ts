import type { DataLoader } from '../io/data/dataloader.js';
import type { Metric } from '../metric/index.js';
import type { Callback, Training } from './callback.js';
import type { EpochRecord, TrainingState } from './history.js';
import type { SampleIdentities } from './sampleIdentity.js';
import type { StepOptions } from './step.js';

/** Options of `train`. */
export interface TrainOptions extends StepOptions {
  /** `classWeight` as numbers, for the saved state. */
  readonly classWeights?: readonly number[] | undefined;
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
   * Resumes from there. The network and the optimizer must have been restored; the generator, the optimizer's learning
   * rate or schedule, metrics and callbacks are restored here. The loader has to shuffle with the generator of the
   * training, as it does unless it has one of its own.
   */
  readonly from?: { readonly state: TrainingState; readonly history: readonly EpochRecord[] } | undefined;
}
