import { join } from 'node:path';
import { FoveaError, messageOf } from '../errors.js';
import { RandomGenerator } from '../random.js';
import { RunFolder } from '../run/folder.js';
import { predictionsFile, readPredictions } from '../run/predictions/file.js';
import { normalQuantile } from '../statistics/distributions.js';
import { holm } from '../statistics/holm.js';
import { compareModels, type MetricInput, wilsonInterval } from '../statistics/index.js';
import { mean, standardDeviation } from '../statistics/probabilityMetrics.js';
import type { Json } from '../text/json.js';
import {
  costOf,
  freshSeeds,
  type Progress,
  type Result,
  ranked,
  searched,
  type Trial,
  trialCount,
  trialsOf,
} from './decide.js';
import { plainValues, type SweepDefinition } from './definition.js';
import { type Importance, importances } from './importance.js';
import { compareOverSeeds, level } from './seedNoise.js';
import { placeOf, type Values } from './space.js';
import { folderOf } from './trial.js';

/** Mean and spread of a metric over seeds. */
export interface OverSeeds {
  readonly values: readonly number[];
  readonly mean: number;
  /** Standard deviation; 0 for one value. */
  readonly deviation: number;
}

/** A recipe that was trained with the fresh seeds. */
export interface Candidate {
  /** Number of the trial; 0 for the plain recipe. */
  readonly trial: number;
  readonly values: Values;
  /** The metric in the search; null for the plain recipe. */
  readonly inSearch: number | null;
  readonly fresh: OverSeeds;
}

export interface SweepSummary {
  readonly format: 1;
  readonly metric: 'accuracy' | 'loss';
  readonly trials: {
    readonly asked: number;
    readonly whole: number;
    readonly stopped: number;
    readonly failed: number;
  };
  readonly seconds: number;
  /** The plain recipe over the fresh seeds: the noise of the seed. */
  readonly plain: OverSeeds | null;
  /** Best first, by their means over the fresh seeds; the plain recipe is among them. */
  readonly candidates: readonly Candidate[];
  /**
   * Candidates that cannot be distinguished from the first one, itself included; null without a comparison.
   */
  readonly group: readonly number[] | null;
  /** Why there is no comparison. */
  readonly noComparison: string | null;
  /** Metrics of the first candidate minus those of others, over images and seeds, with adjusted p-values. */
  readonly differences: readonly {
    readonly trial: number;
    readonly difference: number | null;
    readonly interval: readonly [number, number] | null;
    readonly adjusted: number | null;
  }[];
  /** How much of the best metric of the search was luck. */
  readonly luck: { readonly best: number; readonly fresh: number; readonly expected: number } | null;
  /** The first candidate on test images, which chose nothing. */
  readonly test: {
    readonly images: number;
    readonly accuracy: number;
    readonly interval: readonly [number, number];
  } | null;
  /** Values of the first candidate at the border of their ranges. */
  readonly borders: readonly { readonly key: string; readonly value: Json; readonly end: 'low' | 'high' }[];
  readonly importance: readonly Importance[];
  readonly failures: readonly { readonly trial: number; readonly why: string; readonly reason: string }[];
}

/** Images of a comparison are resampled in at most so many groups, which keeps it short. */
const mostGroups = 400;
/** A value in this part of its range, at either end, is at the border. */
const borderShare = 0.05;

/** The results of a sweep. They depend on the folder alone, and exist before the end too. */
export async function summaryOf(
  folder: string,
  definition: SweepDefinition,
  progress: Progress,
): Promise<SweepSummary> {
  const results = [...progress.results.values()];
  const trials = trialsOf(progress);
  const whole = ranked(progress, definition);
  const candidates = candidatesOf(definition, results, whole);
  const compared = await comparisonOf(folder, definition, candidates);
  const [first] = candidates;
  const plain = overSeeds(results.filter(({ job }) => job.kind === 'plain'));
  return {
    format: 1,
    metric: definition.settings.metric,
    trials: {
      asked: trialCount(definition),
      whole: whole.length,
      failed: trials.filter(({ results: own }) => own.some(({ value }) => value === null)).length,
      stopped: trials.filter(({ results: own }) => {
        return own.every(({ value }) => value !== null) && own[own.length - 1].job.epochs < definition.epochs;
      }).length,
    },
    seconds: results.reduce((sum, { seconds }) => sum + seconds, 0),
    plain,
    candidates,
    ...compared,
    luck: luckOf(whole, candidates),
    test: first === undefined ? null : await testOf(folder, definition, first),
    borders: first === undefined ? [] : bordersOf(definition, first.values),
    importance: importances(
      definition.parameters,
      trials.map(({ values, results: own }) => ({
        values: searched(definition, values),
        cost: costOf(own[0], definition),
      })),
      new RandomGenerator(definition.settings.seed).fork('importance'),
    ),
    failures: results.flatMap(({ job, failure }) => (failure === null ? [] : [{ trial: job.trial, ...failure }])),
  };
}

/** In the order of the seeds: with several workers they may end in another one. */
function overSeeds(results: readonly Result[]): OverSeeds | null {
  const ordered = [...results].sort((a, b) => a.job.seed - b.job.seed);
  const values = ordered.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === 0) return null;
  return { values, mean: mean(values), deviation: values.length < 2 ? 0 : standardDeviation(values) };
}

