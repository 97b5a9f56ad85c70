import { formatProportion } from '../../report/operatingPoint.js';
import { screeningFacts } from '../../report/screeningFacts.js';
import { noMedicalDevice } from '../../report/wording.js';
import { isScreening } from '../../run/config.js';
import { describePoint, screeningOf } from '../../run/decision.js';
import { appliedChoice, describeFit, lackingCalibration } from '../../run/decisions/applied.js';
import { unreadableOf } from '../../run/imageLoading.js';
import { positiveOf } from '../../run/positive.js';
import type { FinalEvaluation } from '../../run/results/finalEvaluations.js';
import { optimismNote } from '../../run/results/selection.js';
import type { Run, RunOutcome } from '../../run/run.js';
import { inWords } from '../../text/list.js';
import {
  formatCount,
  formatDuration,
  formatMetric,
  formatPercent,
  formatRate,
  formatThreshold,
} from '../../text/numbers.js';
import type { EpochRecord } from '../../train/history.js';
import { inFlags } from '../flags.js';
import { accuracyFact, hashFacts, printCalibration, printConfusion, printIntervals } from '../results.js';
import { ownCommand, print, printFacts, printSentences, quoted, type Terminal } from '../terminal.js';
import type { Comparison, TrainingReport } from './report.js';
import { startFacts, startTitle } from './startFacts.js';

/** The course of a training as text for people. */
export class TextReport implements TrainingReport {
  readonly #run: Run;
  readonly #terminal: Terminal;
  readonly #evalName: string;

  constructor(run: Run, terminal: Terminal, evalName: string) {
    this.#run = run;
    this.#terminal = terminal;
    this.#evalName = evalName;
  }

