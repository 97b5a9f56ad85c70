/** Values of metrics by name. */
export type MetricValues = Readonly<Record<string, number>>;

/** A sample whose most probable class is not its own. */
export interface Mistake {
  /** Place in the order of the loader: without shuffling, the index in the data set. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Probabilities of all classes. */
  readonly probabilities: Float32Array;
}

/** Result of evaluating a network on a data set. */
export interface Evaluation {
  readonly samples: number;
  /** Mean over all samples. */
  readonly loss: number;
  /** Share of samples whose most probable class is their own. */
  readonly accuracy: number;
  /** `confusion[t][p]`: samples of class t that were predicted as class p. */
  readonly confusion: readonly (readonly number[])[];
  /** The mistakes with the highest probability of the predicted class, worst first. */
  readonly mistakes: readonly Mistake[];
  /** The true class of each sample, in the order of the loader. */
  readonly labels: Int32Array;
  /** `[samples, classes]`, row-major. */
  readonly probabilities: Float32Array;
  /** Outputs of the network, `[samples, outputs]`, row-major: one a class, or one alone for two classes. */
  readonly outputs: Float32Array;
  /** Values of the metrics by name. */
  readonly metrics: MetricValues;
}
