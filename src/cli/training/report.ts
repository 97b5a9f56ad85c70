import type { RunComparison } from '../../run/compare.js';
import type { EpochRecord, TrainOutcome } from '../../train/history.js';

/** Prints the course of a training, as text or as lines of JSON. */
export interface TrainingReport {
  begin(tensorBoard: boolean): void;
  epoch(record: EpochRecord): void;
  /** @param comparison with the run that was repeated */
  end(outcome: TrainOutcome, comparison: Comparison | null): void;
}

export interface Comparison extends RunComparison {
  /** The run that was repeated. */
  readonly run: string;
}