  begin(tensorBoard: boolean): void {
    const { folder, from } = this.#run;
    print(this.#terminal, startTitle(folder.config));
    printFacts(this.#terminal, [
      ...startFacts(folder.config, this.#run.understood),
      ['run folder', folder.path],
      ...(tensorBoard ? [['TensorBoard', `tensorboard --logdir ${quoted(folder.tensorBoardPath)}`] as const] : []),
      ...(from === null ? [] : [['continues', `epoch ${from.epoch}, after batch ${formatCount(from.batch)}`] as const]),
    ]);
    for (const note of this.#run.notes()) printSentences(this.#terminal, `note: ${inFlags(note)}`);
    print(this.#terminal, '');
  }

  /** The metrics on test images, or how far the others are optimistic. */
  #test(results: readonly FinalEvaluation[]): void {
    const { config } = this.#run.folder;
    const optimism = optimismNote(config);
    if (optimism !== null) print(this.#terminal, `note: ${optimism}\n`);
    const test = results.filter(({ split }) => split === 'test');
    if (test.length === 0) return;
    print(this.#terminal, `${formatCount(test[0].evaluation.samples)} test images, which chose nothing:`);
    printFacts(this.#terminal, test.flatMap(testFacts));
    print(this.#terminal, '');
  }

  /** The calibration of the last weights, before and after. */
  #calibration(results: readonly FinalEvaluation[]): void {
    for (const { weights, split, choice, calibration, evaluation } of results) {
      if (weights !== 'last' || choice === null || calibration === null) continue;
      const lacking = lackingCalibration(choice);
      if (lacking !== null && split === 'validation') {
        printSentences(this.#terminal, `note: there is no calibration, because ${lacking}\n`);
      }
      const { before, after } = calibration;
      const { calibrator } = appliedChoice(choice, false);
      if (after === null || calibrator === null) continue;
      const images = `${formatCount(evaluation.samples)} ${split} images`;
      const fit = split === 'validation' ? describeFit(calibrator, choice) : `on ${images}, which chose nothing`;
      printCalibration(this.#terminal, `Calibration, ${fit}`, { before, after });
    }
  }

  epoch(record: EpochRecord): void {
    const { epoch, trainLoss, trainAccuracy, evalLoss, evalAccuracy, imagesPerSecond, seconds } = record;
    const isEvaluated = evalLoss !== null && evalAccuracy !== null;
    const parts = [
      `epoch ${epoch}/${this.#run.folder.config.recipe.epochs}`,
      `training loss ${formatMetric(trainLoss)}`,
      ...(trainAccuracy === undefined ? [] : [`accuracy ${formatPercent(trainAccuracy)}`]),
      ...(isEvaluated
        ? [`${this.#evalName} loss ${formatMetric(evalLoss)}`, `accuracy ${formatPercent(evalAccuracy)}`]
        : []),
      formatDuration(seconds),
      `${formatRate(imagesPerSecond).replace('/s', '')} images/s`,
    ];
    print(this.#terminal, parts.join('  '));
  }

  end({ completed, evaluation, history, results }: RunOutcome, comparison: Comparison | null): void {
    const { folder } = this.#run;
    const { training } = folder.state;
    const notice = this.#run.notice(history);
    if (notice !== null) printSentences(this.#terminal, `\n${inFlags(notice)}`);
    const command = ownCommand();
    const path = quoted(folder.path);
    const result =
      evaluation === null
        ? ''
        : `: ${formatPercent(evaluation.accuracy)} of ${formatCount(evaluation.samples)} ${this.#evalName} images right, ` +
          `loss ${formatMetric(evaluation.loss)}`;
    const { epochs, techniques } = folder.config.recipe;
    const early =
      history.length < epochs ? ` after epoch ${history.length} of ${epochs}, as it no longer improved` : '';
    if (completed) printSentences(this.#terminal, `\nDone${early}${result}.`);
    else {
      printSentences(
        this.#terminal,
        `\nStopped in epoch ${training.epoch} after ${formatCount(training.batch)} batches; the state is saved. Continue with:`,
      );
      print(this.#terminal, `  ${command} train --resume ${path}\n`);
    }
    const positive = positiveOf(folder.config);
    if (completed && evaluation !== null && positive !== null) {
      const final = results?.[0] ?? null;
      const screening = final === null ? screeningOf(evaluation, positive, null) : final.screening;
      const choice = appliedChoice(final?.choice ?? null, folder.config.operatingRule !== null);
      const { classNames, eval: evaluated } = folder.config.data;
      const isTest = isScreening(folder.config);
      const about = {
        positive,
        screening: isTest,
        unreadable: unreadableOf(folder.config.data).eval,
        operatingRule: describePoint(choice.operatingPoint),
      };
      printFacts(this.#terminal, [
        accuracyFact(evaluation.confusion),
        ...(screening === null ? [] : screeningFacts(screening, about)),
        ...(choice.lacking === null ? [] : [['operating point', `none, because ${choice.lacking}`] as const]),
        ...hashFacts(evaluated.sha256, folder.weightsSha256),
      ]);
      print(this.#terminal, '');
      printConfusion(this.#terminal, classNames, evaluation.confusion);
      print(this.#terminal, '');
      if (isTest) printSentences(this.#terminal, `${noMedicalDevice}\n`);
    }
    if (results !== null) {
      const { intervals } = results.find(({ split }) => split === 'test') ?? results[0] ?? { intervals: null };
      // Without groups the intervals above say the same.
      if (intervals?.groups != null) printIntervals(this.#terminal, intervals);
      this.#calibration(results);
      this.#test(results);
    }
    if (comparison !== null) printSentences(this.#terminal, `${comparisonLine(comparison)}\n`);
    const files = ['weights', 'optimizer', 'metrics', ...(folder.hasReport ? ['report.html'] : [])];
    printSentences(this.#terminal, `${capitalized(inWords(files))} are in ${folder.path}. Continue with:`);
    print(this.#terminal, `  ${command} eval ${path}${techniques?.saveBest === undefined ? '' : ' --best'}`);
    print(this.#terminal, `  ${command} predict ${path} IMAGE…`);
  }
}

function testFacts({ weights, evaluation, screening }: FinalEvaluation): [string, string][] {
  const [, accuracy] = accuracyFact(evaluation.confusion);
  const at = screening && (screening.atOperatingPoint ?? screening.atThreshold);
  const shares = at && [
    `sensitivity ${formatProportion(at.sensitivity)}`,
    `specificity ${formatProportion(at.specificity)}`,
  ];
  return [
    [`${weights} weights`, `accuracy ${accuracy}`],
    ...(screening === null || shares === null
      ? []
      : [
          [
            '',
            [
              `AUC ${screening.auc.value === null ? `none, because ${screening.auc.reason};` : screening.auc.value.toFixed(4)}`,
              ...shares,
              `at ${formatThreshold(at?.threshold ?? 0)}`,
            ].join('  '),
          ] as [string, string],
        ]),
  ];
}
const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function comparisonLine({ run, equal, differences }: Comparison): string {
  const what = `Repeated ${run}`;
  if (equal === true) return `${what}: all weights are equal, bit by bit.`;
  const why = differences.length === 0 ? '' : ` (${differences.join('; ')})`;
  if (equal === null) return `${what}, which has not done the same epochs: the weights cannot be compared${why}.`;
  return differences.length > 0
    ? `${what}: the weights are others${why}.`
    : `${what}: the weights are others, although seed, version, engine and machine are the same.`;
}
