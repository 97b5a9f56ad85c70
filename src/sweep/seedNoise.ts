import { normalQuantile, studentP, studentQuantile, twoSidedP } from '../statistics/distributions.js';
import { mean, standardDeviation } from '../statistics/probabilityMetrics.js';

/** The difference of two recipes. */
export interface RecipeDifference {
  readonly value: number;
  /** 95 % interval. */
  readonly interval: readonly [low: number, high: number];
  readonly pValue: number;
}

/** p-values at and below it are significant. */
export const level = 0.05;
/** Student's distribution with more degrees of freedom is the normal one. */
const mostFreedom = 1e6;

/**
 * Compares two recipes that were trained with the same seeds. Both the images and the seeds are samples: a
 * recipe that is better on these images with these few seeds need not be so with others (Bouthillier et al.,
 * 2021). The variances of both add up; the degrees of freedom are those of Welch and Satterthwaite.
 *
 * @param a metrics of the first recipe, one a seed; `b` those of the other, in the same order
 * @param imageInterval 95 % interval of the difference by resampling images
 */
export function compareOverSeeds(
  a: readonly number[],
  b: readonly number[],
  imageInterval: readonly [low: number, high: number],
): RecipeDifference {
  const differences = a.map((value, i) => value - b[i]);
  const value = mean(differences);
  const seeds = standardDeviation(differences) ** 2 / differences.length;
  const images = ((imageInterval[1] - imageInterval[0]) / (2 * normalQuantile(1 - level / 2))) ** 2;
  const error = Math.sqrt(seeds + images);
  if (error === 0) return { value, interval: [value, value], pValue: value === 0 ? 1 : 0 };
  const freedom = (seeds + images) ** 2 / (seeds ** 2 / (differences.length - 1));
  const isNormal = !(freedom < mostFreedom);
  const half = error * (isNormal ? normalQuantile(1 - level / 2) : studentQuantile(level, freedom));
  const pValue = isNormal ? twoSidedP(value / error) : studentP(value / error, freedom);
  return { value, interval: [value - half, value + half], pValue };
}
