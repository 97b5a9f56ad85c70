import { RandomGenerator } from '../random.js';
import { promotable, type RungTrial, rungsOf } from './asha.js';
import { plainValues, type SweepDefinition } from './definition.js';
import { type Job, type JournalEvent, keyOf } from './journal.js';
import { gridOf, randomValues, type Values } from './space.js';
import { type Observation, propose } from './tpe.js';

/** The result of a job. */
export interface Result {
  readonly job: Job;
  /** The metric; null for a training that failed. */
  readonly value: number | null;
  readonly seconds: number;
  readonly failure: { readonly why: 'diverged' | 'memory' | 'refused'; readonly reason: string } | null;
}

/** State of a sweep by its journal. */
export interface Progress {
  /** Results by job, each once. */
  readonly results: ReadonlyMap<string, Result>;
  /** Jobs that a worker has taken and not ended, with the worker that took them last. */
  readonly open: ReadonlyMap<string, { readonly job: Job; readonly worker: string }>;
}

export function progressOf(events: readonly JournalEvent[]): Progress {
  const results = new Map<string, Result>();
  const open = new Map<string, { readonly job: Job; readonly worker: string }>();
  for (const event of events) {
    const key = keyOf(event.job);
    if (event.event === 'claim') {
      if (!results.has(key)) open.set(key, event);
      continue;
    }
    open.delete(key);
    if (results.has(key)) continue;
    const { job } = event;
    results.set(
      key,
      event.event === 'done'
        ? { job, value: event.value, seconds: event.seconds, failure: null }
        : { job, value: null, seconds: 0, failure: { why: event.why, reason: event.reason } },
    );
  }
  return { results, open };
}

/** Smaller is better. A training that failed is worse than all others. */
export function costOf({ value }: Pick<Result, 'value'>, { settings }: SweepDefinition): number {
  if (value === null) return Number.POSITIVE_INFINITY;
  return settings.metric === 'accuracy' ? -value : value;
}

/** A trial with its results at the rungs that it has reached. */
export interface Trial {
  readonly id: number;
  readonly values: Values;
  readonly results: readonly Result[];
}

export function trialsOf({ results }: Progress): Trial[] {
  const trials = new Map<number, { id: number; values: Values; results: Result[] }>();
  for (const result of results.values()) {
    const { kind, trial: id, values } = result.job;
    if (kind !== 'trial') continue;
    const trial = trials.get(id) ?? { id, values, results: [] };
    trial.results.push(result);
    trials.set(id, trial);
  }
  for (const { results: own } of trials.values()) own.sort((a, b) => a.job.epochs - b.job.epochs);
  return [...trials.values()].sort((a, b) => a.id - b.id);
}

/** Trials of a whole training, the best first. */
export function ranked(progress: Progress, definition: SweepDefinition): Trial[] {
  const last = (trial: Trial) => trial.results[trial.results.length - 1];
  return trialsOf(progress)
    .filter((trial) => last(trial).job.epochs === definition.epochs && last(trial).value !== null)
    .sort((a, b) => costOf(last(a), definition) - costOf(last(b), definition) || a.id - b.id);
}

/** The seeds that the search does not use, the same ones for the plain recipe and for the best trials. */
export function freshSeeds({ settings }: SweepDefinition): number[] {
  return Array.from({ length: settings.seeds }, (_, i) => settings.seed + 1 + i);
}

/** Number of trials of a sweep. */
export function trialCount({ settings, parameters }: SweepDefinition): number {
  return settings.method === 'grid' ? gridOf(parameters, settings.levels).length : settings.trials;
}

/**
 * The next job, as a function of the journal alone: so a sweep with one worker repeats itself, and one that
 * was killed continues as if nothing had happened. `wait` while the jobs of others decide, null when all is
 * done.
 *
 * @param isAlive whether a worker lives; the jobs of others are taken over
 */
export function nextJob(
  definition: SweepDefinition,
  progress: Progress,
  isAlive: (worker: string) => boolean,
): Job | 'wait' | null {
  for (const { job, worker } of progress.open.values()) if (!isAlive(worker)) return job;
  const isFree = (job: Job) => !progress.results.has(keyOf(job)) && !progress.open.has(keyOf(job));
  const plain = freshSeeds(definition).map((seed): Job => {
    return { kind: 'plain', trial: 0, seed, epochs: definition.epochs, values: plainValues(definition) };
  });
  const found = plain.find(isFree) ?? searchJob(definition, progress);
  if (found !== null) return found;
  const others = [...progress.open.values()];
  if (others.some(({ job: { kind } }) => kind !== 'repeat')) return 'wait';
  return repetitions(definition, progress).find(isFree) ?? (others.length > 0 ? 'wait' : null);
}

