import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Layer } from '../../nn/layer.js';
import {
  type CalibrationSummary,
  type Calibrator,
  calibrationSummary,
  type ScreeningMetrics,
  wilsonInterval,
} from '../../statistics/index.js';
import { bestFile } from '../../train/callbacks/bestWeights.js';
import type { Evaluation } from '../../train/evaluation.js';
import type { OpenedSplit } from '../catalog/datasets.js';
import { namedModel } from '../catalog/models.js';
import type { RunConfig, SplitRecord } from '../config.js';
import { decisionRule, screeningOf } from '../decision.js';
import { appliedChoice } from '../decisions/applied.js';
import { calibratedEvaluation } from '../decisions/calibrated.js';
import { chooseDecision, samplesOf, wantsChoice } from '../decisions/choose.js';
import type { DecisionChoice } from '../decisions/record.js';
import type { RunFolder } from '../folder.js';
import { positiveOf } from '../positive.js';
import { bestPredictionsFile, predictionsFile, writePredictions } from '../predictions/file.js';
import { type PredictionIntervals, predictionIntervals, usualIntervalImages } from '../predictions/intervals.js';
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
  /** How well the probabilities of the network agree with shares, and those after its calibration. */
  readonly calibration: { readonly before: CalibrationSummary; readonly after: CalibrationSummary | null } | null;
  /** Threshold and calibration that the validation images chose for these weights. */
  readonly choice: DecisionChoice | null;
  /** Intervals by image and by group; null for more than 1,000 images. */
  readonly intervals: PredictionIntervals | null;
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
 * validation images and on the test images if there are some. The validation images choose threshold and
 * calibration before that. Every prediction goes to a table in the run folder.
 */
export async function finalEvaluations(run: FinishedRun): Promise<FinalEvaluation[]> {
  const { folder, network, validation } = run;
  const { config, weightsSha256 } = folder;
  const last = { which: 'last', network, sha256: weightsSha256, validation } as const;
  const all: (Weights & { readonly choice: DecisionChoice | null })[] = [{ ...last, choice: chosen(config, last) }];
  if (keepsBest(folder)) {
    const other = namedModel(config.model.name).create(config.model.options, config.model.inputShape).eval();
    const { sha256 } = await loadBest(folder, other);
    const best = {
      which: 'best',
      network: other,
      sha256,
      validation: await run.evaluate(other, run.splits.eval),
    } as const;
    all.push({ ...best, choice: chosen(config, best) });
  }
  const choices = all.flatMap(({ choice }) => choice ?? []);
  if (choices.length > 0) await folder.writeDecisions(choices);
  const found: FinalEvaluation[] = [];
  for (const weights of all) found.push(...(await withWeights(run, weights, weights.choice)));
  return found;
}

/** Threshold and calibration, chosen on the validation images. */
function chosen(config: RunConfig, { which, sha256, validation }: Weights): DecisionChoice | null {
  // The predictions of all folds together choose, when all have been trained.
  if (!wantsChoice(config) || config.data.fold !== undefined) return null;
  return chooseDecision(config, samplesOf(validation), { weights: which, weightsSha256: sha256, part: 'validation' });
}

/** Whether the run has the weights of its best epoch. */
function keepsBest({ config, path }: RunFolder): boolean {
  return config.recipe.techniques?.saveBest !== undefined && existsSync(join(path, bestFile));
}

interface Weights {
  readonly which: 'last' | 'best';
  readonly network: Layer;
  readonly sha256: string;
  readonly validation: Evaluation;
}

async function withWeights(
  { folder, splits, evaluate }: FinishedRun,
  { which, network, sha256, validation }: Weights,
  choice: DecisionChoice | null,
): Promise<FinalEvaluation[]> {
  const { config } = folder;
  const { classNames } = config.data;
  const applied = appliedChoice(choice, config.operatingRule !== null);
  const { operatingPoint, calibrator } = applied;
  const computed = [
    { split: 'validation' as const, images: splits.eval, raw: validation },
    ...(splits.test === null
      ? []
      : [{ split: 'test' as const, images: splits.test, raw: await evaluate(network, splits.test) }]),
  ];
  const parts = computed.map((part) => ({ ...part, evaluation: calibratedEvaluation(part.raw, calibrator) }));
  const predictions = parts.map(({ split, images, evaluation }) =>
    predictionsOf(evaluation, images, split, classNames),
  );
  const records = parts.map(({ split }) => ({ split, ...recordOf(config, split) }));
  const origin = originOf(
    config,
    [{ which, sha256 }],
    applied,
    records.map(({ split, images, sha256: digest }) => ({ split, images, sha256: digest })),
  );
  const file = which === 'last' ? predictionsFile : bestPredictionsFile;
  await writePredictions(join(folder.path, file), joinedPredictions(predictions), origin);
  const positive = positiveOf(config);
  const decision = positive && decisionRule(positive, operatingPoint);
  return parts.map(({ split, evaluation, raw }, i) => ({
    weights: which,
    weightsSha256: sha256,
    split,
    data: recordOf(config, split),
    evaluation,
    screening: screeningOf(evaluation, positive, operatingPoint),
    calibration: summariesOf(config, raw, calibrator),
    choice,
    intervals: evaluation.samples > usualIntervalImages ? null : predictionIntervals(predictions[i], decision),
  }));
}

/** Calibration before and after; null if an output is not finite. */
function summariesOf(
  config: RunConfig,
  raw: Evaluation,
  calibrator: Calibrator | null,
): FinalEvaluation['calibration'] {
  const { labels, logits } = samplesOf(raw);
  if (!logits.every(Number.isFinite)) return null;
  const data = { labels, logits, classes: config.data.classNames.length };
  const positive = positiveOf(config)?.index === 0 ? 0 : 1;
  return {
    before: calibrationSummary(data, null, positive),
    after: calibrator && calibrationSummary(data, calibrator, positive),
  };
}

function recordOf({ data }: RunConfig, split: 'validation' | 'test'): SplitRecord {
  return split === 'test' && data.test !== undefined ? data.test : data.eval;
}

/** Thresholds and calibrations of a finished training, one for each of its weights. */
export function choicesIn(evaluations: readonly FinalEvaluation[]): DecisionChoice[] {
  return evaluations.flatMap(({ split, choice }) => (split === 'validation' && choice !== null ? [choice] : []));
}

/** The records of the evaluations after a training. */
export function resultsOf(evaluations: readonly FinalEvaluation[]): RunResults {
  return { format: 1, evaluations: evaluations.map(resultOf) };
}

function resultOf({
  weights,
  weightsSha256,
  split,
  data,
  evaluation,
  screening,
  calibration,
  intervals,
}: FinalEvaluation): ResultRecord {
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
    calibration,
    intervals,
  };
}
