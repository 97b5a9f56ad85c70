import { resolve } from 'node:path';
import { DataLoader } from '../io/dataloader.js';
import type { Dataset } from '../io/dataset.js';
import type { DownloadProgress } from '../io/download.js';
import type { ScreeningFigures } from '../metric/index.js';
import type { Layer } from '../nn/layer.js';
import type { OpenOptions, Split } from '../vision/datasets/registry.js';
import { preprocessing } from '../vision/transforms/preprocess.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { datasetKind, findData, lossOf, modelKind } from './recipes.js';
import type { SplitRecord } from './records.js';
import { RunFolder } from './runFolder.js';
import { screeningOf } from './screening.js';
import { describeSplit, evalBatchSize } from './splits.js';

/** A trained network, read from a run folder. */
export interface TrainedRun {
  readonly folder: RunFolder;
  /** In evaluation mode. */
  readonly network: Layer;
}

/**
 * Reads a run folder and its network.
 *
 * @throws {FileError} naming the file of the folder that is missing, cut, altered or not what it should be
 */
export async function openRun(path: string): Promise<TrainedRun> {
  const folder = await RunFolder.open(path);
  const { model } = folder.config;
  const network = modelKind(model.name).create(model.options, model.inputShape).eval();
  await folder.loadWeights(network);
  return { folder, network };
}

export interface EvaluateRunOptions {
  /** `palm:DIR` and so on. Default: the data that the training was judged on, where it was then. */
  readonly data?: string | undefined;
  /** Default `eval`; for other data that does not say which images are for judging, `all`. */
  readonly split?: Split | undefined;
  /** Folder with MNIST's files. */
  readonly dataDir?: string | undefined;
  readonly reading?: OpenOptions['reading'];
  /** Default 100 for small images, as in the training for others. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  readonly onBatch?: ((samples: number, total: number) => void) | undefined;
}

export interface RunEvaluation extends Evaluation {
  readonly dataset: Dataset;
  readonly split: Split;
  /** The images and their labels. */
  readonly data: SplitRecord;
  readonly title: string;
  readonly synthetic: boolean;
  /** Whether images and labels are those that the training knew as this split. */
  readonly sameData: boolean;
  /** With two classes: the figures of the second one. */
  readonly screening: ScreeningFigures | null;
}

/**
 * Judges a trained network.
 *
 * @throws {InputError} for data with other classes than the network's
 */
export async function evaluateRun(run: TrainedRun, options: EvaluateRunOptions = {}): Promise<RunEvaluation> {
  const { config } = run.folder;
  const { data: known, recipe, model } = config;
  const other = options.data !== undefined;
  const asked = options.data === undefined ? known : findData(options.data);
  const location = asked.location ?? options.dataDir;
  const opened = await datasetKind(asked.name).open({
    location,
    images: known.images ?? imagesFor(model.inputShape),
    holdOut: known.holdOut ?? { share: 0.2, seed: config.seed },
    classNames: known.classNames,
    reading: options.reading,
    onDownload: options.onDownload,
  });
  const elsewhere = other && !(asked.name === known.name && location && resolve(location) === known.location);
  const split = options.split ?? (elsewhere && opened.holdOut !== null ? 'all' : 'eval');
  const judged = await opened.open(split);
  const total = judged.dataset.length;
  const batchSize = options.batchSize ?? evalBatchSize(model.inputShape, recipe);
  const result = await evaluate({
    network: run.network,
    loader: new DataLoader(judged.dataset, { batchSize, reuse: true }),
    loss: lossOf(recipe).compute,
    signal: options.signal,
    onBatch: (samples) => options.onBatch?.(samples, total),
  });
  const data = await describeSplit(judged);
  return {
    ...result,
    dataset: judged.dataset,
    split,
    data,
    title: opened.title,
    synthetic: opened.synthetic,
    sameData: split !== 'all' && data.sha256 === known[split].sha256,
    screening: screeningOf(result, run.folder.state.operatingPoint),
  };
}

function imagesFor([, height, width]: readonly number[]) {
  return preprocessing({ size: [height, width] });
}
