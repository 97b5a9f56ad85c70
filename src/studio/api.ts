/** Types of the server's answers, for server and page. */

export interface StudioInfo {
  readonly version: string;
  readonly folder: string;
}

/** An answer in place of another one. */
export interface ApiError {
  readonly error: string;
  /** `input`, `internal`, or a code of a refusal. */
  readonly code: string;
}

/** A run in the list. */
export interface RunRow {
  /** Path below the folder of the studio. */
  readonly name: string;
  readonly model: string;
  readonly data: string;
  readonly started: string;
  readonly seed: number;
  readonly finished: boolean;
  /** Whether a process writes to it. */
  readonly running: boolean;
  readonly epochs: number;
  readonly allEpochs: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  readonly testAccuracy: number | null;
  /** Whether its predictions can be looked at. */
  readonly evaluated: boolean;
}

export interface RunList {
  readonly runs: readonly RunRow[];
  readonly broken: readonly { readonly name: string; readonly problem: string }[];
}

/** One epoch of a curve. */
export interface EpochPoint {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number | null;
  readonly evalLoss: number | null;
  readonly evalAccuracy: number | null;
  readonly imagesPerSecond: number;
}

export interface RunDetails {
  readonly row: RunRow;
  readonly history: readonly EpochPoint[];
  readonly settings: readonly (readonly [name: string, value: string])[];
}
