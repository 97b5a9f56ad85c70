import { join } from 'node:path';
import { intervalReasons } from '../../report/intervalsSection.js';
import { metricTitles } from '../../report/metricTitles.js';
import { describePoint } from '../../run/decision.js';
import { appliedChoice, describeFit, lackingCalibration } from '../../run/decisions/applied.js';
import type { CrossValidation, CrossValidationResults } from '../../run/folds/crossValidation.js';
import { formatCount, formatMetric, formatPercent, formatThreshold } from '../../text/numbers.js';
import { printCalibration } from '../results.js';
import {
  ownCommand,
  print,
  printFacts,
  printJson,
  printSentences,
  printTable,
  quoted,
  type Terminal,
} from '../terminal.js';
import type { TrainCommandOptions } from './open.js';
import { trainRun } from './trainRun.js';

/** Trains the networks of a cross-validation one after the other, and shows their out-of-fold metrics. */
export async function trainFolds(
  all: CrossValidation,
  options: TrainCommandOptions,
  shown: Parameters<typeof trainRun>[2],
): Promise<number> {
  const { terminal, interruption } = shown;
  const { json = false } = options;
  const { folds, path } = all;
  if (!json) for (const note of all.plan.notes) printSentences(terminal, `note: ${note}`);
  for (let number = 1; number <= folds; number++) {
    const run = await all.open(number);
    if (json)
      printJson(terminal, 'train.fold', { event: 'fold', fold: number, of: folds, run: join(path, `fold-${number}`) });
    else print(terminal, `\nFold ${number} of ${folds}${run === null ? ': trained before' : ''}\n`);
    if (run === null) continue;
    const { outcome, report } = await trainRun(run, options, shown);
    report.end(outcome, null);
    if (outcome.completed) continue;
    if (!json) print(terminal, `Continue all folds with:\n  ${ownCommand()} train --resume ${quoted(path)}`);
    return interruption.exitCode;
  }
  const results = await all.finish();
  if (json) {
    const { metrics, choice, test } = results;
    const images = results.predictions.labels.length;
    printJson(terminal, 'train.folds', { event: 'folds', run: path, folds, images, metrics, choice, test });
  } else show(all, results, terminal);
  return interruption.exitCode;
}

function show({ path, folds, plan }: CrossValidation, results: CrossValidationResults, terminal: Terminal): void {
  const { predictions, metrics, choice, test } = results;
  const { group } = plan.record;
  const by = group === undefined ? 'image' : `group (${group})`;
  print(
    terminal,
    `\nOut-of-fold results of ${folds} folds: each of ${formatCount(predictions.labels.length)} images was predicted by the ` +
      'network that was not trained on it',
  );
  const applied = appliedChoice(choice, true);
  const lacking = lackingCalibration(choice);
  const calibration = choice?.calibration ?? null;
  printFacts(terminal, [
    ...(applied.operatingPoint === null
      ? choice?.operatingPoint == null
        ? []
        : [['operating point', `none, because ${applied.lacking}`] as const]
      : [
          [
            'operating point',
            `${formatThreshold(applied.operatingPoint.threshold)}  (${describePoint(applied.operatingPoint)})`,
          ] as const,
        ]),
    ...(choice === null || applied.calibrator === null
      ? []
      : [['calibration', describeFit(applied.calibrator, choice)] as const]),
    ...(lacking === null ? [] : [['calibration', `none, because ${lacking}`] as const]),
    ...(test === null
      ? []
      : [
          [
            'test accuracy',
            `${test.map((share) => formatPercent(share, 1)).join(', ')}  (network of each fold)`,
          ] as const,
        ]),
  ]);
  print(terminal, '');
  const right = (header: string) => ({ header, align: 'right' as const });
  printTable(
    terminal,
    [
      { header: 'metric' },
      right('all'),
      { header: `95 % interval by ${by}` },
      right('mean'),
      right('SD'),
      right('lowest'),
      right('highest'),
    ],
    metrics.map(({ metric, byImage, byGroup, folds: each, mean, standardDeviation }) => {
      const { value, interval } = byGroup ?? byImage;
      const defined = each.filter((one) => one !== null);
      const cell = (number: number | null) => (number === null ? '–' : formatMetric(number));
      return [
        metricTitles[metric],
        cell(value),
        interval === null ? 'none' : `${formatMetric(interval[0])} to ${formatMetric(interval[1])}`,
        cell(mean),
        cell(standardDeviation),
        defined.length === 0 ? '–' : formatMetric(Math.min(...defined)),
        defined.length === 0 ? '–' : formatMetric(Math.max(...defined)),
      ];
    }),
    { indent: 2 },
  );
  print(terminal, '');
  for (const reason of intervalReasons(metrics)) printSentences(terminal, `  ${reason}`);
  print(
    terminal,
    '\nMean, SD, lowest and highest are over the folds. The networks share most of their training images.',
  );
  if (applied.operatingPoint !== null) {
    print(terminal, 'The same predictions chose the operating point, so that metrics at it are optimistic.');
  }
  print(terminal, '');
  if (calibration !== null && 'calibrator' in calibration) printCalibration(terminal, 'Calibration', calibration);
  print(
    terminal,
    `All predictions are in ${join(path, 'predictions.csv')}, the folds in ${join(path, 'folds.csv')}. Continue with:`,
  );
  print(terminal, `  ${ownCommand()} eval ${quoted(join(path, 'fold-1'))}`);
}
