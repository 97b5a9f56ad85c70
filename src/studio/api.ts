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

/** An option of a training, as the form shows it. */
export interface FormOption {
  readonly key: string;
  readonly flag: string;
  /** English, as on the command line. */
  readonly help: string;
  readonly default: string;
  readonly kind: 'flag' | 'number' | 'text';
  readonly choices: readonly string[] | null;
  /** Whether most people want to see it. */
  readonly usual: boolean;
}

export interface ModelChoice {
  readonly name: string;
  readonly title: string;
  readonly inputShape: readonly number[];
  readonly recipe: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly lr: number;
    readonly optimizer: string;
  };
}

export interface TrainForm {
  readonly models: readonly ModelChoice[];
  readonly options: readonly FormOption[];
  readonly data: readonly string[];
}

export interface TrainingRequest {
  readonly model: string;
  readonly data: string;
  readonly out: string;
  readonly options: Readonly<Record<string, string>>;
}

/** A training of the queue. */
export interface Job {
  readonly id: string;
  /** Its run folder. */
  readonly run: string;
  /** Arguments of the command line. */
  readonly words: readonly string[];
  readonly state: 'waiting' | 'running' | 'stopped' | 'failed' | 'finished';
  /** Why it failed. */
  readonly message: string | null;
}

export interface TrainingList {
  readonly jobs: readonly Job[];
  /** Whether the queue waits for a person. */
  readonly held: boolean;
}

export interface TrainingEstimate {
  readonly words: readonly string[];
  readonly stepMs: number;
  readonly imagesPerSecond: number;
  readonly memoryBytes: number;
  readonly secondsPerEpoch: number | null;
  readonly seconds: number | null;
}
