import * as check from '../check.js';
import { InputError, ShapeError } from '../errors.js';

/** Scores of samples of two classes. Class 1 is the positive one (the disease). */
export interface BinaryScores {
  /** The true class of each sample, 0 or 1. */
  readonly labels: Int32Array | Uint8Array;
  /** The predicted probability of class 1 for each sample, from 0 to 1. */
  readonly scores: Float32Array | Float64Array;
}

/** Counts of samples that score at least a threshold. Each score that occurs is one, the highest first. */
export interface Sweep {
  readonly thresholds: number[];
  readonly truePositives: number[];
  readonly falsePositives: number[];
}

const labelArray = check.rule('an Int32Array or Uint8Array', (x) => x instanceof Int32Array || x instanceof Uint8Array);
const scoreArray = check.rule('a Float32Array or Float64Array', (x) => {
  return x instanceof Float32Array || x instanceof Float64Array;
});

/**
 * @param where the function that was called, for messages
 * @throws {ShapeError} if there are not as many scores as labels
 * @throws {InputError} if there are none, a label is neither 0 nor 1, or a score no probability
 */
export function checkBinaryScores(where: string, data: BinaryScores): void {
  check.requireValue(where, 'data', data, check.record);
  const { labels, scores } = data;
  check.requireValue(where, 'labels', labels, labelArray);
  check.requireValue(where, 'scores', scores, scoreArray);
  if (scores.length !== labels.length) {
    throw new ShapeError(`[${where}] scores: expected one for each of ${labels.length} labels, got ${scores.length}`);
  }
  if (labels.length === 0) throw new InputError(`[${where}] labels: expected at least one sample, got none`);
  const label = labels.findIndex((value) => value !== 0 && value !== 1);
  if (label >= 0) throw new InputError(`[${where}] label ${label}: expected 0 or 1, got ${labels[label]}`);
  const score = scores.findIndex((value) => !(value >= 0 && value <= 1));
  if (score >= 0) {
    const hint = 'apply sigmoid or softmax to the outputs of a network first';
    throw new InputError(
      `[${where}] score ${score}: expected a probability from 0 to 1, got ${scores[score]}; ${hint}`,
    );
  }
}

export function countPositives({ labels }: BinaryScores): number {
  let positives = 0;
  for (const label of labels) positives += label;
  return positives;
}

/** Indices of the samples, the highest score first. */
export function sortByScore(scores: BinaryScores['scores']): Uint32Array {
  return Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
}

export function sweep({ labels, scores }: BinaryScores): Sweep {
  const thresholds: number[] = [];
  const truePositives: number[] = [];
  const falsePositives: number[] = [];
  const order = sortByScore(scores);
  let positives = 0;
  order.forEach((sample, i) => {
    positives += labels[sample];
    if (i + 1 < order.length && scores[order[i + 1]] === scores[sample]) return;
    thresholds.push(scores[sample]);
    truePositives.push(positives);
    falsePositives.push(i + 1 - positives);
  });
  return { thresholds, truePositives, falsePositives };
}
