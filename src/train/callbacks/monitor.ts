import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { standardError } from '../../text/output.js';
import { suggestion } from '../../text/suggest.js';
import { visibleLine } from '../../text/visible.js';
import type { Training } from '../callback.js';
import type { EpochRecord } from '../history.js';

export const monitorModes = ['auto', 'min', 'max'] as const;
/** Whether small (`min`) or large (`max`) values of a metric are good. */
export type MonitorMode = (typeof monitorModes)[number];

/** Options of a callback that follows a metric. */
export interface MonitorOptions {
  /**
   * `loss` (default) or the name of a metric such as `acc`: its value in the evaluation if there is one, else
   * in the training. `train_loss`, `eval_acc` and so on choose one of the two. Losses are means over samples.
   */
  readonly monitor?: string | undefined;
  /**
   * Whether small or large values are good. Default `auto`: `min` for a loss, and the direction of
   * `higherIsBetter` for a metric. A metric without `higherIsBetter` needs this option.
   */
  readonly mode?: MonitorMode | undefined;
}

export const monitorChecks: check.OptionChecks<MonitorOptions> = {
  monitor: check.text,
  mode: check.rule<MonitorMode>('auto, min or max', check.oneOf(monitorModes).is),
};

/** The saved state of a callback that follows a metric. */
export type BestState = {
  /** {@link Monitor.key}; states of earlier versions lack it. */
  readonly monitor?: string;
  readonly best: number | null;
  readonly bestEpoch: number | null;
};

/** The parts of a training that a monitor needs to find its metric. */
export type Monitored = Pick<Training, 'metricNames' | 'evaluating' | 'higherIsBetter'>;

/** Follows a metric from epoch to epoch. */
export class Monitor {
  readonly name: string;
  readonly #where: string;
  readonly #mode: MonitorMode;
  #direction: 'min' | 'max' | null;
  #warned = false;
  /** Key of a restored state; undefined if no state was restored, or the state has no key. */
  #restored: string | undefined;

  constructor(where: string, { monitor = 'loss', mode = 'auto' }: MonitorOptions) {
    this.#where = where;
    this.name = monitor;
    this.#mode = mode;
    this.#direction = mode === 'auto' ? null : mode;
  }

  /**
   * The metric and its direction, saved with a callback: best values of different metrics are not comparable.
   */
  get key(): string {
    return `${this.#direction ?? this.#mode} ${this.name}`;
  }

  /** @throws {InputError} if the training does not compute the metric */
  check({ metricNames, evaluating }: Pick<Monitored, 'metricNames' | 'evaluating'>): void {
    this.#warned = false;
    const plain = [...new Set([...metricNames, ...(evaluating ? ['acc'] : [])])];
    const names = plain.flatMap((name) => [name, `train_${name}`, ...(evaluating ? [`eval_${name}`] : [])]);
    const known = names.filter((name) => name !== 'train_acc' || metricNames.includes('acc'));
    if (known.includes(this.name)) return;
    throw new InputError(
      `[${this.#where}] monitor: expected one of ${known.join(', ')}, got '${this.name}'` +
        suggestion(this.name, known),
    );
  }

  /**
   * Determines the direction of the metric at the beginning of a training.
   *
   * @returns whether a restored state is about this metric in this direction; if not, the callback drops it
   * @throws {InputError} if the training does not compute the metric, or its direction is unknown
   */
  begin(training: Monitored): boolean {
    this.check(training);
    this.#direction = this.direction(training);
    if (this.#direction === null) {
      throw new InputError(
        `[${this.#where}] mode: expected min or max, since the metric of '${this.name}' does not say which values are ` +
          "good, got auto; give mode: 'max' if large ones are, or set higherIsBetter on the metric",
      );
    }
    return this.#restored === undefined || this.#restored === this.key;
  }

  /** The direction that `mode` or the metric itself declares; null if neither does. */
  direction(training: Pick<Monitored, 'higherIsBetter'>): 'min' | 'max' | null {
    if (this.#mode !== 'auto') return this.#mode;
    const higher = training.higherIsBetter(this.#split().name);
    return higher === null ? null : higher ? 'max' : 'min';
  }

  /** Stores the metric of a restored state, for {@link begin}. */
  restore({ monitor }: Pick<BestState, 'monitor'>): void {
    this.#restored = monitor;
  }

  /** The value after an epoch; null if the epoch was not evaluated, or the value is undefined. */
  read(training: Pick<Training, 'evaluating'>, record: EpochRecord): number | null {
    const { part, name } = this.#split();
    const evaluated = part === 'eval_' || (part === undefined && training.evaluating);
    const { trainLoss, evalLoss, evalAccuracy, trainMetrics, evalMetrics } = record;
    if (name === 'loss') return evaluated ? evalLoss : trainLoss;
    const metrics = evaluated ? { acc: evalAccuracy, ...evalMetrics } : trainMetrics;
    const value = metrics?.[name] ?? null;
    if (value === null && !(evaluated && evalLoss === null)) this.#warn(record.epoch);
    return value;
  }

  /** Whether a value is better than the best one by more than a margin. */
  isBetter(value: number, best: number | null, margin = 0): boolean {
    return best === null || (this.#direction === 'max' ? value - best : best - value) > margin;
  }

  #split(): { readonly part: string | undefined; readonly name: string } {
    const [, part, name] = /^(train_|eval_)?(.*)$/s.exec(this.name) as unknown as [string, string | undefined, string];
    return { part, name };
  }

  #warn(epoch: number): void {
    if (this.#warned) return;
    this.#warned = true;
    standardError.write(
      `[${this.#where}] monitor: expected ${visibleLine(this.name)} to be a number, got none in epoch ${epoch}; such ` +
        'epochs do not count, look for classes without samples\n',
    );
  }
}
