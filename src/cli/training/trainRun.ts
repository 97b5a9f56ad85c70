import { namedDataset } from '../../run/catalog/datasets.js';
import type { Run, RunOutcome } from '../../run/run.js';
import { type ReadingDisplay, TrainingDisplay } from '../display.js';
import type { Interruption } from '../interrupt.js';
import { complain, printJson, type Terminal } from '../terminal.js';
import { JsonReport } from './jsonReport.js';
import type { TrainCommandOptions } from './open.js';
import type { TrainingReport } from './report.js';
import { TextReport } from './textReport.js';

interface Shown {
  readonly terminal: Terminal;
  readonly interruption: Interruption;
  readonly reading: ReadingDisplay;
}

/** Trains a run and shows its course. */
export async function trainRun(
  run: Run,
  { json = false, saveSteps, tensorBoard = false, logEvery }: TrainCommandOptions,
  { terminal, interruption, reading }: Shown,
): Promise<{ readonly outcome: RunOutcome; readonly report: TrainingReport }> {
  const { config } = run.folder;
  const { evalName } = namedDataset(config.data.name);
  const report = json ? new JsonReport(run, terminal) : new TextReport(run, terminal, evalName);
  report.begin(tensorBoard);
  const display = new TrainingDisplay(terminal, {
    logEvery: logEvery ?? config.recipe.logEvery,
    batchSize: config.recipe.batchSize,
    onLine: json ? (line) => printJson(terminal, 'train.batch', { event: 'batch', ...line }) : undefined,
    onEpoch: (record) => report.epoch(record),
  });
  try {
    const outcome = await run.train({
      callbacks: [display],
      signal: interruption.signal,
      saveSteps,
      tensorBoard,
      onProgress: reading.show,
      onNote: (note) => {
        display.end();
        reading.end();
        complain(terminal, note);
      },
    });
    reading.end();
    return { outcome, report };
  } finally {
    display.end();
  }
}