/** The repeated trials and the plain recipe, if all their seeds are done. */
function candidatesOf(definition: SweepDefinition, results: readonly Result[], whole: readonly Trial[]): Candidate[] {
  const { metric, seeds } = definition.settings;
  const of = (trial: number, values: Values, inSearch: number | null): Candidate[] => {
    const kind = trial === 0 ? 'plain' : 'repeat';
    const fresh = overSeeds(results.filter(({ job }) => job.kind === kind && job.trial === trial));
    return fresh === null || fresh.values.length < seeds ? [] : [{ trial, values, inSearch, fresh }];
  };
  const found = [
    ...whole.flatMap(({ id, values, results: own }) => of(id, values, own[own.length - 1].value)),
    ...of(0, plainValues(definition), null),
  ];
  const sign = metric === 'accuracy' ? -1 : 1;
  return found.sort((a, b) => sign * (a.fresh.mean - b.fresh.mean) || a.trial - b.trial);
}

type Compared = Pick<SweepSummary, 'group' | 'noComparison' | 'differences'>;

/** Compares the best candidate with each other one, on the same validation images with the same seeds. */
async function comparisonOf(
  folder: string,
  definition: SweepDefinition,
  candidates: readonly Candidate[],
): Promise<Compared> {
  const none = (noComparison: string): Compared => ({ group: null, noComparison, differences: [] });
  if (candidates.length < 2) return none('there are not two recipes with all seeds');
  try {
    const found = await Promise.all(candidates.map(({ trial }) => predictionsOver(folder, definition, trial)));
    const images = found[0].labels.length / definition.settings.seeds;
    const groups = Array.from(found[0].labels, (_, i) => (i % images) % Math.min(images, mostGroups));
    const metric = definition.settings.metric === 'accuracy' ? 'accuracy' : 'logLoss';
    const [first, ...others] = candidates;
    const compared = others.map(({ trial, fresh }, i) => {
      const [{ difference }] = compareModels([found[0], found[i + 1]], metric, { groups, resamples: 1000 }).pairs;
      const { interval } = difference;
      return { trial, ...(interval !== null && compareOverSeeds(first.fresh.values, fresh.values, interval)) };
    });
    const adjusted = holm(compared.map(({ pValue = 1 }) => pValue));
    return {
      group: [first.trial, ...compared.filter((_, i) => adjusted[i] > level).map(({ trial }) => trial)].sort(
        (a, b) => a - b,
      ),
      noComparison: null,
      differences: compared.map(({ trial, value = null, interval = null, pValue }, i) => ({
        trial,
        difference: value,
        interval,
        adjusted: pValue === undefined ? null : adjusted[i],
      })),
    };
  } catch (error) {
    if (!(error instanceof FoveaError)) throw error;
    return none(messageOf(error));
  }
}

/** The predictions of a recipe for the validation images, one seed after the other. */
async function predictionsOver(folder: string, definition: SweepDefinition, trial: number): Promise<MetricInput> {
  const labels: number[] = [];
  const probabilities: number[] = [];
  let classes = 0;
  for (const seed of freshSeeds(definition)) {
    const table = await readPredictions(join(pathOf(folder, definition, trial, seed), predictionsFile));
    classes = table.classNames.length;
    for (const [i, split] of table.splits.entries()) {
      if (split !== 'validation') continue;
      labels.push(table.labels[i]);
      for (let c = 0; c < classes; c++) probabilities.push(table.probabilities[i * classes + c]);
    }
  }
  return { labels: Int32Array.from(labels), probabilities: Float32Array.from(probabilities), classes };
}

function pathOf(folder: string, definition: SweepDefinition, trial: number, seed: number): string {
  const kind = trial === 0 ? 'plain' : 'repeat';
  return folderOf(folder, { kind, trial, seed, epochs: definition.epochs, values: {} });
}

/**
 * The best of many trials is better than itself on fresh seeds: by so much, and by so much as the noise
 * lets expect.
 */
function luckOf(whole: readonly Trial[], candidates: readonly Candidate[]): SweepSummary['luck'] {
  const winner = whole[0];
  const again = candidates.find(({ trial }) => trial === winner?.id);
  if (winner === undefined || again === undefined || again.inSearch === null) return null;
  // The plain recipe may be too bad to have the noise of good ones.
  const repeated = candidates.filter(({ trial }) => trial > 0).map(({ fresh }) => fresh.deviation);
  const noise = Math.sqrt(repeated.reduce((sum, spread) => sum + spread ** 2, 0) / repeated.length);
  // Blom's approximation of the mean of the largest of n standard normal numbers.
  const n = whole.length;
  return {
    best: again.inSearch,
    fresh: again.fresh.mean,
    expected: n < 2 ? 0 : noise * normalQuantile((n - 0.375) / (n + 0.25)),
  };
}

/** Reads the test results of one candidate, and of no other. */
async function testOf(
  folder: string,
  definition: SweepDefinition,
  { trial }: Candidate,
): Promise<SweepSummary['test']> {
  const accuracies: number[] = [];
  let images = 0;
  for (const seed of freshSeeds(definition)) {
    const results = await (await RunFolder.begun(pathOf(folder, definition, trial, seed)))
      .readResults()
      .catch(() => null);
    const test = results?.evaluations.find(({ split, weights }) => split === 'test' && weights === 'last');
    if (test === undefined) return null;
    accuracies.push(test.accuracy);
    images = test.images;
  }
  const accuracy = mean(accuracies);
  return { images, accuracy, interval: wilsonInterval(Math.round(accuracy * images), images) };
}

function bordersOf({ parameters }: SweepDefinition, values: Values): SweepSummary['borders'] {
  return parameters.flatMap(({ key, range }) => {
    if (range.kind === 'choice' || !Object.hasOwn(values, key)) return [];
    const place = placeOf(range, values[key]);
    const isEnd =
      (range.kind === 'int' || range.kind === 'logInt') && (values[key] === range.low || values[key] === range.high);
    if (place > borderShare && place < 1 - borderShare && !isEnd) return [];
    return [{ key, value: values[key], end: place < 0.5 ? ('low' as const) : ('high' as const) }];
  });
}
