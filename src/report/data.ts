import type { ScreeningFigures } from '../metric/index.js';

/**
 * Everything that a run's report shows. Fields that may be missing or not a number are shown as such or left
 * out.
 */
export interface ReportData {
  /** `LeNet on MNIST` */
  readonly title: string;
  /** Shown right under the title, such as why the run ended early. */
  readonly note?: string | undefined;
  /** Name of the evaluated images in headings: `test` (default), `validation`. */
  readonly evalName?: string | undefined;
  /** Name of the loss, for axis and column titles: `cross entropy`. */
  readonly lossName?: string | undefined;
  readonly run: RunFacts;
  /** Left out for an evaluation by itself, which is then all there is. */
  readonly epochs?: readonly EpochFigures[] | undefined;
  /** Images that could not be read and are in none of the metrics; undefined where images are no files. */
  readonly unreadable?: number | undefined;
  /** Evaluation of the final network. */
  readonly evaluation?: Evaluation | undefined;
  /** Wrong answers that the network was surest of, worst first. */
  readonly mistakes?: readonly Mistake[] | undefined;
  /** Some of the training pictures. */
  readonly pictures?: readonly Picture[] | undefined;
  /** Metrics of the decision between two classes. */
  readonly screening?: Screening | undefined;
}

export interface Screening {
  readonly figures: ScreeningFigures;
  /** The class that sensitivity speaks of: `pathologic myopia`. */
  readonly positiveName: string;
  /** The negative class. */
  readonly otherName: string;
  /** Whether the report speaks of a screening test. Default false. */
  readonly screeningTest?: boolean | undefined;
  /** Checksum of the evaluated images and their labels. */
  readonly dataSha256?: string | undefined;
  readonly weightsSha256?: string | undefined;
  /** Whether a program made the images; the report begins with that. Default false. */
  readonly synthetic?: boolean | undefined;
  /**
   * How the operating point was chosen, and on what: `sensitivity of at least 95 % on the training images`.
   */
  readonly operatingRule?: string | undefined;
}

export interface RunFacts {
  readonly model: string;
  readonly parameters: number;
  /** The file that the weights began with. */
  readonly pretrained?: string | undefined;
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
  /** Version of Fovea. */
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

export interface Picture {
  /** A PNG file. */
  readonly image: Uint8Array;
  /** The class that it shows. */
  readonly label: string;
  /** Which picture it is: a file name. */
  readonly caption?: string | undefined;
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
