import * as F from '../tensor/functional.js';
import { binaryCrossEntropy } from '../train/losses.js';
import type { LossFunction } from '../train/objective.js';

interface NamedLoss {
  readonly title: string;
  readonly compute: LossFunction;
  /**
   * The same with smoothed targets: a share of each is spread evenly over all classes (Szegedy et al.,
   * 2016).
   */
  smoothed(share: number): LossFunction;
  /** Number of outputs that a network needs for so many classes. */
  outputs(classes: number): number;
}

const losses = {
  crossEntropy: {
    title: 'cross entropy',
    compute: (outputs, labels, weight) => F.crossEntropy(outputs, labels, { weight }),
    smoothed: (labelSmoothing) => (outputs, labels, weight) =>
      F.crossEntropy(outputs, labels, { weight, labelSmoothing }),
    outputs: (classes) => classes,
  },
  binaryCrossEntropy: {
    title: 'binary cross entropy',
    compute: (outputs, labels, weight) => binaryCrossEntropy(outputs, labels, weight),
    smoothed: (labelSmoothing) => (outputs, labels, weight) =>
      binaryCrossEntropy(outputs, labels, weight, { labelSmoothing }),
    outputs: () => 1,
  },
} as const satisfies Record<string, NamedLoss>;

export type LossName = keyof typeof losses;

export const lossNames = Object.keys(losses) as [LossName, ...LossName[]];

/** A part of a recipe: the name of its loss. */
interface WithLoss {
  readonly loss: LossName;
}

export function lossOf({ loss }: WithLoss): NamedLoss {
  return losses[loss];
}

/** Number of outputs that a network needs for so many classes under the loss of a recipe. */
export function outputsFor({ loss }: WithLoss, classes: number): number {
  return losses[loss].outputs(classes);
}

/** Two classes need one output with binary cross entropy; more need one output each with cross entropy. */
export function lossFor(classes: number): LossName {
  return classes === 2 ? 'binaryCrossEntropy' : 'crossEntropy';
}
