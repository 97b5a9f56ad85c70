import type { DownloadProgress } from '../io/files/download.js';
import type { Calibrator, OperatingRule } from '../statistics/index.js';
import type { Callback } from '../train/callback.js';
import type { PreprocessOptions } from '../vision/images/preprocess.js';
import type { DataFixes, OpenOptions } from './catalog/datasets.js';
import type { RunConfig } from './config.js';
import type { FoldOfRun } from './folds/plan.js';
import type { Recipe, RecipeChanges } from './recipe.js';

export interface RunOptions {
  /** Name of the network: `lenet`, `resnet50` and so on. */
  readonly model: string;
  /** `mnist`, `palm:DIR`, `folder:DIR` or `csv:FILE`. */
  readonly data: string;
  /**
   * The run folder, which must be new or empty. If there are several paths, the first one that does not exist
   * is taken.
   */
  readonly out: string | readonly string[];
  /** Random seed. Default 0. */
  readonly seed?: number | undefined;
  /** Folder with MNIST's files. */
  readonly dataDir?: string | undefined;
  /** How photographs become inputs; by default as OpenCV does it, in the size that the model is made for. */
  readonly images?: PreprocessOptions | undefined;
  /** How photographs are loaded. */
  readonly imageLoading?: OpenOptions['imageLoading'];
  /**
   * Fraction of each class held out for validation if the data has no split, or `[validation, test]`. Default
   * 0.2.
   */
  readonly holdOut?: number | readonly [validation: number, test: number] | undefined;
  /**
   * Keeps pictures of one group, such as a patient, in one part of the data: the column of the groups in a
   * table, or a regular expression that finds the group in the path of a picture of a folder.
   */
  readonly group?: string | undefined;
  /**
   * Pictures to leave out and other labels: a folder with `exclude.csv` and `relabel.csv`, as a data check
   * writes it, or one of these tables. Default: none.
   */
  readonly fixes?: string | DataFixes | undefined;
  /**
   * Test images from another place, as `folder:DIR` or `csv:FILE`: their test part, or all of them. Test
   * images choose nothing and are evaluated once, after the training. Default: the test part of the data.
   */
  readonly testData?: string | undefined;
  /**
   * Begins with the weights of a `.safetensors` or `.pdparams` file, or of a run folder; `true` for a
   * ready-made network: with Paddle's weights, trained on ImageNet. A classifier for another number of
   * classes gets new weights. Inputs are made as the weights had them, unless `images` and transforms say
   * otherwise.
   */
  readonly pretrained?: true | string | undefined;
  /**
   * With a run folder as `pretrained`: begins with its best weights instead of its last ones. Default false.
   */
  readonly best?: boolean | undefined;
  /** Trains GoogLeNet with its auxiliary heads. Default false. */
  readonly auxiliaryHeads?: boolean | undefined;
  /**
   * With two classes: how the threshold of the decision is chosen, on the validation images after the
   * training. Default `{ sensitivity: 0.95 }`.
   */
  readonly operatingRule?: OperatingRule | undefined;
  /**
   * How probabilities are calibrated, on the validation images after the training; `platt` and `isotonic` are
   * for two classes. Default `none`.
   */
  readonly calibration?: 'none' | Calibrator['method'] | undefined;
  /**
   * With two classes: the one that sensitivity, precision and AUC are computed for. Default: the one whose
   * counterpart is named `normal`, `negative`, `no…`, `0` and the like; else the second.
   */
  readonly positive?: string | undefined;
  /**
   * Reports describe a screening test, with the statements that one needs. Default: with iChallenge-PM only.
   */
  readonly screening?: boolean | undefined;
  /** Changes to the model's recipe. */
  readonly changes?: RecipeChanges | undefined;
  /** The whole recipe, instead of the model's recipe and `changes`. */
  readonly recipe?: Recipe | undefined;
  /** Seed of the choice of held-out images. Default: `seed`. */
  readonly holdOutSeed?: number | undefined;
  /** One of the folds of a cross-validation, which makes such runs. */
  readonly fold?: FoldOfRun | undefined;
  /** A run that must have had the same data and the same initial weights. */
  readonly sameAs?: RunConfig | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** Called as files are listed and as their checksums are computed. */
  readonly onProgress?: OpenOptions['onProgress'];
}

export interface ResumeOptions {
  /** Present place of the data, as in `folder:DIR`, if they have moved. They must be the same. */
  readonly data?: string | undefined;
  /** The same for data that are stored in a folder; for MNIST the folder with its files. */
  readonly dataDir?: string | undefined;
  /** Present place of test images that came from another place, if they have moved. */
  readonly testData?: string | undefined;
  /** Total number of epochs, also for a finished run. Default: the number that the run was started with. */
  readonly epochs?: number | undefined;
  /** How photographs are loaded. Default: bad ones are treated as before. */
  readonly imageLoading?: OpenOptions['imageLoading'];
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  readonly onProgress?: OpenOptions['onProgress'];
}

export interface RepeatOptions extends Omit<ResumeOptions, 'epochs'> {
  /** The new run folder; see {@link RunOptions}. */
  readonly out: string | readonly string[];
  /** Default: that of the run. The held-out images stay the same. */
  readonly seed?: number | undefined;
}

export interface RunTrainOptions {
  readonly callbacks?: readonly Callback[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly saveSteps?: number | undefined;
  /**
   * Called with problems that end nothing, such as a report that could not be written. Default: writes to
   * stderr.
   */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Called during long work after the last epoch. */
  readonly onProgress?: OpenOptions['onProgress'];
  /**
   * Writes the metrics of each epoch for TensorBoard too, to the folder `tensorboard` of the run. Default
   * false.
   */
  readonly tensorBoard?: boolean | undefined;
}
