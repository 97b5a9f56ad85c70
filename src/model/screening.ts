import { type OperatingPoint, type ScreeningFigures, screeningFigures } from '../metric/index.js';
import type { Evaluation } from './evaluate.js';

/** The probabilities of class 1 from those of two classes. */
export function secondClass(probabilities: Float32Array): Float32Array {
  return Float32Array.from({ length: probabilities.length / 2 }, (_, i) => probabilities[2 * i + 1]);
}

/** With two classes, the figures of the second one; else null. */
export function screeningOf(
  { labels, probabilities, samples }: Pick<Evaluation, 'labels' | 'probabilities' | 'samples'>,
  operatingPoint: OperatingPoint | null,
): ScreeningFigures | null {
  if (probabilities.length !== 2 * samples) return null;
  const scores = secondClass(probabilities);
  return screeningFigures({ labels, scores, ...(operatingPoint && { operatingPoint }) });
}
