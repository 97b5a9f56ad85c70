import { calibrate, type MetricInput } from '../../statistics/index.js';
import type { Predictions } from './predictions.js';

/**
 * Predictions as metrics take them.
 *
 * @param decision of two classes, the positive one and the probability from which on it is predicted; null
 *   for the most probable class
 */
export function metricInput(
  { labels, probabilities, classNames }: Pick<Predictions, 'labels' | 'probabilities' | 'classNames'>,
  decision: { readonly positive: number; readonly threshold: number } | null,
): MetricInput {
  const classes = classNames.length;
  if (decision === null) return { labels, probabilities, classes };
  const { positive, threshold } = decision;
  const predicted = Uint8Array.from(labels, (_, i) =>
    probabilities[classes * i + positive] >= threshold ? positive : 1 - positive,
  );
  return { labels, probabilities, classes, positive, predicted };
}

/** Probabilities without any calibration, in float32 as those of a network. */
export function plainProbabilities({ logits, classNames }: Pick<Predictions, 'logits' | 'classNames'>): Float32Array {
  return Float32Array.from(calibrate({ method: 'temperature', temperature: 1 }, logits, classNames.length));
}

/** The groups of all samples; undefined if a sample has none. */
export function groupsOf({ groups }: Pick<Predictions, 'groups'>): readonly string[] | undefined {
  const known = groups.flatMap((group) => group ?? []);
  return known.length === groups.length ? known : undefined;
}
