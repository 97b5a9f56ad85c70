import type { Evaluation } from '../../train/evaluation.js';
import type { OpenedSplit, Split } from '../catalog/datasets.js';

/** Every prediction of a network, sample by sample, with the truth. */
export interface Predictions {
  /** In the order of labels, probabilities and logits. */
  readonly classNames: readonly string[];
  /** Name of each sample: its file below the place of the data; or `test image 17`. */
  readonly files: readonly string[];
  /** Part of the data of each: `validation`, `test` …, or `fold-3`, in which it was held out. */
  readonly splits: readonly string[];
  /** The group of each, such as a patient; null where there are no groups. */
  readonly groups: readonly (string | null)[];
  /** The true class of each. */
  readonly labels: Int32Array;
  /** `[samples, classes]`, row-major. */
  readonly probabilities: Float32Array;
  /**
   * `[samples, classes]`, row-major. Softmax makes the probabilities of them. A network with one output has
   * it for the second class, and 0 for the first.
   */
  readonly logits: Float32Array;
}

/** The predictions of an evaluation. */
export function predictionsOf(
  { labels, probabilities, outputs }: Pick<Evaluation, 'labels' | 'probabilities' | 'outputs'>,
  split: Pick<OpenedSplit, 'nameOf' | 'groupOf'>,
  part: Split | `fold-${number}`,
  classNames: readonly string[],
): Predictions {
  const indices = Array.from(labels.keys());
  return {
    classNames,
    files: indices.map((i) => split.nameOf(i)),
    splits: indices.map(() => part),
    groups: indices.map((i) => split.groupOf(i)),
    labels,
    probabilities,
    logits: logitsOf(outputs, labels.length),
  };
}

/** One logit a class. @param outputs `[samples, outputs]` */
export function logitsOf(outputs: Float32Array, samples: number): Float32Array {
  if (outputs.length !== samples) return outputs;
  return Float32Array.from({ length: 2 * samples }, (_, i) => (i % 2 === 0 ? 0 : outputs[i >> 1]));
}

/** The predictions of one part of the data. */
export function partOf(all: Predictions, part: string): Predictions {
  const wanted = all.splits.flatMap((split, i) => (split === part ? [i] : []));
  return selected(all, wanted);
}

/** The predictions for some samples, in a given order. */
export function selected(all: Predictions, indices: readonly number[]): Predictions {
  const { classNames, files, splits, groups, labels, probabilities, logits } = all;
  const classes = classNames.length;
  const rows = (values: Float32Array) =>
    concatenated(indices.map((i) => values.subarray(i * classes, (i + 1) * classes)));
  return {
    classNames,
    files: indices.map((i) => files[i]),
    splits: indices.map((i) => splits[i]),
    groups: indices.map((i) => groups[i]),
    labels: Int32Array.from(indices, (i) => labels[i]),
    probabilities: rows(probabilities),
    logits: rows(logits),
  };
}

/** Predictions of several parts of the data, by the same classes, one after the other. */
export function joinedPredictions(parts: readonly Predictions[]): Predictions {
  return {
    classNames: parts[0].classNames,
    files: parts.flatMap(({ files }) => files),
    splits: parts.flatMap(({ splits }) => splits),
    groups: parts.flatMap(({ groups }) => groups),
    labels: Int32Array.from(parts.flatMap(({ labels }) => Array.from(labels))),
    probabilities: concatenated(parts.map(({ probabilities }) => probabilities)),
    logits: concatenated(parts.map(({ logits }) => logits)),
  };
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