function searchJob(definition: SweepDefinition, progress: Progress): Job | null {
  const { settings, epochs, base } = definition;
  const rungs = rungsOf(epochs, settings.asha);
  const job = (trial: number, values: Values, rung: number): Job => {
    return { kind: 'trial', trial, seed: settings.seed, epochs: rungs[rung], values: { ...base, ...values } };
  };
  const running = [...progress.open.values()]
    .filter(({ job: { kind } }) => kind === 'trial')
    .map(({ job: own }) => own);
  const trials = trialsOf(progress);
  const halved: RungTrial[] = trials.map(({ id, results }) => ({
    id,
    costs: results.map((result) => costOf(result, definition)),
    isOut: running.some(({ trial }) => trial === id) || results.some(({ value }) => value === null),
  }));
  const next = settings.asha === null ? null : promotable(halved, rungs.length, settings.asha.reduction);
  if (next !== null) {
    const trial = trials.find(({ id }) => id === next) as Trial;
    return { ...job(next, {}, trial.results.length), values: trial.values };
  }
  const begun = new Set([...trials.map(({ id }) => id), ...running.map(({ trial }) => trial)]);
  const id = begun.size + 1;
  if (id > trialCount(definition)) return null;
  return job(id, valuesOf(definition, id, trials, running), 0);
}

/** The values of a new trial. */
function valuesOf(
  { settings, parameters, ...rest }: SweepDefinition,
  id: number,
  trials: readonly Trial[],
  running: readonly Job[],
): Values {
  if (settings.method === 'grid') return gridOf(parameters, settings.levels)[id - 1];
  const generator = new RandomGenerator(settings.seed).fork(`trial ${id}`);
  if (settings.method === 'random') return randomValues(parameters, generator);
  const definition = { settings, parameters, ...rest };
  const seen = standings(trials.map(({ results }) => results.map((result) => costOf(result, definition)))).map(
    (cost, i): Observation => ({ values: searched(definition, trials[i].values), cost }),
  );
  // A running trial counts as a bad one, so that workers try different places.
  const others = running.map(({ values }): Observation => ({ values: searched(definition, values), cost: 1 }));
  return propose(parameters, [...seen, ...others], generator);
}

/**
 * The share of the other trials that are better than each one; equal ones count half. Two trials are compared
 * at the highest rung that both have reached, so that stopped trials count too: a search that learns from
 * whole trainings alone returns to places where all trials are stopped. A trial that failed is worse than all
 * others.
 *
 * @param costs of each trial at the rungs that it has reached, lowest rung first; infinite where it failed
 */
export function standings(costs: readonly (readonly number[])[]): number[] {
  const hasFailed = costs.map((own) => !own.every(Number.isFinite));
  const isBetter = (a: number, b: number): number => {
    if (hasFailed[a] || hasFailed[b]) return hasFailed[a] === hasFailed[b] ? 0.5 : Number(hasFailed[b]);
    const rung = Math.min(costs[a].length, costs[b].length) - 1;
    const difference = costs[a][rung] - costs[b][rung];
    return difference === 0 ? 0.5 : Number(difference < 0);
  };
  const others = Math.max(1, costs.length - 1);
  return costs.map((_, i) => costs.reduce((sum, _own, k) => sum + (k === i ? 0 : isBetter(k, i)), 0) / others);
}

/** The values of the parameters of the search. */
export function searched({ parameters }: Pick<SweepDefinition, 'parameters'>, values: Values): Values {
  return Object.fromEntries(
    parameters.filter(({ key }) => Object.hasOwn(values, key)).map(({ key }) => [key, values[key]]),
  );
}

/** The best trials on the fresh seeds. */
function repetitions(definition: SweepDefinition, progress: Progress): Job[] {
  const best = ranked(progress, definition).slice(0, definition.settings.best);
  return freshSeeds(definition).flatMap((seed) =>
    best.map(({ id, values }): Job => ({ kind: 'repeat', trial: id, seed, epochs: definition.epochs, values })),
  );
}
