import { InputError } from '../errors.js';
import type { Confusion } from './data.js';

/**
 * Metrics of one class against all others. Undefined values count as 0, as with scikit-learn's
 * `zero_division=0`: precision if no image was predicted as the class, recall if no image is of the class. If
 * both are undefined, the values are NaN.
 */
export interface ClassScores {
  readonly name: string;
  /** Images of this class. */
  readonly images: number;
  /** Share of correct ones among the images predicted as this class. */
  readonly precision: number;
  /** Share of the images of this class that are predicted correctly. */
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
  /** Whether images are of the class or predicted as it. Means include only such classes. */
  readonly counts: boolean;
  readonly undefinedPrecision: boolean;
  readonly undefinedRecall: boolean;
}

/** Images of one class that were predicted as another one. */
export interface ConfusedPair {
  readonly truth: number;
  readonly predicted: number;
  readonly count: number;
  /** Share of all images of the true class. */
  readonly share: number;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Throws unless the confusion matrix is square and has a row for each class. */
export function checkConfusion({ classNames, confusion }: Confusion): void {
  const classes = classNames.length;
  if (confusion.length !== classes || confusion.some((row) => row.length !== classes)) {
    throw new InputError(
      `[report] confusion matrix: expected ${classes} rows of ${classes} counts, one for each class name, ` +
        `got ${confusion.length} rows of ${[...new Set(confusion.map((row) => row.length))].join(' or ')}`,
    );
  }
}

export function countImages({ confusion }: Confusion): number {
  return sum(confusion.map(sum));
}

export function countCorrect({ confusion }: Confusion): number {
  return sum(confusion.map((row, i) => row[i]));
}

export function scoreClasses({ classNames, confusion }: Confusion): ClassScores[] {
  return classNames.map((name, i) => {
    const hits = confusion[i][i];
    const images = sum(confusion[i]);
    const predictions = sum(confusion.map((row) => row[i]));
    const counts = images + predictions > 0;
    const share = (total: number) => (counts && total === 0 ? 0 : hits / total);
    return {
      name,
      images,
      precision: share(predictions),
      recall: share(images),
      f1: (2 * hits) / (images + predictions),
      counts,
      undefinedPrecision: predictions === 0,
      undefinedRecall: images === 0,
    };
  });
}

/** Pairs of confused classes, most frequent first. */
export function confusedPairs({ confusion }: Confusion): ConfusedPair[] {
  const pairs = confusion.flatMap((row, truth) => {
    const images = sum(row);
    return row.map((count, predicted) => ({ truth, predicted, count, share: count / images }));
  });
  return pairs.filter((pair) => pair.truth !== pair.predicted && pair.count > 0).sort((a, b) => b.count - a.count);
}
