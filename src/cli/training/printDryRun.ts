import type { DryRun } from '../../measure/dryRun.js';
import { formatBytes } from '../../memory.js';
import { namedDataset } from '../../run/catalog/datasets.js';
import { formatCount, formatDuration } from '../../text/numbers.js';
import { inFlags } from '../flags.js';
import { print, printFacts, printJson, printSentences, type Terminal } from '../terminal.js';
import { startFacts, startTitle } from './startFacts.js';

/** Prints what `train --dry-run` has found out. */
export function printDryRun(found: DryRun, terminal: Terminal, json: boolean): void {
  const { run, plan, notes, batch, memory, time } = found;
  const { config, data } = run;
  const { parts, passedOver } = data;
  const { working, resident, budget, total } = memory;
  if (json) {
    printJson(terminal, 'train.dry-run', {
      event: 'dry-run',
      config,
      folds: plan?.record.folds ?? null,
      understood: { parts, passedOver, notes: data.notes },
      memory: { batch, bytes: total, working, parametersAndStates: resident, available: budget },
      time,
      notes: notes.map(inFlags),
    });
    return;
  }
  print(terminal, startTitle(config));
  printFacts(terminal, [
    ...startFacts(config, data),
    ['inputs of a step', [batch, ...run.inputShape].map(formatCount).join('×')],
    [
      'memory of a step',
      `${formatBytes(total)} of ${formatBytes(budget)} (${formatBytes(resident)} are parameters and states)`,
    ],
    ['estimated time', timeLine(found)],
    ['estimated from', basisLine(found)],
  ]);
  for (const note of notes) printSentences(terminal, `note: ${inFlags(note)}`);
  if (run.training.transfer?.keepsFeatures(1)) {
    printSentences(terminal, 'note: the estimate leaves out the steps on stored features, which take little time');
  }
  print(terminal, '\nThis was a dry run. Nothing was trained to the end or written.');
}

function timeLine({ run, plan, time }: DryRun): string {
  const { epochs } = run.config.recipe;
  const folds = plan === null ? '' : ` for each of ${plan.record.folds} folds`;
  const what = `${formatCount(epochs)} ${epochs === 1 ? 'epoch' : 'epochs'}${folds}, with evaluations`;
  return `about ${formatDuration(Math.max(0.1, time.seconds))} (${what})`;
}

function basisLine({ run, time }: DryRun): string {
  const { batchMs, timedBatches, imageMs, timedImages } = time;
  const { evalName } = namedDataset(run.config.data.name);
  const ms = (value: number) => `${Number(value.toPrecision(3))} ms`;
  return (
    `${formatCount(timedBatches)} ${timedBatches === 1 ? 'batch' : 'batches'} of ${ms(batchMs)} each, and ` +
    `${formatCount(timedImages)} ${evalName} images of ${ms(imageMs)} each`
  );
}
