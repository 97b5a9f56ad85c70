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
  /** Data for the evaluation after an epoch. */
  readonly evalLoader?: DataLoader | undefined;
  /** Epochs between two evaluations (1). The last epoch is always evaluated. */
  readonly evalFreq?: number | undefined;
  /** Computed over the batches of each epoch, and over each evaluation. */
  readonly metrics?: readonly Metric[] | undefined;
  readonly epochs: number;
  /** Epochs that count as done before the training begins (0). */
  readonly initialEpoch?: number | undefined;
  /**
   * Ends the training after this total number of batches, instead of after `epochs`. An incomplete last epoch
   * is evaluated too.
   */
  readonly numIters?: number | undefined;
  /**
   * Batches whose gradients make one step (1). The gradient is the mean over all their samples, as in a step
   * with one large batch. The last step of an epoch may have fewer batches.
   */
  readonly accumulateGradBatches?: number | undefined;
  readonly callbacks?: readonly Callback[] | undefined;
  /** Folder for the files of callbacks that have no folder of their own. */
  readonly saveDir?: string | undefined;
  /** Saves the state. Called after each epoch, and when the training ends early. */
  readonly save?: ((training: Training) => Promise<void>) | undefined;
  /** Digests of the data, to check that a resumed training has the same data as before. */
  readonly samples?: SampleIdentities | undefined;
  /** Steps between two saved states; the state is also saved after each epoch. */
  readonly saveSteps?: number | undefined;
  /**
   * Whether the parameters that are trained and the inputs of the network change between epochs (false). A
   * resumed training is then not compared by its operations and frozen parameters.
   */
  readonly phased?: boolean | undefined;
  /** Called with a warning about input that looks wrong but may be intended. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Ends the training after the current batch, like {@link Training.stop}. */
  readonly signal?: AbortSignal | undefined;
  /**
   * State to resume from. The caller must have restored the network and the optimizer. `train` restores the
   * generator, the optimizer's learning rate or schedule, metrics and callbacks. The loader must shuffle with
   * the generator of the training, as it does unless it has a generator of its own.
   */
  readonly from?: { readonly state: TrainingState; readonly history: readonly EpochRecord[] } | undefined;
}
