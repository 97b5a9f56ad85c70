import { InputError } from '../errors.js';
import { wilsonInterval, z95 } from './proportion.js';
import { checkShare } from './share.js';

/** Samples that a study needs. */
export interface StudySize {
  /** Samples of class 1. */
  readonly positives: number;
  readonly negatives: number;
  /** All samples, if class 1 has its prevalence among them. */
  readonly samples: number;
}

/** No study has more samples than this. */
const most = 1e9;

/**
 * The smallest number of samples with which Wilson's 95 % interval of a share reaches at most this far from
 * its middle. The samples have to be independent: count patients, not pictures.
 *
 * @throws {InputError} unless the share is from 0 to 1, and the half-width between 0 and 0.5
 */
export function samplesForShare(share: number, halfWidth: number): number {
  checkShare('samplesForShare', 'share', share);
  checkHalfWidth('samplesForShare', halfWidth);
  return smallest('samplesForShare', (samples) => {
    const [low, high] = wilsonInterval(Math.min(samples, share * samples), samples);
    return (high - low) / 2 <= halfWidth;
  });
}

/**
 * The size of a study whose intervals of sensitivity and specificity are both narrow enough (Buderer, Acad
 * Emerg Med 1996;3:895-900, with Wilson's interval).
 *
 * @param wanted.prevalence share of class 1 among the samples that will come
 * @throws {InputError} for shares that are not from 0 to 1, a prevalence of 0 or 1, or a half-width not
 *   between 0 and 0.5
 */
export function samplesForStudy(wanted: {
  readonly sensitivity: number;
  readonly specificity: number;
  readonly prevalence: number;
  readonly halfWidth: number;
}): StudySize {
  const { sensitivity, specificity, prevalence, halfWidth } = wanted;
  checkPrevalence('samplesForStudy', prevalence);
  const positives = samplesForShare(sensitivity, halfWidth);
  const negatives = samplesForShare(specificity, halfWidth);
  return { positives, negatives, samples: totalOf(positives, negatives, prevalence) };
}

/**
 * The size of a study in which the 95 % interval of the AUC, area ± 1.96 standard errors after Hanley and
 * McNeil (Radiology 1982;143:29-36), is narrow enough.
 *
 * @throws {InputError} unless area and prevalence are between 0 and 1, and the half-width between 0 and 0.5
 */
export function samplesForAuc(wanted: {
  readonly auc: number;
  readonly prevalence: number;
  readonly halfWidth: number;
}): StudySize {
  const { auc, prevalence, halfWidth } = wanted;
  if (!(auc > 0 && auc < 1)) {
    throw new InputError(`[samplesForAuc] auc: expected an area between 0 and 1, got ${auc}`);
  }
  checkPrevalence('samplesForAuc', prevalence);
  checkHalfWidth('samplesForAuc', halfWidth);
  const sizes = (samples: number) => {
    const positives = Math.max(1, Math.round(samples * prevalence));
    return { positives, negatives: Math.max(1, samples - positives) };
  };
  const samples = smallest('samplesForAuc', (count) => {
    const { positives, negatives } = sizes(count);
    return z95 * hanleyMcNeilError(auc, positives, negatives) <= halfWidth;
  });
  return { ...sizes(samples), samples };
}

/** Standard error of an area, from the area and the numbers of samples alone. */
function hanleyMcNeilError(area: number, positives: number, negatives: number): number {
  const [q1, q2] = [area / (2 - area), (2 * area ** 2) / (1 + area)];
  const spread = area * (1 - area) + (positives - 1) * (q1 - area ** 2) + (negatives - 1) * (q2 - area ** 2);
  return Math.sqrt(spread / (positives * negatives));
}

function totalOf(positives: number, negatives: number, prevalence: number): number {
  return Math.ceil(Math.max(positives / prevalence, negatives / (1 - prevalence)) - 1e-9);
}

/** The smallest count that is enough, if all larger ones are. */
function smallest(where: string, isEnough: (count: number) => boolean): number {
  let low = 0;
  let high = 1;
  while (!isEnough(high)) {
    low = high;
    high *= 2;
    if (high > most) throw new InputError(`[${where}] halfWidth: expected one that a billion samples reach`);
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function checkHalfWidth(where: string, halfWidth: number): void {
  if (halfWidth > 0 && halfWidth < 0.5) return;
  throw new InputError(`[${where}] halfWidth: expected a number between 0 and 0.5, got ${halfWidth}`);
}

function checkPrevalence(where: string, prevalence: number): void {
  if (prevalence > 0 && prevalence < 1) return;
  throw new InputError(`[${where}] prevalence: expected a share between 0 and 1, got ${prevalence}`);
}
