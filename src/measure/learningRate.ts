import { InputError, NonFiniteError } from '../errors.js';
import type { DataLoader, TensorBatch } from '../io/data/dataloader.js';
import { type RandomGenerator, withGenerator } from '../random.js';
import { prepareRun } from '../run/create.js';
import { stepOf } from '../run/parts.js';
import type { RunOptions } from '../run/runOptions.js';
import { mean } from '../statistics/probabilityMetrics.js';
import { RunningMetrics } from '../train/runningMetrics.js';
import { trainStep } from '../train/step.js';

export interface RateSearchOptions {
  /** First and last learning rate; they grow by the same factor from step to step. Default 1e-7 and 10. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Steps, each with one batch. Default 100. */
  readonly steps?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((step: number, steps: number, loss: number) => void) | undefined;
}

/** The loss of one step. */
export interface RatePoint {
  readonly rate: number;
  readonly loss: number;
  /** Mean of the losses up to here in which old ones lose weight. */
  readonly smoothed: number;
}

export interface RateSearch {
  readonly points: readonly RatePoint[];
  /** The rate to take; null if the loss falls nowhere. */
  readonly suggestion: number | null;
  /** Why, in a sentence. */
  readonly reason: string;
  /** Why the search ended before its last rate; null if it did not. */
  readonly ended: string | null;
}

/** Weight of the mean before a loss. */
const memory = 0.9;
/** A smoothed loss above this multiple of the lowest one ends the search. */
const blowUp = 4;
/** Steps before a rise can end the search. */
const fewestSteps = 10;

/**
 * The learning rate range test (Smith, 2017): trains with a rate that grows from step to step, until the
 * loss explodes. Good rates are those where it falls fastest, well below the one where it rises. Nothing is
 * written.
 *
 * @param options of the run whose rate is searched for; its schedule and its run folder are not used
 * @throws {InputError} for invalid options, as `Run.create`
 */
export async function findLearningRate(
  options: Omit<RunOptions, 'out'>,
  search: RateSearchOptions = {},
): Promise<RateSearch> {
  const { from = 1e-7, to = 10, steps = 100, signal, onStep } = search;
  if (!(from > 0 && to > from && Number.isFinite(to))) {
    throw new InputError(`[lr-find] rates: expected 0 < from < to, got ${from} and ${to}`);
  }
  if (!(Number.isSafeInteger(steps) && steps >= 2 * fewestSteps)) {
    throw new InputError(`[lr-find] steps: expected an integer of at least ${2 * fewestSteps}, got ${steps}`);
  }
  const { training, recipe, generator } = await prepareRun(withoutSchedule(options));
  const { optimizer, trainLoader, network } = training;
  const step = { ...stepOf(training, recipe), generator };
  const metrics = new RunningMetrics([]);
  const points: RatePoint[] = [];
  let ended: string | null = null;
  let running = 0;
  network.train();
  const batches = endlessly(trainLoader, generator);
  for (let i = 0; i < steps && ended === null; i++) {
    if (signal?.aborted) {
      ended = 'it was stopped';
      break;
    }
    const { value: batch } = await batches.next();
    const [images, labels] = batch as TensorBatch;
    const rate = from * (to / from) ** (i / (steps - 1));
    optimizer.learningRate = rate;
    const loss = await trainStep(step, metrics, images, labels, { share: 1, update: true }).catch((error: unknown) => {
      if (error instanceof NonFiniteError) return Number.NaN;
      throw error;
    });
    if (!Number.isFinite(loss)) {
      ended = `the loss is not finite at the rate ${short(rate)}`;
      break;
    }
    running = memory * running + (1 - memory) * loss;
    const smoothed = running / (1 - memory ** (i + 1));
    points.push({ rate, loss, smoothed });
    onStep?.(i + 1, steps, smoothed);
    const lowest = Math.min(...points.map((point) => point.smoothed));
    if (i >= fewestSteps && smoothed > blowUp * lowest)
      ended = `the loss rises beyond ${blowUp} times its lowest value at ${short(rate)}`;
  }
  await batches.return(undefined);
  return { points, ...suggest(points), ended };
}

