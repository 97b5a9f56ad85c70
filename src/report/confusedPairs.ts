import { InputError } from '../errors.js';
import type { Confusion } from './data.js';

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

/** Pairs of confused classes, most frequent first. */
export function confusedPairs({ confusion }: Confusion): ConfusedPair[] {
  const pairs = confusion.flatMap((row, truth) => {
    const images = sum(row);
    return row.map((count, predicted) => ({ truth, predicted, count, share: count / images }));
  });
  return pairs.filter((pair) => pair.truth !== pair.predicted && pair.count > 0).sort((a, b) => b.count - a.count);
}
