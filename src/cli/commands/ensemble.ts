import { existsSync, statSync } from 'node:fs';
import { metricTitles } from '../../report/metricTitles.js';
import { ensembleOf } from '../../run/comparison/ensemble.js';
import { type PredictionSource, readSource } from '../../run/comparison/source.js';
import { RunFolder } from '../../run/folder.js';
import { recordPath, writePredictions } from '../../run/predictions/file.js';
import type { OperatingRule } from '../../statistics/index.js';
import { formatCount, formatMetric, formatPercent, formatThreshold } from '../../text/numbers.js';
import { pairCells, valueCells } from '../comparisonCells.js';
import { newFile } from '../newOutput.js';
import { print, printJson, printSentences, printTable, type Terminal } from '../terminal.js';

interface EnsembleCommandOptions {
  readonly best?: boolean;
  readonly split?: string;
  readonly metrics?: string;
  readonly positive?: string;
  readonly byImage?: boolean;
  readonly seed?: number;
  readonly predictions?: string;
  readonly json?: boolean;
}

const mostShown = 10;

/** Averages the saved predictions of several runs, and compares the ensemble with each of them. */
export async function ensemble(
  paths: readonly string[],
  options: EnsembleCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const { predictions: file, json = false, metrics, ...how } = options;
  if (file !== undefined) {
    for (const path of [file, recordPath(file)]) await newFile(path, 'ensemble', '--predictions');
  }
  const members: PredictionSource[] = [];
  for (const path of paths) members.push(await readSource(path, options.best));
  const found = ensembleOf(members, { ...how, metrics: metrics?.split(','), rule: await ruleOf(paths[0]) });
  const { part, threshold, predictions, comparison, disagreement, disagreementAuc } = found;
  if (file !== undefined) {
    const { record } = members[0].predictions;
    await writePredictions(file, predictions, {
      model: `ensemble of ${members.length}`,
      started: record.started,
      weights: members.flatMap((member) => member.predictions.record.weights),
      parts: record.parts.filter(({ split }) => predictions.splits.includes(split)),
      positive: comparison.positive,
      threshold,
      synthetic: members.some((member) => member.predictions.record.synthetic),
    });
  }
  if (json) {
    const { thresholdChosen } = found;
    printJson(terminal, 'ensemble.result', { threshold, thresholdChosen, ...comparison, disagreementAuc });
    return 0;
  }
  print(
    terminal,
    `Ensemble of ${members.length} on ${formatCount(comparison.images)} ${part} images: mean probabilities`,
  );
  if (threshold !== null) {
    const how = found.thresholdChosen ? "chosen on the ensemble's validation predictions" : 'the more probable class';
    print(
      terminal,
      `The positive class is ${comparison.positive}; the threshold of the ensemble is ${formatThreshold(threshold)}, ${how}.`,
    );
  }
  const right = (header: string) => ({ header, align: 'right' as const });
  for (const { metric, models, pairs } of comparison.metrics) {
    print(terminal, `\n${metricTitles[metric]}\n`);
    printTable(
      terminal,
      [
        { header: '' },
        right('value'),
        { header: '95 % interval' },
        right('ensemble − it'),
        { header: '95 % interval' },
        { header: 'test' },
        right('p'),
        right('p, Holm'),
      ],
      models.map((own, i) => {
        const name = i === 0 ? 'ensemble' : paths[i - 1];
        return [name, ...valueCells(own), ...(i === 0 ? ['', '', '', '', ''] : pairCells(pairs[i - 1]))];
      }),
      { indent: 2 },
    );
  }
  print(terminal, '\nWhere the members disagree most (standard deviation of the probability of the predicted class)\n');
  const order = Array.from(disagreement.keys()).sort((a, b) => disagreement[b] - disagreement[a]);
  printTable(
    terminal,
    [{ header: 'image' }, { header: 'true class' }, right('disagreement')],
    order
      .slice(0, mostShown)
      .map((i) => [
        predictions.files[i],
        predictions.classNames[predictions.labels[i]],
        formatPercent(disagreement[i], 1),
      ]),
    { indent: 2 },
  );
  printSentences(
    terminal,
    disagreementAuc === null
      ? '\nAll predictions of the ensemble are right, or all wrong: disagreement cannot separate them.'
      : `\nA wrong prediction has more disagreement than a right one with a probability of ${formatMetric(disagreementAuc)} (0.5 is chance).`,
  );
  if (file !== undefined) print(terminal, `\nThe predictions of the ensemble are in ${file}; compare takes them.`);
  return 0;
}

/** The rule of the first run; null for a table. */
async function ruleOf(path: string): Promise<OperatingRule | null> {
  if (!statSync(path).isDirectory() || !existsSync(`${path}/config.json`)) return null;
  return (await RunFolder.begun(path)).config.operatingRule;
}