function withoutSchedule(options: Omit<RunOptions, 'out'>): Omit<RunOptions, 'out'> {
  const { changes } = options;
  if (changes?.techniques?.schedule === undefined) return options;
  const { schedule: _, ...techniques } = changes.techniques;
  return { ...options, changes: { ...changes, techniques } };
}

/** The batches of one epoch after the other. */
async function* endlessly(loader: DataLoader, generator: RandomGenerator): AsyncGenerator<TensorBatch, undefined> {
  for (;;) yield* withGenerator(generator, () => loader.epoch());
}

/** Half of the window over which slopes and means are measured: this share of the steps, at least so many. */
const windowShare = 0.08;
const leastWindow = 4;
/** A fall below this share of the first losses, or below so many standard errors, may be noise. */
const leastFall = 0.02;
const leastErrors = 3;
/** The loss falls for good once it has fallen by this share of the whole fall. */
const begunShare = 0.5;

/**
 * The rate where the loss falls fastest, over equal factors of the rate, before its lowest value; at most a
 * third of the rate of that value. Means and slopes are those of the losses around a step: the running mean
 * lags behind, and its first values are as noisy as single losses.
 */
export function suggest(points: readonly RatePoint[]): Pick<RateSearch, 'suggestion' | 'reason'> {
  const window = Math.max(leastWindow, Math.round(windowShare * points.length));
  if (points.length <= 3 * window)
    return { suggestion: null, reason: 'There are too few steps before the loss explodes.' };
  const losses = points.map(({ loss }) => loss);
  const around = (i: number) => losses.slice(Math.max(0, i - window), i + window + 1);
  const means = losses.map((_, i) => mean(around(i)));
  const lowest = means.indexOf(Math.min(...means));
  const first = losses.slice(0, 2 * window + 1);
  const fall = mean(first) - means[lowest];
  const noise = noiseOf(losses.slice(0, Math.max(lowest, first.length)));
  const error = noise * Math.sqrt(1 / first.length + 1 / around(lowest).length);
  // Slopes before the loss falls for good are noise.
  const begin = means.findLastIndex((own, i) => i < lowest && own >= mean(first) - begunShare * fall);
  let steepest = -1;
  let fastest = 0;
  for (let i = Math.max(window, begin); i <= Math.min(lowest, points.length - 1 - window); i++) {
    const own = slopeOf(around(i));
    if (own < fastest) [steepest, fastest] = [i, own];
  }
  if (steepest < 0 || fall < leastFall * Math.abs(mean(first)) || fall < leastErrors * error) {
    return {
      suggestion: null,
      reason: 'The loss falls nowhere by more than its noise: take more steps, larger batches, or look at the data.',
    };
  }
  const suggestion = Number(Math.min(points[steepest].rate, points[lowest].rate / 3).toPrecision(2));
  return {
    suggestion,
    reason:
      `The loss falls fastest at ${short(points[steepest].rate)} and is lowest at ${short(points[lowest].rate)}, beyond which it rises` +
      `${points[steepest].rate > points[lowest].rate / 3 ? '; a third of that leaves room for noise' : ''}.`,
  };
}

/** Slope of a line through values at equal distances. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const sum = values.reduce((total, value, i) => total + (i - middle) * value, 0);
  return sum / values.reduce((total, _, i) => total + (i - middle) ** 2, 0);
}

/** Standard deviation of values around a curve, from the differences of neighbors. */
function noiseOf(values: readonly number[]): number {
  const squares = values.slice(1).map((value, i) => (value - values[i]) ** 2);
  return Math.sqrt(mean(squares) / 2);
}

function short(rate: number): string {
  return String(Number(rate.toPrecision(2)));
}
