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

/** The layers of a network, in the order in which an image passes them. */
export interface NetworkLayers {
  readonly model: string;
  /** `[C, H, W]` */
  readonly input: readonly number[];
  /** Number of logits. */
  readonly outputs: number;
  readonly layers: readonly {
    readonly name: string;
    /** Shape of the output for one image: `[1, …]`. */
    readonly shape: readonly number[];
    readonly parameters: number;
  }[];
  readonly parameters: number;
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
  readonly stepMs: number;
  readonly imagesPerSecond: number;
  /** All epochs and evaluations. */
  readonly seconds: number;
  /** Memory of a step, with parameters and states. */
  readonly memoryBytes: number;
  readonly availableBytes: number;
  readonly notes: readonly string[];
}

/** The predictions of a run for a part of its data. */
export interface EvaluationView {
  readonly run: string;
  readonly data: string;
  readonly parts: readonly string[];
  readonly part: string;
  readonly classNames: readonly string[];
  readonly images: number;
  readonly accuracy: number;
  /** Its 95 % interval. */
  readonly interval: readonly [number, number] | null;
  /** Rows are true classes, columns predicted ones. */
  readonly confusion: readonly (readonly number[])[];
  /** By class. */
  readonly recall: readonly (number | null)[];
  readonly precision: readonly (number | null)[];
  /** The decision between two classes; null with more. */
  readonly binary: BinaryView | null;
  /** Whether labels can be corrected: the data are single files. */
  readonly canRelabel: boolean;
}

export interface BinaryView {
  readonly positive: string;
  readonly other: string;
  /** That of the run, or the one that was asked for. */
  readonly threshold: number;
  readonly auc: number | null;
  readonly roc: readonly RocPoint[];
  /** Pictures by score, of both classes. */
  readonly histogram: readonly {
    readonly low: number;
    readonly high: number;
    readonly counts: readonly [number, number];
  }[];
}

export interface RocPoint {
  readonly threshold: number | null;
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
}

/** A threshold, and its consequences at a prevalence. */
export interface ThresholdView {
  readonly threshold: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
  readonly sensitivity: number | null;
  readonly specificity: number | null;
  readonly ppv: number | null;
  readonly npv: number | null;
  /** Among a thousand people or things of which the prevalence has it. */
  readonly perThousand: { readonly missed: number; readonly falseAlarms: number };
}

/** A picture with its prediction. */
export interface SampleView {
  readonly sample: number;
  readonly file: string;
  readonly label: string;
  readonly predicted: string;
  /** Probability of the predicted class. */
  readonly probability: number;
}

export interface SampleList {
  readonly total: number;
  readonly samples: readonly SampleView[];
}

export interface SampleDetails extends SampleView {
  /** Its file, below the folder of the studio if it is there; null for data that are no single files. */
  readonly path: string | null;
  readonly group: string | null;
  readonly probabilities: readonly number[];
  /** The label that was proposed in relabel.csv; null without one. */
  readonly relabelled: string | null;
}

export interface ExplanationView {
  readonly method: string;
  readonly layer: string | null;
  readonly class: string;
  /** Addresses of data: pictures. */
  readonly overlay: string;
  readonly picture: string;
  readonly verdict: string | null;
}

/** Maps were put into the report of a run. */
export interface ReportAnswer {
  /** Below the folder of the studio. */
  readonly report: string;
  /** Pictures whose maps the report has now, as the command line takes them; null for data without files. */
  readonly files: readonly (string | null)[];
}

export interface RelabelAnswer {
  /** Folder for `--fixes`. */
  readonly fixes: string;
}

export interface DataChoices {
  /** As in `folder:photos`. */
  readonly data: readonly string[];
  /** Names of archives, which must be unpacked first. */
  readonly archives: readonly string[];
}

/** The contents of an archive, by its list of names. */
export interface ArchiveLayout {
  readonly name: string;
  /** `palm` for archives that `fovea data palm import` reads, `other` if the names cannot be listed. */
  readonly kind: 'palm' | 'zip' | 'other';
  /** The command that makes data of it; null without a usual one. */
  readonly command: readonly string[] | null;
  /** The data after that command. */
  readonly data: string;
  readonly folders: readonly { readonly folder: string; readonly pictures: number }[];
  /** Files that are no pictures. */
  readonly others: number;
}

