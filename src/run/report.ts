import { dirname, relative, sep } from 'node:path';
import { FileError, PackageError } from '../errors.js';
import { type Dataset, readBatch } from '../io/data/dataset.js';
import { describeCalibrator } from '../report/calibration.js';
import type {
  CalibrationReport,
  IntervalReport,
  MistakePicture,
  Picture,
  Screening,
  TestEvaluation,
} from '../report/data.js';
import { formatCount, formatMetric } from '../text/numbers.js';
import type { Evaluation } from '../train/evaluation.js';
import type { EpochRecord } from '../train/history.js';
import { ImageFileDataset } from '../vision/datasets/reading/imageFiles.js';
import { preprocessing } from '../vision/images/preprocess.js';
import { namedDataset } from './catalog/datasets.js';
import { namedModel } from './catalog/models.js';
import type { RunConfig } from './config.js';
import { isScreening } from './config.js';
import { describePoint, screeningOf } from './decision.js';
import { appliedChoice, describeFit } from './decisions/applied.js';
import { describeRecipe } from './describe.js';
import type { RunEvaluation, TrainedRun } from './evaluate.js';
import type { RunFolder } from './folder.js';
import { unreadableOf } from './imageLoading.js';
import { lossOf } from './losses.js';
import { positiveOf } from './positive.js';
import type { PredictionIntervals } from './predictions/intervals.js';
import type { FinalEvaluation } from './results/finalEvaluations.js';
import { optimismNote } from './results/selection.js';
import { seenNotes } from './seen.js';

const minPictures = 12;
const maxPictures = 48;
/** Longest edge of a training picture in the report, in pixels. */
const thumbnailSize = 224;

export interface RunReport {
  readonly folder: RunFolder;
  readonly history: readonly EpochRecord[];
  readonly evaluation: Evaluation | null;
  /** The evaluations after a finished training. */
  readonly results?: readonly FinalEvaluation[] | null | undefined;
  /** Data of the evaluation. */
  readonly evalData: Dataset;
  /** Some of the training pictures, from {@link picturesOf}. */
  readonly pictures?: readonly Picture[] | undefined;
  readonly ended: Date;
  /** Why the run ended early. */
  readonly note?: string | undefined;
}

/** Renders a run's `report.html`. */
export async function renderRunReport(report: RunReport): Promise<string> {
  // Only a report needs the renderer and its charts.
  const { renderReport } = await import('../report/report.js');
  const { folder, history, evaluation, results, evalData, pictures, ended, note } = report;
  const { data } = folder.config;
  return renderReport({
    ...factsOf(folder, ended),
    note,
    ...(data.images !== null && { unreadable: unreadableOf(data).eval }),
    epochs: history,
    pictures,
    ...(results != null && {
      test: testOf(results, data.classNames),
      ...intervalsOf(results, namedDataset(data.name).evalName),
      optimism: optimismNote(folder.config) ?? undefined,
      calibration: calibrationOf(results),
    }),
    ...(evaluation && {
      screening: screeningFor(evaluation, folder, results?.[0] ?? null),
      evaluation: { classNames: data.classNames, confusion: evaluation.confusion },
      mistakes: await mistakesOf(evaluation, evalData, data),
    }),
  });
}

/**
 * Renders the evaluation of a trained network: the report of its run without the curves of the training.
 *
 * @param evalName what the images are called
 */
export async function renderEvaluationReport(
  { folder, weightsSha256, decision, calibrator, operatingPoint, screening }: TrainedRun,
  result: RunEvaluation,
  intervals: PredictionIntervals | null,
  evalName: string,
): Promise<string> {
  const { renderReport } = await import('../report/report.js');
  const { data } = folder.config;
  const { images, source, sha256, unreadable } = result.data;
  const facts = factsOf(folder, new Date());
  const loss = formatMetric(result.loss);
  return renderReport({
    ...facts,
    title: `${facts.run.model} on ${result.title}`,
    note: [
      `Evaluated on ${formatCount(images)} ${evalName} images of the ${source}, with a loss of ${loss}.`,
      ...seenNotes(result.seen, { images, ...result }),
    ].join(' '),
    evalName,
    run: { ...facts.run, evalImages: images },
    epochs: undefined,
    ...(data.images !== null && { unreadable: unreadable.length }),
    ...(result.screening !== null &&
      decision !== null && {
        screening: {
          metrics: result.screening,
          positiveName: decision.positive.name,
          otherName: decision.positive.other,
          operatingRule: describePoint(operatingPoint),
          screeningTest: screening,
          dataSha256: sha256,
          weightsSha256,
          synthetic: result.synthetic,
        },
      }),
    ...(calibrator !== null &&
      result.calibration !== null && {
        calibration: {
          description: describeCalibrator(calibrator),
          sets: [{ name: `${evalName} images`, ...result.calibration }],
        },
      }),
    ...(intervals !== null && {
      intervals: { images: `${formatCount(result.samples)} ${evalName} images`, ...intervals },
    }),
    evaluation: { classNames: data.classNames, confusion: result.confusion },
    mistakes: await mistakesOf(result, result.dataset, data),
  });
}

function testOf(results: readonly FinalEvaluation[], classNames: readonly string[]): TestEvaluation[] {
  return results
    .filter(({ split }) => split === 'test')
    .map(({ weights, evaluation: { confusion, loss }, screening }) => ({
      weights,
      evaluation: { classNames, confusion },
      loss,
      ...(screening !== null && { screening }),
    }));
}

