import { resolve } from 'node:path';
import * as check from '../check.js';
import { FileError, InputError } from '../errors.js';
import type { Dataset } from '../io/data/dataset.js';
import type { DownloadProgress } from '../io/files/download.js';
import type { Layer } from '../nn/layer.js';
import {
  type CalibrationSummary,
  type Calibrator,
  calibrationSummary,
  type ScreeningMetrics,
} from '../statistics/index.js';
import { listed } from '../text/list.js';
import { evaluate } from '../train/evaluate.js';
import type { Evaluation } from '../train/evaluation.js';
import { numbersAmong } from '../vision/datasets/labelNames.js';
import type { TransformFunction, TransformSpec } from '../vision/transforms/transform.js';
import type { NamedDataset, OpenedData, OpenOptions, Split, Understanding } from './catalog/datasets.js';
import { findData, namedDataset } from './catalog/datasets.js';
import { namedModel } from './catalog/models.js';
import type { RunConfig, SplitRecord } from './config.js';
import { isScreening } from './config.js';
import { readFixes, requireFixable } from './dataCheck/fixes.js';
import { requireMeaning, requireWork } from './dataOptions.js';
import { type ChosenPoint, type DecisionRule, decisionRule, screeningOf } from './decision.js';
import { appliedChoice } from './decisions/applied.js';
import { calibratedEvaluation } from './decisions/calibrated.js';
import { RunFolder } from './folder.js';
import { fixedNames, forEvaluation } from './inputPipeline.js';
import { evalLoaderOf } from './loaders.js';
import { lossOf, outputsFor } from './losses.js';
import { positiveClass, positiveOf, requireScreening } from './positive.js';
import { writePredictions } from './predictions/file.js';
import { originOf } from './predictions/origin.js';
import { logitsOf, type Predictions, predictionsOf } from './predictions/predictions.js';
import { loadBest } from './results/loadBest.js';
import { type PartialEvaluation, type SeenImages, seenImages, untrainedPart } from './seen.js';
import { describeSplit, openAsTrained, pictureNotesOf } from './splits.js';
import { augmentationNames, meanEvaluation, type TestTimeAugmentation, viewsOf } from './tta.js';

/** A trained network, read from a run folder. */
export interface TrainedRun {
  readonly folder: RunFolder;
  /** In evaluation mode. */
  readonly network: Layer;
  /** Threshold between two classes, chosen after the training; null if these weights have none. */
  readonly operatingPoint: ChosenPoint | null;
  /** Makes probabilities of logits; null for softmax alone. */
  readonly calibrator: Calibrator | null;
  /** Why there is no operating point, although the run wanted one; else null. */
  readonly lacking: string | null;
  /** Digest of the file with the weights. */
  readonly weightsSha256: string;
  /** Whether these are the weights of the last epoch, or of the best one. */
  readonly weights: 'last' | 'best';
  /** How it decides between two classes; null with more classes. */
  readonly decision: DecisionRule | null;
  /** Whether its metrics describe a screening test. */
  readonly screening: boolean;
}

export interface OpenRunOptions {
  /** Whether to take the weights of the best epoch instead of the last. Default false. */
  readonly best?: boolean | undefined;
  /** With two classes: the positive one. Default: that of the run. */
  readonly positive?: string | undefined;
  /** With two classes: the positive one is predicted from this probability on. Default: that of the run. */
  readonly threshold?: number | undefined;
  /** Whether metrics describe a screening test. Default: as in the training. */
  readonly screening?: boolean | undefined;
}

const openChecks: check.OptionChecks<OpenRunOptions> = {
  best: check.flag,
  positive: check.text,
  threshold: check.share,
  screening: check.flag,
};

/** Throws unless an argument is what {@link openRun} gives. */
export function requireTrainedRun(where: string, run: TrainedRun): void {
  const isRun = (x: unknown) => check.record.is(x) && (x as Partial<TrainedRun>).folder instanceof RunFolder;
  check.requireValue(where, 'run', run, check.rule('a run that openRun gave', isRun));
}

/**
 * Reads a run folder and its network.
 *
 * @throws {FileError} naming the file of the folder that is missing, cut, altered or not what it should be
 * @throws {InputError} for a positive class that is not one of two, and for a screening test with more
 * classes
 */