/** How a data set was understood. */
export interface DataLayout {
  readonly title: string;
  readonly classNames: readonly string[];
  /** Pictures of each class in each part. */
  readonly parts: readonly { readonly part: string; readonly counts: readonly number[] }[];
  /** Files that are no data, in words; empty without any. */
  readonly passedOver: string;
  readonly notes: readonly string[];
  /** Whether its pictures are single files, about which decisions can be made. */
  readonly isFiles: boolean;
}

export interface DataPicture {
  readonly picture: number;
  readonly name: string;
  readonly label: string;
  readonly part: string;
}

export interface DataPictures {
  readonly total: number;
  readonly pictures: readonly DataPicture[];
}

/** Addresses of data: a picture as a training reads it, and what transforms make of it. */
export interface TransformedPictures {
  /** Width and height of the picture's file, upright; null for data that are no single files. */
  readonly size: readonly [width: number, height: number] | null;
  readonly plain: string;
  readonly changed: readonly string[];
}

/** Something that a person should decide about. */
export interface DataFinding {
  readonly kind: string;
  readonly severity: 'problem' | 'warning';
  readonly message: string;
  readonly files: readonly string[];
  /** Pictures that would better be left out. */
  readonly exclude: readonly string[];
  /** Another label for the first picture. */
  readonly relabel: string | null;
}

export type DataCheckState =
  | { readonly state: 'none' | 'running' }
  | { readonly state: 'failed'; readonly message: string }
  | {
      readonly state: 'done';
      readonly findings: readonly DataFinding[];
      /** Properties that alone predict the class. */
      readonly shortcuts: readonly string[];
      readonly leftOut: readonly string[];
      readonly classNames: readonly string[];
      /** Sizes, formats and cameras, most frequent first, with the pictures of each class. */
      readonly properties: readonly {
        readonly property: 'size' | 'format' | 'camera';
        readonly values: readonly {
          readonly value: string;
          readonly pictures: number;
          readonly counts: readonly number[];
        }[];
      }[];
    };

export interface DataDecisions {
  /** For `--fixes`. */
  readonly folder: string;
  readonly excluded: readonly string[];
  readonly relabelled: Readonly<Record<string, string>>;
}

/** Runs beside each other. */
export interface ComparedRuns {
  readonly runs: readonly RunRow[];
  readonly histories: readonly (readonly EpochPoint[])[];
  /** Only settings that differ. */
  readonly settings: readonly { readonly setting: string; readonly values: readonly (string | null)[] }[];
}

type Interval = readonly [low: number, high: number];

/** Paired tests of runs on the same pictures. */
export interface ComparedTests {
  readonly part: string;
  readonly images: number;
  readonly metrics: readonly {
    readonly name: string;
    readonly models: readonly { readonly value: number | null; readonly interval: Interval | null }[];
    readonly pairs: readonly {
      readonly a: number;
      readonly b: number;
      readonly difference: number | null;
      readonly interval: Interval | null;
      readonly test: 'delong' | 'mcnemar' | 'bootstrap';
      readonly pValue: number | null;
      /** After Holm. */
      readonly adjusted: number | null;
      /** Why there is no p-value. */
      readonly reason: string | null;
    }[];
  }[];
  readonly mcnemar: readonly {
    readonly a: number;
    readonly b: number;
    readonly onlyA: number;
    readonly onlyB: number;
    readonly exact: number;
  }[];
  /** Pictures that are not predicted alike. */
  readonly different: number;
  readonly differences: readonly {
    readonly file: string;
    readonly label: string;
    readonly predicted: readonly string[];
    readonly probabilities: readonly number[];
  }[];
}

/** A picture was added to a class. */
export interface AddedPicture {
  /** As in `folder:mine`. */
  readonly data: string;
  /** Pictures of the class now. */
  readonly inClass: number;
}
