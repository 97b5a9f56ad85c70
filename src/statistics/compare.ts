import { InputError, ShapeError } from '../errors.js';
import { type Bootstrap, intervalOf } from './bootstrap.js';
import { holm, undistinguished } from './holm.js';
import { mcnemar } from './mcnemar.js';
import { type MetricInput, type MetricName, prepareMetric } from './namedMetrics.js';
import { compareAucs } from './pairedAuc.js';
import { oneAgainstRest, predictedClasses } from './predictions.js';
import { groupNumbers, type Replicates, type ResampleOptions, resample } from './resample.js';
import { type MetricValue, none, type WeightedMetric } from './value.js';

export interface CompareOptions extends Omit<ResampleOptions, 'samples'> {
  /** A difference counts as significant if its adjusted p-value is at most this. Default: 0.05. */
  readonly significance?: number | undefined;
}

/** The difference of two models on the same samples. */
export interface PairComparison {
  /** Indices of the models. */
  readonly a: number;
  readonly b: number;
  /** The metric of `a` minus that of `b`, with its interval by resampling groups. */
  readonly difference: Bootstrap;
  /**
   * The test of the p-value: DeLong's of AUCs, with the variance of groups where there are groups; McNemar's
   * exact one of accuracies, if samples are independent; else the paired bootstrap.
   */
  readonly test: 'delong' | 'mcnemar' | 'bootstrap';
  /** Two-sided, or the reason why there is none. */
  readonly pValue: MetricValue;
  /** The p-value after Holm, for the number of pairs; null if there is no p-value. */
  readonly adjusted: number | null;
}

/** Models compared by one metric on the same samples. */
export interface ModelComparison {
  readonly metric: MetricName;
  /** The metric of each model with its interval. Overlapping intervals do not mean that models are alike. */
  readonly models: readonly Bootstrap[];
  /** Every pair of models. */
  readonly pairs: readonly PairComparison[];
  /** Largest groups of models in which no pair differs significantly. */
  readonly undistinguished: readonly (readonly number[])[];
}

/**
 * Compares models by a metric on the same samples: every pair by its difference with an interval, a test,
 * and Holm's adjustment for the number of pairs. All models get the same resamples.
 *
 * The p-value of the bootstrap is twice the smaller share of differences on one side of 0, with one added to
 * count and number (Davison & Hinkley 1997, section 4.2).
 *
 * @param models predictions of two models or more for the same samples, in the same order; several for one
 *   model, such as those of several seeds, count with the mean of their metric, and the test is the bootstrap
 * @throws {ShapeError | InputError} if the models have different samples, classes or positive classes, or
 *   groups are missing
 */
export function compareModels(
  models: readonly (MetricInput | readonly MetricInput[])[],
  metric: MetricName,
  options: CompareOptions = {},
): ModelComparison {
  const { significance = 0.05, ...resampling } = options;
  if (!(significance > 0 && significance < 1)) {
    throw new InputError(`[compareModels] significance: expected a number between 0 and 1, got ${significance}`);
  }
  if (models.length < 2) throw new InputError(`[compareModels] models: expected at least two, got ${models.length}`);
  const repeats = models.map((model) => [model].flat() as readonly MetricInput[]);
  const empty = repeats.findIndex(({ length }) => length === 0);
  if (empty >= 0) throw new InputError(`[compareModels] model ${empty}: expected predictions, got none`);
  checkSameSamples(repeats.flat());
  const all: ResampleOptions = { ...resampling, samples: repeats[0][0].labels.length };
  const { count } = groupNumbers('compareModels', all);
  const prepared = repeats.map((model) => meanOf(model.map((one) => prepareMetric(metric, one))));
  const replicates = resample('compareModels', prepared, all);
  const compared = pairsOf(models.length).map(([a, b]) => {
    const found = differenceOf(replicates[a], replicates[b]);
    const isSingle = repeats[a].length + repeats[b].length === 2;
    const exact = isSingle ? exactTest(metric, repeats[a][0], repeats[b][0], options.groups) : null;
    const { test, pValue } = exact ?? { test: 'bootstrap' as const, pValue: bootstrapP(found) };
    return { a, b, difference: intervalOf(found, count), test, pValue };
  });
  const adjusted = holm(compared.flatMap(({ pValue }) => (pValue.value === null ? [] : [pValue.value])));
  const pairs = compared.map((pair) => {
    return { ...pair, adjusted: pair.pValue.value === null ? null : (adjusted.shift() ?? null) };
  });
  const differ = (i: number, j: number) => {
    return (pairs.find(({ a, b }) => a === i && b === j)?.adjusted ?? 1) <= significance;
  };
  return {
    metric,
    models: replicates.map((own) => intervalOf(own, count)),
    pairs,
    undistinguished: undistinguished(models.length, differ),
  };
}

