import { InputError } from '../../errors.js';
import {
  compareModels,
  type McNemar,
  type MetricInput,
  type MetricName,
  type ModelComparison,
  mcnemar,
  metricNames,
  predictedClasses,
} from '../../statistics/index.js';
import { option } from '../../text/option.js';
import { suggestion } from '../../text/suggest.js';
import { positiveClass } from '../positive.js';
import { groupsOf, metricInput } from '../predictions/metricInput.js';
import { matched } from './match.js';
import type { PredictionSource } from './source.js';

export interface CompareOptions {
  /** Part of the data. Default: the first of test, validation and out-of-fold that all have. */
  readonly split?: string | undefined;
  /** Default: the usual ones for two classes, or more. */
  readonly metrics?: readonly string[] | undefined;
  /** With two classes: the positive one. Default: that of the first run. */
  readonly positive?: string | undefined;
  /** Whether to take pictures as independent although they have groups. Default false. */
  readonly byImage?: boolean | undefined;
  /** Whether runs that differ in their seed alone stay apart. Default false: they are one model. */
  readonly each?: boolean | undefined;
  readonly seed?: number | undefined;
}

/** A model of a comparison: a run, or several with the same recipe and other seeds. */
export interface ComparedModel {
  readonly name: string;
  readonly runs: readonly string[];
}

/** A picture that not all models predict alike. */
export interface DifferentPicture {
  readonly file: string;
  readonly group: string | null;
  readonly label: string;
  /** The predicted class of each model; of several seeds the most frequent one. */
  readonly predicted: readonly string[];
  /** Probability of the predicted class, or of the positive one of two; mean over seeds. */
  readonly probabilities: readonly number[];
}

export interface Comparison {
  readonly part: string;
  readonly images: number;
  /** Groups that are resampled; null where pictures are. */
  readonly groups: number | null;
  readonly positive: string | null;
  readonly models: readonly ComparedModel[];
  readonly metrics: readonly ModelComparison[];
  /** McNemar's test of every pair that has no seeds to join; it takes pictures as independent. */
  readonly mcnemar: readonly ({ readonly a: number; readonly b: number } & McNemar)[];
  /** The largest differences of probability first. */
  readonly differences: readonly DifferentPicture[];
}

const ofTwo: readonly MetricName[] = ['auc', 'accuracy', 'sensitivity', 'specificity', 'brierScore'];
const ofMore: readonly MetricName[] = ['accuracy', 'balancedAccuracy', 'auc', 'logLoss'];

/**
 * Compares models on the same pictures by their stored predictions.
 *
 * @throws {InputError} for fewer than two models, other pictures, labels or classes, and unknown metrics
 */
export function comparePredictions(sources: readonly PredictionSource[], options: CompareOptions = {}): Comparison {
  if (sources.length < 2) throw new InputError(`[compare] runs: expected at least two, got ${sources.length}`);
  const { part, predictions } = matched(sources, options.split);
  const { classNames, labels } = predictions[0];
  const positive = positiveClass(classNames, options.positive ?? sources[0].predictions.record.positive ?? undefined);
  const inputs = predictions.map((own, m) => {
    const { record } = sources[m].predictions;
    const threshold = record.positive === positive?.name ? (record.threshold ?? 0.5) : 0.5;
    return metricInput(own, positive && { positive: positive.index, threshold });
  });
  const models = options.each === true ? sources.map((_, i) => [i]) : byRecipe(sources);
  if (models.length < 2) {
    throw new InputError(
      '[compare] runs: expected at least two recipes, got runs that differ in their seed alone; compare each of them with ' +
        option('each'),
    );
  }
  const groups = options.byImage === true ? undefined : groupsOf(predictions[0]);
  const joined = models.map((members) => members.map((i) => inputs[i]));
  const metrics = namesOf(options.metrics, classNames.length).map((metric) =>
    compareModels(joined, metric, { groups, seed: options.seed }),
  );
  return {
    part,
    images: labels.length,
    groups: groups === undefined ? null : new Set(groups).size,
    positive: positive?.name ?? null,
    models: models.map((members) => ({
      name: members.map((i) => sources[i].path).join(' + '),
      runs: members.map((i) => sources[i].path),
    })),
    metrics,
    mcnemar: pairs(models.length).flatMap(([a, b]) => {
      if (joined[a].length + joined[b].length > 2) return [];
      const [x, y] = [joined[a][0], joined[b][0]].map(predictedClasses);
      return { a, b, ...mcnemar({ labels, a: x, b: y }) };
    }),
    differences: differencesOf(predictions[0], joined, positive?.index ?? null),
  };
}

/** Indices of runs with the same recipe, in the order of the first of each. */
function byRecipe(sources: readonly PredictionSource[]): number[][] {
  const found = new Map<string, number[]>();
  sources.forEach(({ recipe, seed, path, predictions }, i) => {
    const key = recipe ?? `${path} ${i}`;
    const own = found.get(key) ?? [];
    const isCopy = own.some(
      (j) => sources[j].seed === seed && sources[j].predictions.record.sha256 === predictions.record.sha256,
    );
    if (isCopy) throw new InputError(`[compare] ${path}: expected another run, got one with the same predictions`);
    found.set(key, [...own, i]);
  });
  return [...found.values()];
}

function namesOf(asked: readonly string[] | undefined, classes: number): readonly MetricName[] {
  if (asked === undefined) return classes === 2 ? ofTwo : ofMore;
  return asked.map((name) => {
    const known = metricNames.find((metric) => metric.toLowerCase() === name.trim().toLowerCase());
    if (known !== undefined) return known;
    throw new InputError(
      `[compare] metric: expected ${metricNames.join(', ')}, got '${name}'${suggestion(name, metricNames)}`,
    );
  });
}

function pairs(count: number): [number, number][] {
  return Array.from({ length: count }, (_, a) => a).flatMap((a) =>
    Array.from({ length: count - a - 1 }, (_, k): [number, number] => [a, a + 1 + k]),
  );
}

function differencesOf(
  { files, groups, labels, classNames }: PredictionSource['predictions'] | ReturnType<typeof matched>['predictions'][0],
  models: readonly (readonly MetricInput[])[],
  positive: number | null,
): DifferentPicture[] {
  const classes = classNames.length;
  const voted = models.map((members) => {
    const each = members.map(predictedClasses);
    return Array.from(labels, (_, i) => mostFrequent(each.map((own) => own[i])));
  });
  const found = files.flatMap((file, i) => {
    if (voted.every((own) => own[i] === voted[0][i])) return [];
    const probabilities = models.map((members, m) => {
      const at = i * classes + (positive ?? voted[m][i]);
      return members.reduce((sum, { probabilities: own }) => sum + own[at], 0) / members.length;
    });
    return {
      file,
      group: groups[i],
      label: classNames[labels[i]],
      predicted: voted.map((own) => classNames[own[i]]),
      probabilities,
    };
  });
  const width = ({ probabilities }: DifferentPicture) => Math.max(...probabilities) - Math.min(...probabilities);
  return found.sort((a, b) => width(b) - width(a));
}

/** The most frequent class; the lowest of equally frequent ones. */
function mostFrequent(votes: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const vote of votes) counts.set(vote, (counts.get(vote) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0][0];
}
