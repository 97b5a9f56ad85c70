import { writeFileAtomic } from '../../io/files/atomic.js';
import { describeCalibrator } from '../../report/calibration.js';
import { metricTitles } from '../../report/metricTitles.js';
import { targetOf } from '../../report/operatingPoint.js';
import { screeningFacts } from '../../report/screeningFacts.js';
import { noMedicalDevice } from '../../report/wording.js';
import { namedDataset } from '../../run/catalog/datasets.js';
import { namedModel } from '../../run/catalog/models.js';
import { type DecisionRule, decisionNote, describePoint, screeningOf } from '../../run/decision.js';
import { evaluateRun, openRun, type RunEvaluation, type TrainedRun, writeEvaluation } from '../../run/evaluate.js';
import { recordPath } from '../../run/predictions/file.js';
import { type PredictionIntervals, predictionIntervals, usualIntervalImages } from '../../run/predictions/intervals.js';
import { groupsOf, metricInput } from '../../run/predictions/metricInput.js';
import { renderEvaluationReport } from '../../run/report.js';
import { optimismNote } from '../../run/results/selection.js';
import { imageLoadingOf } from '../../run/runOptionsOf.js';
import { seenNotes } from '../../run/seen.js';
import { compareModels, confusionMetrics, type ModelComparison, wilsonInterval } from '../../statistics/index.js';
import { formatCount, formatMetric } from '../../text/numbers.js';
import type { Evaluation } from '../../train/evaluation.js';
import { ImageFileDataset } from '../../vision/datasets/reading/imageFiles.js';
import { pairCells, valueCells } from '../comparisonCells.js';
import { EvaluationDisplay } from '../display.js';
import { inFlags } from '../flags.js';
import { newFile } from '../newOutput.js';
import { applyEngine, applyPrecision, type EvalCommandOptions } from '../options.js';
import { accuracyFact, hashFacts, printCalibration, printClasses, printConfusion, printIntervals } from '../results.js';
import { print, printFacts, printJson, printSentences, printTable, type Terminal } from '../terminal.js';
import { passedOverFacts } from '../understood.js';
import { evaluateWeightsFile, isWeightsFile } from './evalWeights.js';

export async function evaluate(path: string, options: EvalCommandOptions, terminal: Terminal): Promise<number> {
  applyEngine(options);
  if (isWeightsFile(path)) return evaluateWeightsFile(path, options, terminal);
  const { data, split, dataDir, batchSize, report, predictions, json = false } = options;
  if (report !== undefined) await newFile(report, 'eval', '--report');
  if (predictions !== undefined) {
    for (const path of [predictions, recordPath(predictions)]) await newFile(path, 'eval', '--predictions');
  }
  const { best, positive, threshold, screening } = options;
  const run = await openRun(path, { best, positive, threshold, screening });
  applyPrecision(options.precision, run.folder.config.engine.precision);
  const display = new EvaluationDisplay(terminal, json);
  try {
    const result = await evaluateRun(run, {
      data,
      split,
      dataDir,
      imageLoading: imageLoadingOf(options),
      batchSize,
      tta: options.tta,
      fixes: options.fixes,
      ...display.hooks,
    });
    display.end();
    const intervals =
      options.intervals === true || result.samples <= usualIntervalImages
        ? predictionIntervals(result.predictions, run.decision)
        : null;
    if (report !== undefined) {
      const name = nameOf(result.split, run.folder.config.data.name);
      await writeFileAtomic(report, await renderEvaluationReport(run, result, intervals, name));
    }
    if (predictions !== undefined) await writeEvaluation(predictions, run, result);
    const written = { ...(report !== undefined && { report }), ...(predictions !== undefined && { predictions }) };
    if (json) printJson(terminal, 'eval.run', { ...forMachines(run, result), intervals, ...written });
    else show(run, result, intervals, terminal);
    if (report !== undefined && !json) print(terminal, `\nThe report is in ${report}.`);
    if (predictions !== undefined && !json) {
      print(terminal, `\nEvery prediction is in ${predictions}; its record is ${recordPath(predictions)}.`);
    }
    return 0;
  } finally {
    display.end();
  }
}