/** The mean of a metric over several predictions of the same samples. */
function meanOf(metrics: readonly WeightedMetric[]): WeightedMetric {
  if (metrics.length === 1) return metrics[0];
  return (weights) => {
    let sum = 0;
    for (const metric of metrics) {
      const found = metric(weights);
      if (found.value === null) return found;
      sum += found.value;
    }
    return { value: sum / metrics.length };
  };
}

function checkSameSamples(models: readonly MetricInput[]): void {
  const [first] = models;
  models.forEach((model, m) => {
    for (const name of ['classes', 'positive'] as const) {
      if (model[name] === first[name]) continue;
      throw new InputError(
        `[compareModels] ${name} of model ${m}: expected ${first[name]}, as for model 0, got ${model[name]}`,
      );
    }
    if (model.labels.length !== first.labels.length) {
      throw new ShapeError(
        `[compareModels] samples of model ${m}: expected the ${first.labels.length} of model 0, got ${model.labels.length}`,
      );
    }
    const other = first.labels.findIndex((label, i) => label !== model.labels[i]);
    if (other < 0) return;
    throw new InputError(
      `[compareModels] label ${other} of model ${m}: expected ${first.labels[other]}, as for model 0, got ` +
        `${model.labels[other]}; compare predictions of the same samples in the same order`,
    );
  });
}

function pairsOf(models: number): [a: number, b: number][] {
  return Array.from({ length: models }, (_, a) => a).flatMap((a) =>
    Array.from({ length: models - a - 1 }, (_, k): [number, number] => [a, a + 1 + k]),
  );
}

function differenceOf(a: Replicates, b: Replicates): Replicates {
  const reason = a.reason ?? b.reason;
  return {
    value: a.value - b.value,
    ...(reason === undefined ? {} : { reason }),
    replicates: a.replicates.map((value, i) => value - b.replicates[i]),
    jackknife: a.jackknife.map((value, i) => value - b.jackknife[i]),
  };
}

/** The test without resamples; null if the metric has none. */
function exactTest(
  metric: MetricName,
  a: MetricInput,
  b: MetricInput,
  groups: CompareOptions['groups'],
): { test: 'delong' | 'mcnemar'; pValue: MetricValue } | null {
  if (metric === 'accuracy' && groups === undefined) {
    const { exact } = mcnemar({ labels: a.labels, a: predictedClasses(a), b: predictedClasses(b) });
    return { test: 'mcnemar', pValue: { value: exact } };
  }
  const positive = a.positive ?? (a.classes === 2 ? 1 : null);
  if (metric !== 'auc' || positive === null) return null;
  const tested = compareAucs(oneAgainstRest(a, positive), oneAgainstRest(b, positive).scores, { groups });
  return { test: 'delong', pValue: tested.value === null ? tested : { value: tested.pValue } };
}

function bootstrapP({ reason, replicates }: Replicates): MetricValue {
  if (reason !== undefined) return none(reason);
  const defined = replicates.filter((value) => !Number.isNaN(value));
  if (defined.length < 0.9 * replicates.length) return none('the metric has no value on many of the resamples');
  if (defined.every((value) => value === 0)) return none('the models have the same value on all resamples');
  const [below, above] = [defined.filter((value) => value <= 0).length, defined.filter((value) => value >= 0).length];
  return { value: Math.min(1, (2 * (Math.min(below, above) + 1)) / (defined.length + 1)) };
}
