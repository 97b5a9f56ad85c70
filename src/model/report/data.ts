/** Everything that a run's report shows. Fields that may be missing or not a number are shown as such or left out. */
export interface ReportData {
  /** `LeNet on MNIST` */
  readonly title: string;
  /** Shown right under the title, such as why the run ended early. */
  readonly note?: string | undefined;
  /** What the judged images are called in headings: `test` (default), `validation`. */
  readonly evalName?: string | undefined;
  /** What the loss is, for axis and column titles: `cross entropy`. */
  readonly lossName?: string | undefined;
  readonly run: RunFacts;
  readonly epochs: readonly EpochFigures[];
  /** How the final network did on the judged images. */
  readonly evaluation?: Evaluation | undefined;
  /** Wrong answers that the network was surest of, worst first. */
  readonly mistakes?: readonly Mistake[] | undefined;
}

export interface RunFacts {
  readonly model: string;
  readonly parameters: number;
  readonly dataset: string;
  /** Where the data came from: a folder, a package, an address. */
  readonly source?: string | undefined;
  readonly trainImages?: number | undefined;
  readonly evalImages?: number | undefined;
  /** Optimizer, learning rate, batch size and so on, in the order they are shown. */
  readonly recipe: Readonly<Record<string, string | number>>;
  readonly seed: number;
  readonly engine: string;
  /** `oneDNN 2.6.3` */
  readonly library?: string | undefined;
  readonly threads: number;
  /** Of Fovea. */
  readonly version: string;
  readonly started: Date;
  readonly ended: Date;
}

/** One line of `metrics.jsonl`. */
export interface EpochFigures {
  readonly epoch: number;
  readonly trainLoss?: number | null | undefined;
  readonly evalLoss?: number | null | undefined;
  /** From 0 to 1. */
  readonly evalAccuracy?: number | null | undefined;
  readonly imagesPerSecond?: number | null | undefined;
  readonly seconds?: number | null | undefined;
}

export interface Evaluation {
  readonly classNames: readonly string[];
  /** `confusion[t][p]`: images of class t that were taken for class p. */
  readonly confusion: readonly (readonly number[])[];
}

export interface Mistake {
  /** A PNG file. */
  readonly image: Uint8Array;
  readonly truth: string;
  readonly predicted: string;
  /** That the network gave the predicted class, from 0 to 1. */
  readonly probability: number;
  /** Which image it is: `test image 1234`, a file name. */
  readonly caption?: string | undefined;
}