export async function openRun(path: string, options: OpenRunOptions = {}): Promise<TrainedRun> {
  check.requireOptions('run', options, openChecks);
  const { best = false, positive: asked, threshold } = options;
  const folder = await RunFolder.open(path);
  const { config } = folder;
  const { model, data, recipe } = config;
  const expected = outputsFor(recipe, data.classNames.length);
  if (data.classNames.length < 2 || model.options.numClasses !== expected) {
    throw new FileError(
      `[run] ${path}: expected a network for two or more classes, got ${model.options.numClasses} ` +
        `${model.options.numClasses === 1 ? 'output' : 'outputs'} for ${data.classNames.join(', ')}; start a new training`,
    );
  }
  const usual = positiveOf(config);
  const positive = asked === undefined ? usual : positiveClass(data.classNames, asked);
  if (threshold !== undefined && positive === null) {
    throw new InputError(`[run] threshold: expected none, since there are ${data.classNames.length} classes`);
  }
  requireScreening(options.screening, data.classNames);
  const screening = options.screening ?? isScreening(config);
  const network = namedModel(model.name).create(model.options, model.inputShape).eval();
  if (!best) await folder.loadWeights(network);
  const weightsSha256 = best ? (await loadBest(folder, network)).sha256 : folder.weightsSha256;
  const choice = appliedChoice(await folder.readDecision(weightsSha256), config.operatingRule !== null);
  // A threshold was chosen for one class and says nothing of the aims for the other.
  const isUsual = positive?.name === usual?.name;
  const operatingPoint = isUsual && threshold === undefined ? choice.operatingPoint : null;
  const unusual = threshold === undefined ? `the run has one for ${usual?.name} only` : null;
  const lacking = isUsual && threshold === undefined ? choice.lacking : unusual;
  const decision = positive && decisionRule(positive, operatingPoint, threshold);
  const weights = best ? 'best' : 'last';
  const { calibrator } = choice;
  return { folder, network, operatingPoint, calibrator, lacking, weightsSha256, weights, decision, screening };
}

export interface EvaluateRunOptions {
  /** `palm:DIR` and so on. Default: the validation data of the training, from the same place. */
  readonly data?: string | undefined;
  /**
   * Default `validation`; for other data without a validation part `test`, or `all` if that is missing too.
   */
  readonly split?: Split | undefined;
  /** Folder with MNIST's files. */
  readonly dataDir?: string | undefined;
  /** How photographs are read. Default: bad ones are treated as in the training. */
  readonly imageLoading?: OpenOptions['imageLoading'];
  /** Default 100 for small images, as in the training for others, or the largest that there is memory for. */
  readonly batchSize?: number | undefined;
  /** Pictures of other data to leave out and other labels, as for a training. */
  readonly fixes?: string | undefined;
  /** Transforms before those of the run, such as a blur. Default: none. */
  readonly first?: readonly (TransformSpec | TransformFunction)[] | undefined;
  /** Averages the outputs for several views of each image. Default: the image alone. */
  readonly tta?: TestTimeAugmentation | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** Called as files are listed and as their checksums are computed. */
  readonly onProgress?: OpenOptions['onProgress'];
  readonly onBatch?: ((samples: number, total: number) => void) | undefined;
}

const splitNames: readonly string[] = ['train', 'validation', 'test', 'all'] satisfies Split[];

export interface RunEvaluation extends Evaluation {
  /** The stored images, without the transforms of the network. */
  readonly dataset: Dataset;
  readonly split: Split;
  /** Every prediction, with the names and groups of the images. */
  readonly predictions: Predictions;
  /** The images and their labels. */
  readonly data: SplitRecord;
  readonly title: string;
  readonly synthetic: boolean;
  /** Notes on how the data was understood, for people. */
  readonly notes: readonly string[];
  /** Whether images and labels are those that the training knew as this split. */
  readonly sameData: boolean;
  /** How the files were understood. */
  readonly understood: Understanding;
  /** Which of the images the network was trained on. */
  readonly seen: SeenImages;
  /** The metrics on images that it was not trained on, if it was trained on a part of the images. */
  readonly others: PartialEvaluation | null;
  /** With two classes: the metrics of the positive one. */
  readonly screening: ScreeningMetrics | null;
  readonly augmentation: TestTimeAugmentation | null;
  /** With test-time augmentation: the evaluation without it; else null. */
  readonly plain: Evaluation | null;
  /** Calibration on these images before and after; null for a run that has none. */
  readonly calibration: { readonly before: CalibrationSummary; readonly after: CalibrationSummary } | null;
}

/**
 * Evaluates a trained network.
 *
 * @throws {InputError} for data with other classes than the network's
 */
