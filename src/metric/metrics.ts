import * as check from '../check.js';
import { ShapeError } from '../errors.js';
import type { TypedArray } from '../graph/dtype.js';
import { rocAuc } from '../statistics/auc.js';
import type { Tensor } from '../tensor/tensor.js';

/** State of a metric within an epoch, as plain JSON. */
export type MetricState = Readonly<Record<string, number | readonly number[]>>;

/** A metric over the batches of an epoch. */
export interface Metric {
  /** Names of the values, one for each number of {@link accumulate}. */
  readonly names: readonly string[];
  /**
   * Whether larger values are better. Callbacks that follow a metric, such as `EarlyStopping`, need it or a
   * `mode` of their own.
   */
  readonly higherIsBetter?: boolean | undefined;
  /**
   * The scores for {@link update}, `[samples, …]`, from a network's outputs, as a tensor that is computed
   * with them. Default: the probabilities of the classes, `[samples, classes]`, two for a network with one
   * output.
   */
  compute?(outputs: Tensor, labels: Tensor): Tensor;
  /** Starts again without any samples. */
  reset(): void;
  /**
   * Adds a batch.
   *
   * @param scores `[samples, classes]`, row-major
   * @param labels the true class of each sample
   */
  update(scores: TypedArray, labels: ArrayLike<number>): void;
  /** The values over all batches since the last reset; NaN without samples to compute them from. */
  accumulate(): number[];
  /** The state. With it, a training that was stopped within an epoch resumes with the same values. */
  stateDict?(): MetricState;
  /** Restores a state that {@link stateDict} gave. */
  setStateDict?(state: MetricState): void;
}

const accuracyChecks = {
  topk: check.rule<readonly number[]>('positive integers', check.listOf(check.integer(1), { least: 1 }).is),
  name: check.text,
};

/** A metric as an argument. */
export const someMetric = check.rule<Metric>('a metric, with names, reset, update and accumulate', (x) => {
  const { names } = (x ?? {}) as Partial<Metric>;
  return (
    check.withMethods('', 'reset', 'update', 'accumulate').is(x) && check.listOf(check.text, { least: 1 }).is(names)
  );
});

/** Throws unless scores are a typed array, and labels an array of any kind. */
function requireBatch(where: string, scores: unknown, labels: unknown): void {
  check.requireValue(where, 'scores', scores, numbers);
  check.requireValue(where, 'labels', labels, numbers);
}

const numbers = check.rule<ArrayLike<number>>('an array of numbers', (x) => {
  return (
    (ArrayBuffer.isView(x) && !(x instanceof DataView)) || (Array.isArray(x) && x.every((n) => typeof n === 'number'))
  );
});
const counts = check.rule<MetricState>('a state that stateDict gave', (x) => check.record.is(x));
const restored = (
  where: string,
  state: MetricState,
  lists: readonly string[],
  single: readonly string[],
): MetricState => {
  check.requireValue(where, 'state', state, counts);
  for (const name of lists) check.requireValue(where, `state ${name}`, state[name], check.listOf(check.finite));
  for (const name of single) check.requireValue(where, `state ${name}`, state[name], check.nonNegative);
  return state;
};

/**
 * Share of samples whose true class is among the k classes with the highest scores, for each k of `topk`.
 * With k classes or fewer, that is every sample with a label from 0 to C − 1, as in `F.accuracy`.
 *
 * @example
 * ```ts
 * const accuracy = new metric.Accuracy({ topk: [1, 5] });
 * accuracy.update(Float32Array.of(0.1, 0.9), [1]);
 * console.log(accuracy.accumulate());
 * ```
 */
export class Accuracy implements Metric {
  readonly higherIsBetter = true;
  readonly names: readonly string[];
  readonly #topk: readonly number[];
  #hits: number[];
  #samples = 0;

  /** @param options.name default `acc`; with several k `acc_top1`, `acc_top5` and so on */
  constructor(options: { readonly topk?: readonly number[]; readonly name?: string } = {}) {
    const { topk = [1], name = 'acc' } = check.requireOptions('Accuracy', options, accuracyChecks);
    this.#topk = [...topk];
    this.#hits = topk.map(() => 0);
    this.names = topk.length === 1 ? [name] : topk.map((k) => `${name}_top${k}`);
  }

  reset(): void {
    this.#hits.fill(0);
    this.#samples = 0;
  }

