import { InputError } from '../errors.js';
import type { TypedArray } from '../graph/dtype.js';
import type { Metric, MetricState } from '../metric/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { MetricValues } from './evaluation.js';
import { classProbabilities, meaningOf } from './outputs.js';

/** Counts samples whose largest output, or the sign of their only output, gives their class. */
class Hits {
  count = 0;
  samples = 0;

  add(outputs: TypedArray, labels: Int32Array): void {
    const classes = outputs.length / labels.length;
    for (let i = 0; i < labels.length; i++) {
      let predicted = classes === 1 && outputs[i] > 0 ? 1 : 0;
      for (let c = 1; c < classes; c++) {
        if (outputs[i * classes + c] > outputs[i * classes + predicted]) predicted = c;
      }
      if (predicted === labels[i]) this.count++;
    }
    this.samples += labels.length;
  }
}

/** Mean loss and metrics over samples, accumulated batch by batch. */
export class RunningMetrics {
  /** `loss`, then the metrics. */
  readonly names: readonly string[];
  readonly #metrics: readonly Metric[];
  #samples = 0;
  #lossSum = 0;
  readonly #counts: boolean;
  #hits = new Hits();

  /**
   * @param options.counts whether to count correct predictions; this needs only the outputs
   * @throws {InputError} if two metrics have the same name
   */
  constructor(metrics: readonly Metric[], { counts = false }: { readonly counts?: boolean | undefined } = {}) {
    this.#counts = counts;
    this.#metrics = metrics;
    this.names = ['loss', ...metrics.flatMap(({ names }) => names)];
    const twice = this.names.find((name, i) => this.names.indexOf(name) < i);
    if (twice !== undefined) {
      throw new InputError(`[metrics] names: expected each once, got '${twice}' twice; give one another name`);
    }
    this.reset();
  }

  /** Whether larger values of a metric are better; null if the metric does not say. */
  higherIsBetter(name: string): boolean | null {
    if (name === 'loss') return false;
    return this.#metrics.find(({ names }) => names.includes(name))?.higherIsBetter ?? null;
  }

  get lossSum(): number {
    return this.#lossSum;
  }

  reset(): void {
    this.#samples = 0;
    this.#lossSum = 0;
    this.#hits = new Hits();
    for (const metric of this.#metrics) metric.reset();
  }

  /** Number of correct predictions; null if not all samples were counted. */
  get hits(): number | null {
    return this.#counts && this.#hits.samples === this.#samples ? this.#hits.count : null;
  }

  /** Share of {@link hits} among all samples; null if not all samples were counted. */
  get accuracy(): number | null {
    return this.hits === null ? null : this.hits / this.#samples;
  }

  /** Inputs of the metrics, as lazy tensors that are realized together with the outputs and the loss. */
  scores(outputs: Tensor, labels: Tensor, loss: Tensor): Tensor[] {
    const counted = this.#counts ? [outputs] : [];
    if (this.#metrics.length === 0) return counted;
    const probabilities = this.#metrics.some(({ compute }) => compute === undefined)
      ? classProbabilities(outputs, meaningOf(loss, outputs))
      : null;
    const wanted = this.#metrics.map((metric) => metric.compute?.(outputs, labels) ?? (probabilities as Tensor));
    return [...wanted, ...counted];
  }

  /** Adds a batch: its mean loss, and the realized result of {@link scores}. */
  add(loss: number, scores: readonly Tensor[], labels: Tensor): undefined | Promise<void> {
    const samples = labels.shape[0];
    this.#samples += samples;
    this.#lossSum += loss * samples;
    return scores.length === 0 ? undefined : this.#update(scores, labels);
  }

  async #update(scores: readonly Tensor[], labels: Tensor): Promise<void> {
    const classes = await labels.data('int32');
    if (this.#counts) this.#hits.add((await scores[scores.length - 1].data()) as TypedArray, classes);
    for (const [i, metric] of this.#metrics.entries()) metric.update((await scores[i].data()) as TypedArray, classes);
  }

  values(): MetricValues {
    const values = this.#metrics.flatMap((metric) => metric.accumulate());
    const all = [this.#lossSum / this.#samples, ...values];
    return Object.fromEntries(this.names.map((name, i) => [name, all[i]]));
  }

  /** The states of the metrics. */
  stateDict(): MetricState[] {
    return this.#metrics.map((metric) => metric.stateDict?.() ?? {});
  }

  /** Restores the results of {@link stateDict}, {@link lossSum} and {@link hits}. */
  restore(samples: number, lossSum: number, states: readonly MetricState[], hits: number | null = null): void {
    this.reset();
    if (hits !== null) Object.assign(this.#hits, { count: hits, samples });
    this.#samples = samples;
    this.#lossSum = lossSum;
    this.#metrics.forEach((metric, i) => {
      if (states[i] !== undefined) metric.setStateDict?.(states[i]);
    });
  }
}
