import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Layer } from '../../nn/layer.js';
import { type OperatingPoint, type ScreeningMetrics, wilsonInterval } from '../../statistics/index.js';
import { bestFile } from '../../train/callbacks/bestWeights.js';
import type { Evaluation } from '../../train/evaluation.js';
import type { OpenedSplit } from '../catalog/datasets.js';
import { namedModel } from '../catalog/models.js';
import type { RunConfig, SplitRecord } from '../config.js';
import { screeningOf } from '../decision.js';
import type { RunFolder } from '../folder.js';
import { positiveOf } from '../positive.js';
import { bestPredictionsFile, predictionsFile, writePredictions } from '../predictions/file.js';
import { originOf } from '../predictions/origin.js';
import { joinedPredictions, predictionsOf } from '../predictions/predictions.js';
import type { Splits } from '../splits.js';
import { loadBest } from './loadBest.js';
import type { ResultRecord, RunResults } from './record.js';

/** An evaluation after the last epoch, on a part of the data of the run. */
export interface FinalEvaluation {
  readonly weights: 'last' | 'best';
  readonly weightsSha256: string;
  readonly split: 'validation' | 'test';
  /** The images and their labels. */
  readonly data: SplitRecord;
  readonly evaluation: Evaluation;
  /** With two classes: the metrics of the positive one. */
  readonly screening: ScreeningMetrics | null;
}

interface FinishedRun {
  readonly folder: RunFolder;
  readonly network: Layer;
  readonly splits: Splits;
  /** The newest evaluation on the validation images, with the last weights. */
  readonly validation: Evaluation;
  evaluate(network: Layer, split: OpenedSplit): Promise<Evaluation>;
}

/**
 * Evaluates a finished training once: the last weights, and the best ones if they were kept, on the
 * validation images and on the test images if there are some. Every prediction goes to a table in the run
 * folder.
 */
export async function finalEvaluations(run: FinishedRun): Promise<FinalEvaluation[]> {
  const { folder, network, validation } = run;
  const { config, state, weightsSha256 } = folder;
  const last = { which: 'last', network, sha256: weightsSha256, operatingPoint: state.operatingPoint } as const;
  const found = await withWeights(run, last, validation);
  if (!keepsBest(folder)) return found;
  const other = namedModel(config.model.name).create(config.model.options, config.model.inputShape).eval();
  const best = { which: 'best', network: other, ...(await loadBest(folder, other)), operatingPoint: null } as const;
  return [...found, ...(await withWeights(run, best, null))];
}

/** Whether the run has the weights of its best epoch. */
function keepsBest({ config, path }: RunFolder): boolean {
  return config.recipe.techniques?.saveBest !== undefined && existsSync(join(path, bestFile));
}

interface Weights {
  readonly which: 'last' | 'best';
  readonly network: Layer;
  readonly sha256: string;
  readonly operatingPoint: OperatingPoint | null;
}

async function withWeights(
  { folder, splits, evaluate }: FinishedRun,
  weights: Weights,
  validation: Evaluation | null,
): Promise<FinalEvaluation[]> {
  const { which, network, sha256, operatingPoint } = weights;
  const { config } = folder;
  const { classNames } = config.data;
  const parts = [
    {
      split: 'validation' as const,
      images: splits.eval,
      evaluation: validation ?? (await evaluate(network, splits.eval)),
    },
    ...(splits.test === null
      ? []
      : [{ split: 'test' as const, images: splits.test, evaluation: await evaluate(network, splits.test) }]),
  ];
  const predictions = parts.map(({ split, images, evaluation }) =>
    predictionsOf(evaluation, images, split, classNames),
  );
  const records = parts.map(({ split }) => ({ split, ...recordOf(config, split) }));
  const origin = originOf(
    config,
    [{ which, sha256 }],
    operatingPoint,
    records.map(({ split, images, sha256: digest }) => ({ split, images, sha256: digest })),
  );
  const file = which === 'last' ? predictionsFile : bestPredictionsFile;
  await writePredictions(join(folder.path, file), joinedPredictions(predictions), origin);
  return parts.map(({ split, evaluation }) => ({
    weights: which,
    weightsSha256: sha256,
    split,
    data: recordOf(config, split),
    evaluation,
    screening: screeningOf(evaluation, positiveOf(config), operatingPoint),
  }));
}

function recordOf({ data }: RunConfig, split: 'validation' | 'test'): SplitRecord {
  return split === 'test' && data.test !== undefined ? data.test : data.eval;
}

/** The records of the evaluations after a training. */
export function resultsOf(evaluations: readonly FinalEvaluation[]): RunResults {
  return { format: 1, evaluations: evaluations.map(resultOf) };
}

function resultOf({ weights, weightsSha256, split, data, evaluation, screening }: FinalEvaluation): ResultRecord {
  const { samples, loss, accuracy, confusion } = evaluation;
  const correct = confusion.reduce((sum, row, i) => sum + row[i], 0);
  const [low, high] = wilsonInterval(correct, samples);
  const { roc: _, precisionRecall: __, ...metrics } = screening ?? {};
  return {
    weights,
    weightsSha256,
    split,
    images: samples,
    dataSha256: data.sha256,
    loss: Number.isFinite(loss) ? loss : null,
    accuracy,
    accuracyInterval: [low, high],
    confusion,
    screening: screening && (metrics as ResultRecord['screening']),
  };
}
