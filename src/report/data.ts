import type { CalibrationSummary, MetricIntervals, ScreeningMetrics } from '../statistics/index.js';

/**
 * All data of a run's report. If optional values are missing or NaN, the report says so or leaves them out.
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
  /** Metrics by epoch. Left out if the report is about an evaluation alone. */
  readonly epochs?: readonly EpochMetrics[] | undefined;
  /** Number of images that could not be read and are in no metric; undefined if images are not files. */
  readonly unreadable?: number | undefined;
  /** Evaluation of the final network. */
  readonly evaluation?: Confusion | undefined;
  /** Wrong predictions with the highest probabilities, worst first. */
  readonly mistakes?: readonly MistakePicture[] | undefined;
  /** Some of the training pictures. */
  readonly pictures?: readonly Picture[] | undefined;
  /** Metrics of the decision between two classes. */
  readonly screening?: Screening | undefined;
  /** Evaluations on test images, which chose nothing. */
  readonly test?: readonly TestEvaluation[] | undefined;
  /** The calibration of probabilities, before and after, on some sets of images. */
  readonly calibration?: CalibrationReport | undefined;
  /** Metrics with 95 % intervals by resampling. */
  readonly intervals?: IntervalReport | undefined;
  /** How far the metrics are optimistic, since there are no test images. */
  readonly optimism?: string | undefined;
}

/** Metrics of some images with their 95 % intervals. */
export interface IntervalReport {
  /** `120 test images`. */
  readonly images: string;
  /** Number of groups, such as patients; null without groups. */
  readonly groups: number | null;
  readonly metrics: readonly MetricIntervals[];
}

export interface CalibrationReport {
  /** `temperature scaling (temperature 1.83), fitted on 80 validation images`. */
  readonly description: string;
  readonly sets: readonly CalibratedSet[];
}

/** Calibration of the probabilities of some images, before and after. */
export interface CalibratedSet {
  /** `validation images`. */
  readonly name: string;
  readonly before: CalibrationSummary;
  readonly after: CalibrationSummary;
}

export interface TestEvaluation {
  /** The epoch of the weights. */
  readonly weights: 'last' | 'best';
  readonly evaluation: Confusion;
  readonly loss: number;
  /** With two classes: the metrics of the positive one. */
  readonly screening?: ScreeningMetrics | undefined;
}

export interface Screening {
  readonly metrics: ScreeningMetrics;
  /** The class that sensitivity is about: `pathologic myopia`. */
  readonly positiveName: string;
  /** The negative class. */
  readonly otherName: string;
  /** Whether the report uses the words for a screening test. Default false. */
  readonly screeningTest?: boolean | undefined;
  /** Checksum of the evaluated images and their labels. */
  readonly dataSha256?: string | undefined;
  readonly weightsSha256?: string | undefined;
  /** Whether a program made the images; the report begins with this fact. Default false. */
  readonly synthetic?: boolean | undefined;
  /**
   * The rule and the images that chose the operating point: `sensitivity of at least 95 % on the validation
   * images`.
   */
  readonly operatingRule?: string | undefined;
}

export interface RunFacts {
  readonly model: string;
  readonly parameters: number;
  /** The file with the initial weights. */
  readonly pretrained?: string | undefined;
  readonly dataset: string;
  /** Source of the data: a folder, a package or an address. */
  readonly source?: string | undefined;
  readonly trainImages?: number | undefined;
  readonly evalImages?: number | undefined;
  /** Optimizer, learning rate, batch size and so on, in the order of the report. */
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
export interface EpochMetrics {
  readonly epoch: number;
  readonly trainLoss?: number | null | undefined;
  readonly evalLoss?: number | null | undefined;
  /** From 0 to 1. */
  readonly evalAccuracy?: number | null | undefined;
  readonly imagesPerSecond?: number | null | undefined;
  readonly seconds?: number | null | undefined;
}

/** Counts of true and predicted classes. */
export interface Confusion {
  readonly classNames: readonly string[];
  /** `confusion[t][p]`: images of class t that were predicted as class p. */
  readonly confusion: readonly (readonly number[])[];
}

export interface Picture {
  /** A PNG file. */
  readonly image: Uint8Array;
  /** The class of the picture. */
  readonly label: string;
  /** Identifies the picture: a file name. */
  readonly caption?: string | undefined;
}

export interface MistakePicture {
  /** A PNG file. */
  readonly image: Uint8Array;
  readonly truth: string;
  readonly predicted: string;
  /** Probability of the predicted class, from 0 to 1. */
  readonly probability: number;
  /** Identifies the image: `test image 1234`, or a file name. */
  readonly caption?: string | undefined;
}
