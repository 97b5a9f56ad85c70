import { InputError } from '../errors.js';
import type { TypedArray } from '../graph/dtype.js';
import type { Metric, MetricState } from '../metric/index.js';
import type { Tensor } from '../tensor/tensor.js';
import type { NamedFigures } from './callback.js';
import { classProbabilities, meaningOf } from './outputs.js';

/** Mean loss and metrics over samples, batch by batch. */
export class Figures {
  /** `loss`, then the metrics. */
  readonly names: readonly string[];
  readonly #metrics: readonly Metric[];
  #samples = 0;
  #lossSum = 0;

  /** @throws {InputError} if two figures have one name */
  constructor(metrics: readonly Metric[]) {
    this.#metrics = metrics;
    this.names = ['loss', ...metrics.flatMap(({ names }) => names)];
    const twice = this.names.find((name, i) => this.names.indexOf(name) < i);
    if (twice !== undefined) {
      throw new InputError(`[metrics] names: expected each once, got '${twice}' twice; give one another name`);
    }
    this.reset();
  }

  get lossSum(): number {
    return this.#lossSum;
  }

  reset(): void {
    this.#samples = 0;
    this.#lossSum = 0;
    for (const metric of this.#metrics) metric.reset();
  }

  /** What the metrics are to be told, to be computed along with the outputs and their loss. */
  scores(outputs: Tensor, labels: Tensor, loss: Tensor): Tensor[] {
    if (this.#metrics.length === 0) return [];
    const probabilities = this.#metrics.some(({ compute }) => compute === undefined)
      ? classProbabilities(outputs, meaningOf(loss, outputs))
      : null;
    return this.#metrics.map((metric) => metric.compute?.(outputs, labels) ?? (probabilities as Tensor));
  }

  /** Takes a batch in: its mean loss, and what {@link scores} gave, computed. */
  add(loss: number, scores: readonly Tensor[], labels: Tensor): undefined | Promise<void> {
    const samples = labels.shape[0];
    this.#samples += samples;
    this.#lossSum += loss * samples;
    return scores.length === 0 ? undefined : this.#update(scores, labels);
  }

  async #update(scores: readonly Tensor[], labels: Tensor): Promise<void> {
    const classes = (await labels.data()) as Int32Array;
    for (const [i, metric] of this.#metrics.entries()) metric.update((await scores[i].data()) as TypedArray, classes);
  }

  values(): NamedFigures {
    const figures = this.#metrics.flatMap((metric) => metric.accumulate());
    const all = [this.#lossSum / this.#samples, ...figures];
    return Object.fromEntries(this.names.map((name, i) => [name, all[i]]));
  }

  /** What the metrics have gathered. */
  stateDict(): MetricState[] {
    return this.#metrics.map((metric) => metric.stateDict?.() ?? {});
  }

  /** Goes on from what {@link stateDict} and {@link lossSum} gave. */
  restore(samples: number, lossSum: number, states: readonly MetricState[]): void {
    this.reset();
    this.#samples = samples;
    this.#lossSum = lossSum;
    this.#metrics.forEach((metric, i) => {
      if (states[i] !== undefined) metric.setStateDict?.(states[i]);
    });
  }
}
