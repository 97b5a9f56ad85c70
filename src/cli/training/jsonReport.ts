import { screeningOf } from '../../run/decision.js';
import { positiveOf } from '../../run/positive.js';
import { choicesIn, resultsOf } from '../../run/results/finalEvaluations.js';
import { optimismNote } from '../../run/results/selection.js';
import type { Run, RunOutcome } from '../../run/run.js';
import type { EpochRecord } from '../../train/history.js';
import { inFlags } from '../flags.js';
import { printJson, type Terminal } from '../terminal.js';
import type { Comparison, TrainingReport } from './report.js';

/** The course of a training as one JSON object per line. */
export class JsonReport implements TrainingReport {
  readonly #run: Run;
  readonly #terminal: Terminal;

  constructor(run: Run, terminal: Terminal) {
    this.#run = run;
    this.#terminal = terminal;
  }

  begin(tensorBoard: boolean): void {
    const { folder, from } = this.#run;
    const notes = this.#run.notes().map(inFlags);
    printJson(this.#terminal, 'train.start', {
      event: 'start',
      run: folder.path,
      config: folder.config,
      understood: this.#run.understood,
      ...(tensorBoard && { tensorBoard: folder.tensorBoardPath }),
      ...(from !== null && { from: { epoch: from.epoch, batch: from.batch } }),
      ...((from !== null || notes.length > 0) && { notes }),
    });
  }

  epoch(record: EpochRecord): void {
    printJson(this.#terminal, 'train.epoch', { event: 'epoch', ...record });
  }

  end({ completed, evaluation, history, results }: RunOutcome, comparison: Comparison | null): void {
    const { folder } = this.#run;
    const { epoch, batch, steps } = folder.state.training;
    const notice = this.#run.notice(history);
    const positive = positiveOf(folder.config);
    printJson(this.#terminal, 'train.end', {
      event: 'end',
      run: folder.path,
      completed,
      epoch,
      batch,
      steps,
      evalLoss: evaluation?.loss ?? null,
      evalAccuracy: evaluation?.accuracy ?? null,
      confusion: evaluation?.confusion ?? null,
      positiveClass: positive?.name ?? null,
      screening:
        completed && evaluation !== null ? (results?.[0].screening ?? screeningOf(evaluation, positive, null)) : null,
      choices: results === null ? [] : choicesIn(results),
      results: results && resultsOf(results).evaluations,
      optimism: completed ? optimismNote(folder.config) : null,
      notice: notice && inFlags(notice),
      ...(comparison !== null && { repeated: comparison }),
    });
  }
}
