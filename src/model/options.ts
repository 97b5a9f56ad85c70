import type { DataLoader } from '../io/data/dataloader.js';
import type { Dataset } from '../io/data/dataset.js';
import type { SamplerName } from '../io/data/sampler.js';
import type { Metric } from '../metric/index.js';
import type { Layer } from '../nn/layer.js';
import type { Optimizer } from '../optimizer/index.js';
import type { RandomGenerator } from '../random.js';
import type { Callback } from '../train/callback.js';
import type { MonitorOptions, ProgBarLoggerOptions } from '../train/callbacks/index.js';
import type { LossFunction } from '../train/objective.js';

/** `O0` computes in float32; `O1` mixes float32 and bfloat16. */
export type AmpLevel = 'O0' | 'O1';

/** Options of `Model.prepare`. */
export interface PrepareOptions {
  /** Needed to train. */
  readonly optimizer?: Optimizer | undefined;
  /**
   * A function, or a layer such as `CrossEntropyLoss`. Needed to train and to evaluate. The loss defines the
   * meaning of the network's outputs: cross entropy takes one output per class; `BCEWithLogitsLoss` takes a
   * single output, the logit of class 1.
   */
  readonly loss?: LossFunction | Layer | undefined;
  readonly metrics?: Metric | readonly Metric[] | undefined;
  /**
   * Mixed precision. `O1` trains with bfloat16 where the processor has instructions for it, and otherwise
   * warns and trains in float32. It affects only this model's `fit` and `trainBatch`. Default `O0`: float32.
   * There is no `O2`: parameters are always float32.
   */
  readonly ampConfigs?: AmpLevel | { readonly level: AmpLevel } | undefined;
}

/**
 * Options of `Model.fit`. An option that would have no effect together with the others is refused, such as
 * `saveFreq` together with a `ModelCheckpoint` of your own.
 */
export interface FitOptions extends MonitorOptions {
  readonly trainData: Dataset | DataLoader;
  readonly evalData?: Dataset | DataLoader | undefined;
  /** Samples per batch, or one number for training and one for evaluation (1). Not with loaders. */
  readonly batchSize?: number | readonly [train: number, evaluation: number] | undefined;
  /** Default 1. */
  readonly epochs?: number | undefined;
  /** Epochs between two evaluations (1). The last epoch is always evaluated. Only with `evalData`. */
  readonly evalFreq?: number | undefined;
  /** Batches between two lines of progress (10). */
  readonly logFreq?: number | undefined;
  /**
   * Folder for the state of the training, from which it can be resumed, and for the files of
   * `ModelCheckpoint`. Default: nothing is written.
   */
  readonly saveDir?: string | undefined;
  /** Epochs between two files `epoch-N` (1); 0 for no such files. Only with `saveDir`. */
  readonly saveFreq?: number | undefined;
  /** Steps between two saved states; the state is also saved after each epoch. */
  readonly saveSteps?: number | undefined;
  /**
   * Resumes the training from the state in `saveDir`, or starts from the beginning if there is none (false).
   * Data, batches, order, loss, metrics and the kinds of optimizer and schedule must be the same as before. A
   * new learning rate, momentum, decay, clipping or class weight takes effect from then on, and is reported.
   * Callbacks continue with their saved state and new options. A callback that follows another metric than
   * before starts without its saved state. The random generator continues from its saved state: a new seed
   * changes nothing.
   */
  readonly resume?: boolean | undefined;
  /** 0: silent; 1: a bar; 2: lines (default); 3: lines with times. */
  readonly verbose?: ProgBarLoggerOptions['verbose'];
  /** Leaves out the last batch of an epoch if it is not full (false). Not with a loader. */
  readonly dropLast?: boolean | undefined;
  /** A new random order in each epoch (true). Not with a loader. */
  readonly shuffle?: boolean | undefined;
  /**
   * Threads that transform images during the training step (0). Data sets of image files always decode and
   * transform in threads of their own. Not with loaders.
   */
  readonly numWorkers?: number | undefined;
  readonly callbacks?: Callback | readonly Callback[] | undefined;
  /** Batches whose gradients make one step (1). The step uses their mean; Paddle uses the sum. */
  readonly accumulateGradBatches?: number | undefined;
  /** Ends the training after this total number of batches, instead of after `epochs`. */
  readonly numIters?: number | undefined;
  /** Epochs that count as done before the training begins (0). */
  readonly initialEpoch?: number | undefined;
  /** Weight of each class in the training's loss; `auto` gives all classes the same total weight. */
  readonly classWeight?: 'auto' | readonly number[] | undefined;
  /**
   * `balanced` gives every class equally often; `stratified` gives every image once, with the classes evenly
   * mixed. Not with a loader.
   */
  readonly sampler?: SamplerName | undefined;
  /** Writes `best` whenever the monitored metric improves (false). Only with `saveDir`. */
  readonly saveBest?: boolean | undefined;
  /** The newest files `epoch-N` that are kept. Default: all. Only with `saveDir`. */
  readonly keepLastN?: number | undefined;
  /** Restores the network's best weights at the end, even if the training fails (false). */
  readonly restoreBest?: boolean | undefined;
  /** Ends the training after the current step; its state is saved. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Random numbers for shuffling, dropout and so on. Default: the default generator, which `seed` sets.
   * Trainings that run at the same time need one generator each.
   */
  readonly generator?: RandomGenerator | undefined;
}

/** Options of `Model.evaluate`. */
export interface ModelEvaluateOptions {
  /** Samples per batch (1). Not with a loader. */
  readonly batchSize?: number | undefined;
  /** Batches between two lines of progress (10). */
  readonly logFreq?: number | undefined;
  /** 0: silent; 1: a bar; 2: lines; 3: lines with times. Default 2, for predictions 1. */
  readonly verbose?: ProgBarLoggerOptions['verbose'];
  /**
   * Threads that transform images during the evaluation (0). Data sets of image files always decode and
   * transform in threads of their own. Not with loaders.
   */
  readonly numWorkers?: number | undefined;
  readonly callbacks?: Callback | readonly Callback[] | undefined;
  /** Ends after this number of batches. Default: all. */
  readonly numIters?: number | undefined;
}

/** Options of `Model.predict`. */
export interface PredictOptions extends ModelEvaluateOptions {
  /** Joins the outputs of all batches to one tensor (false). */
  readonly stackOutputs?: boolean | undefined;
}