function forMachines(run: TrainedRun, result: RunEvaluation) {
  const { folder, weightsSha256, decision, operatingPoint } = run;
  const { model, data } = folder.config;
  const { samples, loss, accuracy, confusion, mistakes, split, sameData, screening, seen, others } = result;
  const correct = confusion.reduce((sum, row, i) => sum + row[i], 0);
  return {
    run: folder.path,
    model: model.name,
    data: data.name,
    epochs: folder.history.length,
    title: result.title,
    synthetic: result.synthetic,
    split,
    images: samples,
    source: result.data.source,
    passedOver: result.understood.passedOver,
    sha256: result.data.sha256,
    sameData,
    trainedOn: seen.trained?.filter(Boolean).length ?? null,
    looksTrainedOn: seen.alike.filter(Boolean).length,
    validatedOn: seen.trained === null ? null : seen.validated,
    others: others && {
      images: others.samples,
      accuracy: others.accuracy,
      accuracyInterval: wilsonInterval(others.accuracy * others.samples, others.samples),
      confusion: others.confusion,
      screening: screeningOf(others, decision?.positive ?? null, operatingPoint, decision?.threshold),
    },
    unreadable: result.data.unreadable,
    notes: result.notes.map(inFlags),
    optimism: split === 'validation' && sameData ? optimismNote(folder.config) : null,
    weightsSha256,
    loss,
    accuracy,
    accuracyInterval: wilsonInterval(correct, samples),
    confusion,
    classes: classesOf(data.classNames, confusion),
    positiveClass: decision?.positive.name ?? null,
    decision: decision && decisionFor(decision, screening),
    lacking: run.lacking,
    screening,
    ...(result.plain !== null && {
      withoutAugmentation: { accuracy: result.plain.accuracy, loss: result.plain.loss },
      gains: gains(run, result, result.plain),
    }),
    calibration: result.calibration && { calibrator: run.calibrator, ...result.calibration },
    mistakes: mistakes.map(({ index, label, predicted, probabilities }) => ({
      index,
      ...fileOf(result, index),
      label: data.classNames[label],
      predicted: data.classNames[predicted],
      probability: probabilities[predicted],
    })),
  };
}

/** The metrics of each class against the rest, and their means. */
function classesOf(classNames: readonly string[], confusion: Evaluation['confusion']) {
  const { perClass, macro, weighted } = confusionMetrics(confusion);
  return { perClass: perClass.map((own, c) => ({ name: classNames[c], ...own })), macro, weighted };
}

/** The threshold by which `predict` decides, and whether it meets its rule on this data. */
function decisionFor({ positive, threshold, operatingPoint }: DecisionRule, metrics: RunEvaluation['screening']) {
  const at = metrics?.atOperatingPoint ?? metrics?.atThreshold;
  return {
    positiveClass: positive.name,
    threshold,
    rule: operatingPoint?.rule ?? null,
    chosenOn: operatingPoint?.part ?? null,
    accuracy: at?.accuracy.value ?? null,
    target: operatingPoint === null || at === undefined ? null : targetOf(operatingPoint.rule, at),
  };
}

/** The name for the images of a part. */
function nameOf(split: RunEvaluation['split'], data: string): string {
  return { train: 'training', validation: namedDataset(data).evalName, test: 'test', all: 'evaluated' }[split];
}

/** The file of a sample, if each sample has one. */
function fileOf({ dataset }: RunEvaluation, index: number): { file?: string } {
  return dataset instanceof ImageFileDataset ? { file: dataset.files[index].path } : {};
}