  update(scores: TypedArray, labels: ArrayLike<number>): void {
    requireBatch('Accuracy', scores, labels);
    const samples = labels.length;
    const classes = scores.length / samples;
    if (samples === 0 || !Number.isInteger(classes)) {
      throw new ShapeError(`[Accuracy] scores: expected a multiple of ${samples} samples, got ${scores.length} values`);
    }
    for (let i = 0; i < samples; i++) {
      const label = labels[i];
      const own = scores[i * classes + label];
      let rank = 0;
      // Among equal scores the lower class comes first, as in topk.
      for (let c = 0; c < classes; c++) {
        const score = scores[i * classes + c];
        if (score > own || (score === own && c < label)) rank++;
      }
      // A label that is no class, or a NaN, is never a hit.
      if (own === undefined || Number.isNaN(own)) continue;
      this.#topk.forEach((k, j) => {
        if (rank < k) this.#hits[j]++;
      });
    }
    this.#samples += samples;
  }

  accumulate(): number[] {
    return this.#hits.map((hits) => hits / this.#samples);
  }

  stateDict(): MetricState {
    return { hits: [...this.#hits], samples: this.#samples };
  }

  setStateDict(state: MetricState): void {
    const { hits, samples } = restored('Accuracy', state, ['hits'], ['samples']);
    this.#hits = [...(hits as readonly number[])];
    this.#samples = samples as number;
  }
}

/** Counts hits and misses of a decision between two classes. Class 1 is the positive class. */
abstract class BinaryMetric implements Metric {
  readonly higherIsBetter = true;
  readonly names: readonly string[];
  readonly #where: string;
  protected hits = 0;
  protected misses = 0;

  constructor(where: string, name: string) {
    this.#where = where;
    this.names = [name];
  }

  /** Adds one sample. */
  protected abstract count(positive: boolean, label: number): void;

  reset(): void {
    this.hits = 0;
    this.misses = 0;
  }

  /** @param scores the probability of class 1 `[samples]`, or of both classes `[samples, 2]` */
  update(scores: TypedArray, labels: ArrayLike<number>): void {
    requireBatch(this.#where, scores, labels);
    const positive = positiveScores(this.#where, scores, labels.length);
    for (let i = 0; i < labels.length; i++) this.count(positive[i] >= 0.5, labels[i]);
  }

  /** 0 if nothing was counted, as in Paddle. */
  accumulate(): number[] {
    const all = this.hits + this.misses;
    return [all === 0 ? 0 : this.hits / all];
  }

  stateDict(): MetricState {
    return { hits: this.hits, misses: this.misses };
  }

  setStateDict(state: MetricState): void {
    const { hits, misses } = restored(this.#where, state, [], ['hits', 'misses']);
    this.hits = hits as number;
    this.misses = misses as number;
  }
}

export interface NameOption {
  readonly name?: string;
}

function nameOf(where: string, options: NameOption): string | undefined {
  return check.requireOptions(where, options, { name: check.text }).name;
}

/** Share of samples of class 1 among those that are predicted as class 1 (probability of at least 0.5). */
export class Precision extends BinaryMetric {
  constructor(options: NameOption = {}) {
    super('Precision', nameOf('Precision', options) ?? 'precision');
  }

  protected count(positive: boolean, label: number): void {
    if (!positive) return;
    if (label === 1) this.hits++;
    else this.misses++;
  }
}

/**
 * Share of the samples of class 1 that are predicted as class 1. A probability of exactly 0.5 counts as class
 * 1, as for {@link Precision}. Only Paddle's Recall rounds it to class 0.
 */
export class Recall extends BinaryMetric {
  constructor(options: NameOption = {}) {
    super('Recall', nameOf('Recall', options) ?? 'recall');
  }

  protected count(positive: boolean, label: number): void {
    if (label !== 1) return;
    if (positive) this.hits++;
    else this.misses++;
  }
}

/**
 * The exact area under the ROC curve: every score is kept, and ties count half. Paddle first sorts the scores
 * into 4096 buckets, so its value differs where scores are closer together than 1/4096. If a class has no
 * sample, Paddle gives 0, and this metric NaN.
 */
export class Auc implements Metric {
  readonly higherIsBetter = true;
  readonly names: readonly string[];
  #scores: number[] = [];
  #labels: number[] = [];

  constructor(options: NameOption = {}) {
    this.names = [nameOf('Auc', options) ?? 'auc'];
  }

  reset(): void {
    this.#scores = [];
    this.#labels = [];
  }

  /** @param scores the probability of class 1 `[samples]`, or of both classes `[samples, 2]` */
  update(scores: TypedArray, labels: ArrayLike<number>): void {
    requireBatch('Auc', scores, labels);
    const positive = positiveScores('Auc', scores, labels.length);
    for (let i = 0; i < labels.length; i++) {
      this.#scores.push(positive[i]);
      this.#labels.push(labels[i]);
    }
  }

  accumulate(): number[] {
    if (this.#labels.length === 0) return [Number.NaN];
    const { value } = rocAuc({ labels: Int32Array.from(this.#labels), scores: Float64Array.from(this.#scores) });
    return [value ?? Number.NaN];
  }

  stateDict(): MetricState {
    return { scores: [...this.#scores], labels: [...this.#labels] };
  }

  setStateDict(state: MetricState): void {
    const { scores, labels } = restored('Auc', state, ['scores', 'labels'], []);
    this.#scores = [...(scores as readonly number[])];
    this.#labels = [...(labels as readonly number[])];
  }
}

function positiveScores(where: string, scores: TypedArray, samples: number): TypedArray {
  if (scores.length === samples) return scores;
  if (scores.length === 2 * samples) return scores.filter((_: number, i: number) => i % 2 === 1);
  throw new ShapeError(
    `[${where}] scores: expected the probability of class 1, or of two classes, for each of ${samples} samples, ` +
      `got ${scores.length} values`,
  );
}
