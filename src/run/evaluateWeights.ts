import * as check from '../check.js';
import { InputError } from '../errors.js';
import { fingerprint } from '../io/files/fingerprint.js';
import { option } from '../text/option.js';
import { evaluate } from '../train/evaluate.js';
import type { Evaluation } from '../train/evaluation.js';
import { preprocessing } from '../vision/images/preprocess.js';
import { loadPretrained } from '../vision/models/pretrained.js';
import { type DataName, findData, namedDataset, type Split, type Understanding } from './catalog/datasets.js';
import { namedModel } from './catalog/models.js';
import type { SplitRecord } from './config.js';
import { requireMeaning, requireWork } from './dataOptions.js';
import { type EvaluateRunOptions, requireClasses, requireSplit, splitElsewhere } from './evaluate.js';
import { forEvaluation } from './inputPipeline.js';
import { evalLoaderOf } from './loaders.js';
import { lossOf, outputsFor } from './losses.js';
import { readWeightsRecord } from './pretrained.js';
import { describeSplit, usualHoldOut } from './splits.js';
import type { WeightsRecord } from './weightsRecord.js';

/** As for a run; the data are by default those of the same kind as in the training. */
export type EvaluateWeightsOptions = Omit<EvaluateRunOptions, 'tta' | 'fixes'>;

export interface WeightsEvaluation extends Evaluation {
  /** The record in the file. */
  readonly record: WeightsRecord & { readonly classNames: readonly string[] };
  readonly weightsSha256: string;
  readonly split: Split;
  /** The images and their labels. */
  readonly data: SplitRecord;
  readonly title: string;
  readonly synthetic: boolean;
  /** How the files were understood. */
  readonly understood: Understanding;
}

/**
 * Evaluates a file of weights without its run folder, such as one that was trained in a browser. The record
 * in the file names the network and its inputs.
 *
 * @param path `.safetensors` or `.pdparams`
 * @throws {FileError} for a file that cannot be read, or does not have the weights that its record names
 * @throws {InputError} for a file without a record, and for data with other classes than the network's
 */
export async function evaluateWeights(path: string, options: EvaluateWeightsOptions = {}): Promise<WeightsEvaluation> {
  check.requireValue('evaluate', 'path', path, check.text);
  check.requireValue('evaluate', 'options', options, check.record);
  const record = requireRecord(path, await readWeightsRecord(path));
  const { classNames, loss, inputShape } = record;
  const entry = namedModel(record.model);
  const numClasses = outputsFor(record, classNames.length);
  const network = entry.create({ numClasses }, inputShape).eval();
  await loadPretrained(network, record.model, { pretrained: path }, undefined);
  const { sha256: weightsSha256 } = await fingerprint(path);
  const asked = dataOf(record, options);
  const kind = namedDataset(asked.name);
  requireMeaning(asked, kind, options);
  requireWork(asked.name, kind, options.imageLoading, record.transforms.length > 0);
  const [, height, width] = inputShape;
  const opened = await kind.open({
    location: asked.location ?? options.dataDir,
    images: record.images ?? preprocessing({ size: [height, width] }),
    holdOut: { share: usualHoldOut, seed: 0 },
    classNames,
    imageLoading: options.imageLoading,
    onDownload: options.onDownload,
    onProgress: options.onProgress,
  });
  requireClasses(opened, classNames);
  const split = requireSplit(options.split ?? splitElsewhere(opened), kind);
  const recipe = { loss, batchSize: entry.recipe.batchSize, techniques: { transforms: record.transforms } };
  const images = forEvaluation(await opened.open(split), recipe);
  const total = images.dataset.length;
  const result = await evaluate({
    network,
    loader: evalLoaderOf(images, { network, inputShape }, recipe, options.batchSize),
    loss: lossOf(record).compute,
    signal: options.signal,
    onBatch: (samples) => options.onBatch?.(samples, total),
  });
  const { record: data } = await describeSplit(images, options.onProgress);
  const { title, synthetic } = opened;
  return { ...result, record, weightsSha256, split, data, title, synthetic, understood: opened };
}

function dataOf({ data }: WeightsRecord, { data: asked }: EvaluateWeightsOptions): DataName {
  return findData(asked ?? data);
}

function requireRecord(path: string, record: WeightsRecord | null): WeightsEvaluation['record'] {
  if (record === null) {
    throw new InputError(
      `[eval] ${path}: expected weights with the record of their training, got a file without one; evaluate the run ` +
        `folder that they belong to, or begin a training with them (${option('pretrained')})`,
    );
  }
  const { classNames } = record;
  if (classNames !== null) return { ...record, classNames };
  throw new InputError(
    `[eval] ${path}: expected weights whose record names their classes, got one without; begin a training with them ` +
      `(${option('pretrained')})`,
  );
}