function show(run: TrainedRun, result: RunEvaluation, intervals: PredictionIntervals | null, terminal: Terminal): void {
  const { folder, weightsSha256, decision, screening } = run;
  const { model, data } = folder.config;
  const { samples, confusion, split, title, synthetic } = result;
  const name = nameOf(split, data.name);
  const epochs = folder.history.length;
  print(terminal, `${namedModel(model.name).title} on ${title}, after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`);
  printFacts(terminal, [
    [`${name} images`, formatCount(samples)],
    ['source', result.data.source],
    ...passedOverFacts(result.understood),
    accuracyFact(confusion),
    ['loss', formatMetric(result.loss)],
    ...(result.screening === null || decision === null
      ? unreadableFacts(result)
      : screeningFacts(result.screening, {
          positive: decision.positive,
          screening,
          unreadable: result.data.unreadable.length,
          operatingRule: describePoint(run.operatingPoint),
        })),
    ...hashFacts(result.data.sha256, weightsSha256),
  ]);
  if (decision !== null) printSentences(terminal, `\n${decisionNote(run)}`);
  if (run.calibrator !== null && result.calibration !== null) {
    print(terminal, '');
    const fit = `Calibration by ${describeCalibrator(run.calibrator)}, on ${formatCount(samples)} ${name} images`;
    printCalibration(terminal, fit, result.calibration);
  }
  if (data.classNames.length > 2) printClasses(terminal, data.classNames, confusion);
  if (intervals !== null) printIntervals(terminal, intervals);
  else
    printSentences(
      terminal,
      '\n  Kappa, AUC and other metrics with their intervals take a while for so many images: --intervals.\n',
    );
  if (result.plain !== null) showPlain(run, result, result.plain, terminal);
  if (screening) printSentences(terminal, `\n${noMedicalDevice}`);
  const optimism = split === 'validation' && result.sameData ? optimismNote(folder.config) : null;
  const notes = [
    ...result.notes.map(inFlags),
    ...(optimism === null ? [] : [optimism]),
    ...seenNotes(result.seen, { images: samples, ...result }),
  ];
  for (const note of notes) printSentences(terminal, `  Note: ${note}`);
  if (synthetic)
    printSentences(terminal, '  Note: these are drawn pictures, not photographs; the metrics say nothing about eyes.');
  print(terminal, '');
  printConfusion(terminal, data.classNames, confusion);
}

/** The evaluation without test-time augmentation, and the paired differences to it. */
function showPlain(run: TrainedRun, result: RunEvaluation, plain: Evaluation, terminal: Terminal): void {
  const right = (header: string) => ({ header, align: 'right' as const });
  print(terminal, '\nTest-time augmentation, compared with the images alone:\n');
  printTable(
    terminal,
    [
      { header: '' },
      right('with'),
      right('without'),
      right('difference'),
      { header: '95 % interval' },
      { header: 'test' },
      right('p'),
      right('p, Holm'),
    ],
    gains(run, result, plain).map(({ metric, models, pairs }) => {
      const [own, other] = models.map((model) => valueCells(model)[0]);
      return [metricTitles[metric], own, other, ...pairCells(pairs[0])];
    }),
    { indent: 2 },
  );
  if (run.operatingPoint !== null || run.calibrator !== null) {
    printSentences(terminal, '\nThreshold and calibration of the run were chosen for images alone.');
  }
}

/** Paired comparisons of an evaluation with that without test-time augmentation. */
function gains({ folder, decision }: TrainedRun, result: RunEvaluation, plain: Evaluation): ModelComparison[] {
  const { classNames } = folder.config.data;
  const by = decision && { positive: decision.positive.index, threshold: decision.threshold };
  const models = [result, plain].map((own) => metricInput({ ...own, classNames }, by));
  const groups = groupsOf(result.predictions);
  const names = ['accuracy', 'auc', 'logLoss'] as const;
  return names.map((metric) => compareModels(models, metric, { groups }));
}

function unreadableFacts({ data }: RunEvaluation): [string, string][] {
  const count = data.unreadable.length;
  return count === 0 ? [] : [['unreadable', `${formatCount(count)}, in none of these metrics`]];
}