/** Intervals of the test images, else of the validation images, with the last weights. */
function intervalsOf(results: readonly FinalEvaluation[], evalName: string): { intervals?: IntervalReport } {
  const last = results.filter(({ weights }) => weights === 'last');
  const found = last.find(({ split }) => split === 'test') ?? last[0];
  if (found === undefined || found.intervals === null) return {};
  const { split, evaluation, intervals } = found;
  const images = `${formatCount(evaluation.samples)} ${split === 'test' ? 'test' : evalName} images`;
  return { intervals: { images, ...intervals } };
}

/** How a run was made. */
function factsOf({ config }: RunFolder, ended: Date) {
  const { model, data, recipe, engine } = config;
  const { title } = namedModel(model.name);
  return {
    title: `${title} on ${data.title}`,
    evalName: namedDataset(data.name).evalName,
    lossName: lossOf(recipe).title,
    run: {
      model: title,
      parameters: model.parameters,
      pretrained: model.pretrained?.path,
      dataset: data.title,
      source: data.train.source,
      trainImages: data.train.images,
      evalImages: data.eval.images,
      recipe: describeRecipe(recipe),
      seed: config.seed,
      engine: engine.name,
      library: engine.description,
      threads: engine.threads,
      version: config.version,
      started: new Date(config.started),
      ended,
    },
  };
}

/** Some of the training pictures for the report; none if they are not single files. */
export async function picturesOf(dataset: Dataset): Promise<Picture[]> {
  if (!(dataset instanceof ImageFileDataset)) return [];
  // Decoding pictures to be looked at is not for every training's start.
  const { balancedFiles } = await import('../vision/datasets/sheets.js');
  const { thumbnailPng } = await import('../vision/images/thumbnail.js');
  try {
    const images = Math.min(maxPictures, Math.max(minPictures, 2 * dataset.classNames.length));
    const nameOf = fileNames(dataset);
    return await Promise.all(
      balancedFiles(dataset, images).map(async (file) => ({
        image: await thumbnailPng(file.path, thumbnailSize),
        label: dataset.classNames[file.label] ?? 'picture',
        caption: nameOf(file.path),
      })),
    );
  } catch (error) {
    // Pictures from the cache may no longer exist as files, and the package that decodes them may be missing.
    if (error instanceof FileError || error instanceof PackageError) return [];
    throw error;
  }
}

function screeningFor(
  evaluation: Evaluation,
  { config, state, weightsSha256 }: RunFolder,
  final: FinalEvaluation | null,
): Screening | undefined {
  const positive = positiveOf(config);
  const metrics = final === null ? screeningOf(evaluation, positive, null) : final.screening;
  if (metrics === null || positive === null) return undefined;
  const { data } = config;
  const { operatingPoint } = appliedChoice(final?.choice ?? null, false);
  return {
    metrics,
    positiveName: positive.name,
    otherName: positive.other,
    operatingRule: describePoint(operatingPoint),
    screeningTest: isScreening(config),
    dataSha256: data.eval.sha256,
    // In the middle of an epoch the saved weights are not those that were evaluated.
    ...(state.training.batch === 0 && { weightsSha256 }),
    synthetic: data.synthetic,
  };
}

/** The calibration of the last weights, on validation and test images; undefined without one. */
function calibrationOf(results: readonly FinalEvaluation[]): CalibrationReport | undefined {
  const last = results.filter(({ weights }) => weights === 'last');
  const choice = last[0]?.choice ?? null;
  const { calibrator } = appliedChoice(choice, false);
  if (choice === null || calibrator === null) return undefined;
  const sets = last.flatMap(({ split, calibration }) =>
    calibration?.after ? [{ name: `${split} images`, before: calibration.before, after: calibration.after }] : [],
  );
  return { description: describeFit(calibrator, choice), sets };
}

async function mistakesOf(
  { mistakes }: Evaluation,
  data: Dataset,
  { name, classNames, images: asked }: RunConfig['data'],
): Promise<MistakePicture[]> {
  const kind = namedDataset(name);
  const fileOf = (index: number) =>
    data instanceof ImageFileDataset ? fileNames(data)(data.files[index].path) : `${kind.evalName} image ${index}`;
  if (mistakes.length === 0) return [];
  const { images, shape } = await readBatch(
    data,
    Uint32Array.from(mistakes, ({ index }) => index),
  );
  const size = images.length / mistakes.length;
  const drawn = Promise.all(
    mistakes.map(async ({ index, label, predicted, probabilities }, i) => ({
      image: await kind.picture(
        { image: images.subarray(i * size, (i + 1) * size), shape: shape.slice(1), label },
        asked ?? preprocessing(),
      ),
      truth: classNames[label],
      predicted: classNames[predicted],
      probability: probabilities[predicted],
      caption: fileOf(index),
    })),
  );
  return drawn.catch((error: unknown) => {
    // A report without pictures is still useful.
    if (error instanceof PackageError) return [];
    throw error;
  });
}

/** Names files by their paths below the folder that holds all files of a data set: `cat/IMG_1.jpg`. */
function fileNames({ files }: ImageFileDataset): (path: string) => string {
  let root = dirname(files[0]?.path ?? '');
  const isBelow = ({ path }: { readonly path: string }) => path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
  while (!files.every(isBelow) && dirname(root) !== root) root = dirname(root);
  return (path) => relative(root, path).split(sep).join('/');
}
