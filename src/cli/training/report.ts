import type { RunComparison } from '../../run/compare.js';
import type { RunOutcome } from '../../run/run.js';
import type { EpochRecord } from '../../train/history.js';

/** Prints the course of a training, as text or as lines of JSON. */
export interface TrainingReport {
  begin(tensorBoard: boolean): void;
  epoch(record: EpochRecord): void;
  /** @param comparison with the run that was repeated */
  end(outcome: RunOutcome, comparison: Comparison | null): void;
}

export interface Comparison extends RunComparison {
  /** The run that was repeated. */
  readonly run: string;
}
