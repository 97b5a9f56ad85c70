import type { TrainedRun } from '../../../run/evaluate.js';
import type { RunFeaturesOptions } from '../../../run/features/features.js';
import { Progress } from '../../../text/progress.js';
import type { Terminal } from '../../terminal.js';

/** The command while it works. */
export interface Work {
  readonly run: TrainedRun;
  /** Folder of the results. */
  readonly out: string;
  readonly terminal: Terminal;
  readonly json: boolean;
  /** The images of the run that are read. */
  readonly reading: RunFeaturesOptions & { readonly seed: number };
}

/** Shows the progress of work on a terminal. */
export async function watched<T>(
  terminal: Terminal,
  label: string,
  body: (onBatch: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  const mode = terminal.stderr.isTTY === true ? 'auto' : 'silent';
  const shown: Progress[] = [];
  try {
    return await body((done, total) => {
      if (shown.length === 0) {
        shown.push(new Progress({ label, total, unit: 'images', stream: terminal.stderr, mode, patient: true }));
      }
      shown[0].update(done);
    });
  } finally {
    for (const progress of shown) progress.stop();
  }
}