export async function evaluateRun(run: TrainedRun, options: EvaluateRunOptions = {}): Promise<RunEvaluation> {
  requireTrainedRun('evaluate', run);
  check.requireValue('evaluate', 'options', options, check.record);
  const { config } = run.folder;
  const { data: known, recipe, model } = config;
  const asked = options.data === undefined ? known : findData(options.data);
  const kind = namedDataset(asked.name);
  // The data may have moved from the folder of the training.
  const given = options.data !== undefined || (kind.location !== null && kind.locationOptional !== true);
  requireMeaning({ name: asked.name, location: given ? asked.location : undefined }, kind, options);
  requireWork(asked.name, kind, options.imageLoading, fixedNames(recipe).length > 0);
  // The data of the training may have moved. The result reports whether they are the same.
  const location =
    options.data === undefined ? (options.dataDir ?? asked.location) : (asked.location ?? options.dataDir);
  const isSame = asked.name === known.name && location !== undefined && resolve(location) === known.location;
  const elsewhere = options.data !== undefined && !isSame;
  if (options.fixes !== undefined && !elsewhere) {
    throw new InputError(
      '[eval] fixes: expected with other data only, since those of the training have its fixes, got them',
    );
  }
  if (options.fixes !== undefined) requireFixable(asked.name);
  const opened = await openAsTrained(
    config,
    { name: asked.name, location, isOther: elsewhere, split: await run.folder.readSplit() },
    { ...options, fixes: options.fixes === undefined ? undefined : await readFixes(options.fixes) },
  );
  requireClasses(opened, known.classNames);
  const usual = elsewhere ? splitElsewhere(opened) : 'validation';
  const split = requireSplit(options.split ?? usual, kind);
  const images = await opened.open(split);
  const total = images.dataset.length;
  const sized = { network: run.network, inputShape: model.inputShape };
  const { tta } = options;
  if (tta !== undefined) check.requireValue('evaluate', 'tta', tta, check.oneOf(augmentationNames));
  const views = tta === undefined ? [[]] : viewsOf(tta);
  const all: Evaluation[] = [];
  for (const [v, first] of views.entries()) {
    const evaluation = await evaluate({
      network: run.network,
      loader: evalLoaderOf(
        forEvaluation(images, recipe, [...(options.first ?? []), ...first]),
        sized,
        recipe,
        options.batchSize,
      ),
      loss: lossOf(recipe).compute,
      signal: options.signal,
      onBatch: (samples) => options.onBatch?.(v * total + samples, views.length * total),
    });
    all.push(evaluation);
  }
  const computed = tta === undefined ? all[0] : meanEvaluation(all);
  const result = calibratedEvaluation(computed, run.calibrator);
  const described = await describeSplit(images, options.onProgress);
  const seen = await seenImages(run.folder, images, described, options.onProgress);
  const data = described.record;
  const pictureNotes = await pictureNotesOf([images], opened.images, options.onProgress);
  return {
    ...result,
    dataset: images.dataset,
    split,
    predictions: predictionsOf(result, images, split, known.classNames),
    augmentation: tta ?? null,
    plain: tta === undefined ? null : calibratedEvaluation(all[0], run.calibrator),
    data,
    seen,
    others: untrainedPart(result, seen),
    title: opened.title,
    synthetic: opened.synthetic,
    notes: [...opened.notes, ...pictureNotes],
    sameData: data.sha256 === knownSplit(known, split)?.sha256,
    understood: opened,
    screening: screeningOf(result, run.decision?.positive ?? null, run.operatingPoint, run.decision?.threshold),
    calibration: run.calibrator && summaries(computed, run.calibrator, run.decision?.positive.index === 0 ? 0 : 1),
  };
}

function summaries({ labels, outputs, confusion }: Evaluation, calibrator: Calibrator, positive: 0 | 1) {
  const data = { labels, logits: logitsOf(outputs, labels.length), classes: confusion.length };
  const summary = (applied: Calibrator | null) => calibrationSummary(data, applied, positive);
  return { before: summary(null), after: summary(calibrator) };
}

/**
 * Data sets with classes of their own, such as Fashion-MNIST, have the same numbers for other things.
 *
 * @throws {InputError} unless the classes are those of the network, in the same order
 */
export function requireClasses({ title, classNames }: OpenedData, known: readonly string[]): void {
  const numbers = numbersAmong(classNames, known);
  if (numbers.length === known.length && numbers.every((number, i) => number === i)) return;
  throw new InputError(
    `[eval] ${title}: expected the classes of the network, ${listed(known)}, got ${listed(classNames)}; choose data with ` +
      'these classes',
  );
}

/** The part of other data than those of the training. */
export function splitElsewhere({ holdOut, parts }: OpenedData): Split {
  if (holdOut === null) return 'validation';
  return parts.some(({ role }) => role === 'test') ? 'test' : 'all';
}

/** The part to evaluate. In a data set without a validation part, its test part serves as one. */
export function requireSplit(asked: Split, { evalName }: NamedDataset): Split {
  if (splitNames.includes(asked)) return asked === 'test' && evalName === 'test' ? 'validation' : asked;
  throw new InputError(`[eval] split: expected ${splitNames.join(', ')}, got '${asked}'`);
}

/** The record of a part of the data of a run; null for other parts. */
function knownSplit(known: RunConfig['data'], split: Split): SplitRecord | null {
  if (split === 'train') return known.train;
  if (split === 'test') return known.test ?? null;
  return split === 'validation' ? known.eval : null;
}

/**
 * Writes every prediction of an evaluation as a table, with its record beside it; see `readPredictions`.
 *
 * @throws {FileError} if the files cannot be written
 */
export async function writeEvaluation(path: string, run: TrainedRun, result: RunEvaluation): Promise<void> {
  const { folder, weights, weightsSha256, decision } = run;
  const { split, data, synthetic, predictions } = result;
  const origin = originOf(
    folder.config,
    [{ which: weights, sha256: weightsSha256 }],
    run,
    [{ split, images: data.images, sha256: data.sha256 }],
    { positive: decision?.positive ?? null, synthetic },
  );
  const { augmentation } = result;
  await writePredictions(path, predictions, { ...origin, ...(augmentation !== null && { augmentation }) });
}
