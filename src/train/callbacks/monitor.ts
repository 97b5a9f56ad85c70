import { InputError } from '../../errors.js';
import { nearestName } from '../../text/suggest.js';
import { visibleLine } from '../../text/visible.js';
import type { Training } from '../callback.js';
import type { EpochRecord } from '../history.js';

export const monitorModes = ['auto', 'min', 'max'] as const;
export type MonitorMode = (typeof monitorModes)[number];

export interface MonitorOptions {
  /**
   * The figure: `loss` or a metric such as `acc`, of the evaluation where there is one, else of the training;
   * `train_loss`, `eval_acc` and so on say which. Losses are means over samples. Default `loss`.
   */
  readonly monitor?: string | undefined;
  /** Whether small or large is good. Default `auto`: large for names with acc, auc, precision or recall in them. */
  readonly mode?: MonitorMode | undefined;
}

/** What a callback that follows a figure remembers. */
export type BestState = {
  /** {@link Monitor.key}; states of earlier versions do not say. */
  readonly monitor?: string;
  readonly best: number | null;
  readonly bestEpoch: number | null;
};

/** Follows a figure from epoch to epoch. */
export class Monitor {
  readonly name: string;
  /** The figure and its direction, for the state of a callback: best figures of another one cannot be compared. */
  readonly key: string;
  readonly #where: string;
  readonly #sign: 1 | -1;
  #warned = false;

  constructor(where: string, { monitor = 'loss', mode = 'auto' }: MonitorOptions) {
    if (!['auto', 'min', 'max'].includes(mode)) {
      throw new InputError(`[${where}] mode: expected auto, min or max, got ${mode}`);
    }
    this.#where = where;
    this.name = monitor;
    this.#sign = mode === 'max' || (mode === 'auto' && /acc|auc|precision|recall/i.test(monitor)) ? 1 : -1;
    this.key = `${this.#sign === 1 ? 'max' : 'min'} ${monitor}`;
  }

  /** @throws {InputError} if the training will never know the figure */
  check(training: Pick<Training, 'figureNames' | 'evaluating'>): void {
    this.#warned = false;
    const plain = [...new Set([...training.figureNames, ...(training.evaluating ? ['acc'] : [])])];
    const names = plain.flatMap((name) => [name, `train_${name}`, ...(training.evaluating ? [`eval_${name}`] : [])]);
    const known = names.filter((name) => name !== 'train_acc' || training.figureNames.includes('acc'));
    if (known.includes(this.name)) return;
    const near = nearestName(this.name, known);
    throw new InputError(
      `[${this.#where}] monitor: expected one of ${known.join(', ')}, got '${this.name}'` +
        `${near === null ? '' : `; did you mean ${near}?`}`,
    );
  }

  /** Whether a state is about the same figure. If it is not, whoever follows the figure begins anew. */
  knows({ monitor }: Pick<BestState, 'monitor'>): boolean {
    return monitor === undefined || monitor === this.key;
  }

  /** Its value after an epoch; null if the epoch was not judged, or the figure is none. */
  read(training: Training, record: EpochRecord): number | null {
    const [, part, name] = /^(train_|eval_)?(.*)$/.exec(this.name) as unknown as [string, string | undefined, string];
    const evaluated = part === 'eval_' || (part === undefined && training.evaluating);
    const { trainLoss, evalLoss, evalAccuracy, trainMetrics, evalMetrics } = record;
    if (name === 'loss') return evaluated ? evalLoss : trainLoss;
    const metrics = evaluated ? { acc: evalAccuracy, ...evalMetrics } : trainMetrics;
    const value = metrics?.[name] ?? null;
    if (value === null && !(evaluated && evalLoss === null)) this.#warn(record.epoch);
    return value;
  }

  #warn(epoch: number): void {
    if (this.#warned) return;
    this.#warned = true;
    process.stderr.write(
      `[${this.#where}] monitor: expected ${visibleLine(this.name)} to be a number, got none in epoch ${epoch}; such epochs do not ` +
        'count, look for classes without samples\n',
    );
  }

  /** Whether a value is better than the best one by more than a margin. */
  isBetter(value: number, best: number | null, margin = 0): boolean {
    return best === null || this.#sign * (value - best) > margin;
  }
}
