import { formatCount, formatDuration, formatMetric, formatRate } from './numbers.js';
import { type ProgressStream, standardError } from './output.js';
import { displayWidth } from './table.js';
import { visibleLine } from './visible.js';

/** Named values that are shown next to the progress, such as `{ loss: 0.43 }`. */
export type ShownValues = Readonly<Record<string, number | string>>;

export interface ProgressOptions {
  /** Name of the work: `epoch 1/5`. */
  readonly label: string;
  /** Amount of work, in the unit of {@link Progress.update}. Left out: unknown, no bar and no ETA. */
  readonly total?: number | undefined;
  /** Unit of the count. Default `steps`. */
  readonly unit?: string | undefined;
  /** `auto` (default): a bar on a terminal, lines elsewhere. */
  readonly mode?: 'auto' | 'bar' | 'lines' | 'silent' | undefined;
  /** Lines: seconds between two of them. Default 10. */
  readonly lineSeconds?: number | undefined;
  /** Lines: whether there is none before so many seconds have passed (false). */
  readonly patient?: boolean | undefined;
  /** Lines: work between two of them, in the unit of `update`. Default: only the seconds count. */
  readonly lineEvery?: number | undefined;
  /** Default `process.stderr`. */
  readonly stream?: ProgressStream | undefined;
  /** Beginning of the work, on the clock of `now`. Default: now. */
  readonly begun?: number | undefined;
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

const redrawMs = 100;
/** The shown rate is a mean over about this time. */
const memorySeconds = 10;
/** Fast work reads the clock only once in up to this many calls. */
const maxStride = 16;
const maxBarCells = 24;
const minBarCells = 6;

/**
 * Shows the progress of long work: a bar on a terminal, plain lines elsewhere, nothing if silent.
 *
 * Call {@link update} as often as you like: between two writes it costs a few nanoseconds. End with
 * {@link finish}, or with {@link stop} if the work failed. Ctrl-C stops a bar by itself, so that the terminal
 * is left clean.
 */
export class Progress {
  readonly #label: string;
  readonly #total: number | undefined;
  readonly #unit: string;
  readonly #mode: 'bar' | 'lines' | 'silent';
  readonly #lineMs: number;
  readonly #lineEvery: number;
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #start: number;
  #done = 0;
  #values: ShownValues = {};
  #ended = false;
  #skips = 0;
  #stride = 1;
  #lookedAt: number;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #drawNext = 0;
  #measuredAt: number;
  #measuredDone = 0;
  #rate = 0;
  #rateWeight = 0;

  constructor(options: ProgressOptions) {
    this.#label = visibleLine(options.label);
    this.#total = options.total;
    this.#unit = options.unit ?? 'steps';
    this.#stream = options.stream ?? standardError;
    const terminal = this.#stream.isTTY === true && process.env.TERM !== 'dumb';
    const mode = options.mode ?? 'auto';
    this.#mode = mode === 'auto' ? (terminal ? 'bar' : 'lines') : mode;
    this.#lineMs = 1000 * (options.lineSeconds ?? 10);
    this.#lineEvery = options.lineEvery ?? Number.POSITIVE_INFINITY;
    this.#now = options.now ?? (() => performance.now());
    this.#start = options.begun ?? this.#now();
    if (options.patient && this.#mode === 'lines') {
      [this.#drawnAt, this.#drawNext] = [this.#start, Number.POSITIVE_INFINITY];
    }
    this.#lookedAt = this.#start;
    this.#measuredAt = this.#start;
    if (this.#mode === 'bar') {
      process.on('SIGINT', this.#onInterrupt);
      this.#draw(this.#start);
    }
  }

  /**
   * Reports the total amount of work that is done.
   *
   * @param values values to show from now on; if left out, the last ones stay
   */
  update(done: number, values?: ShownValues): void {
    this.#done = done;
    if (values !== undefined) this.#values = values;
    if (this.#mode === 'silent' || this.#ended) return;
    if (this.#skips > 0 && done < this.#drawNext) {
      this.#skips--;
      return;
    }
    const now = this.#now();
    this.#stride = now - this.#lookedAt < redrawMs / 10 ? Math.min(2 * this.#stride, maxStride) : 1;
    this.#skips = this.#stride - 1;
    this.#lookedAt = now;
    const wait = this.#mode === 'bar' ? redrawMs : this.#lineMs;
    if (now - this.#drawnAt >= wait || (this.#mode === 'lines' && done >= this.#drawNext)) this.#draw(now);
  }

  /** Ends with a line that shows the work, its duration and the values. */
  finish(values?: ShownValues): void {
    if (this.#ended) return;
    if (values !== undefined) this.#values = values;
    this.stop();
    if (this.#mode === 'silent') return;
    const seconds = (this.#now() - this.#start) / 1000;
    const parts = [this.#label, `${formatCount(this.#done)} ${this.#unit}`, formatDuration(seconds)];
    if (seconds > 0) parts.push(formatRate(this.#done / seconds));
    this.#stream.write(`${[...parts, ...this.#valueParts()].join('  ')}\n`);
  }

  /** Ends without a message, and removes the bar. */
  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#mode !== 'bar') return;
    process.off('SIGINT', this.#onInterrupt);
    this.#stream.write('\r\x1b[K');
  }

  readonly #onInterrupt = (): void => {
    this.stop();
    // A listener disables the default, which ends the process. Unless others listen too, the process is ended
    // here.
    if (process.listenerCount('SIGINT') === 0) process.kill(process.pid, 'SIGINT');
  };

  #draw(now: number): void {
    this.#measure(now);
    this.#drawnAt = now;
    this.#drawNext = this.#mode === 'bar' ? Number.POSITIVE_INFINITY : this.#done + this.#lineEvery;
    const total = this.#total;
    const rate = this.#rateWeight > 0 ? this.#rate / this.#rateWeight : 0;
    const parts = [this.#label];
    if (total === undefined) {
      parts.push(`${formatCount(this.#done)} ${this.#unit}`, formatDuration((now - this.#start) / 1000));
    } else {
      parts.push(`${formatCount(this.#done)}/${formatCount(total)} ${this.#unit}`);
      if (rate > 0) parts.push(`ETA ${formatDuration(Math.max(0, total - this.#done) / rate)}`);
    }
    parts.push(...this.#valueParts());
    if (rate > 0) parts.push(formatRate(rate));
    if (this.#mode === 'lines') {
      this.#stream.write(`${parts.join('  ')}\n`);
      return;
    }
    const room = (this.#stream.columns || 80) - 1;
    const cells = Math.min(maxBarCells, room - displayWidth(parts.join('  ')) - 2);
    if (total !== undefined && cells >= minBarCells) parts.splice(1, 0, bar(this.#done / total, cells));
    this.#stream.write(`\r${joinFitting(parts, room)}\x1b[K`);
  }

  /**
   * Updates the rate, an exponential moving average. The weight corrects the bias of the first measurements.
   */
  #measure(now: number): void {
    const seconds = (now - this.#measuredAt) / 1000;
    if (seconds <= 0) return;
    const alpha = 1 - Math.exp(-seconds / memorySeconds);
    this.#rate += alpha * ((this.#done - this.#measuredDone) / seconds - this.#rate);
    this.#rateWeight += alpha * (1 - this.#rateWeight);
    this.#measuredAt = now;
    this.#measuredDone = this.#done;
  }

  #valueParts(): string[] {
    return Object.entries(this.#values).map(
      ([name, value]) => `${name} ${typeof value === 'number' ? formatMetric(value) : visibleLine(value)}`,
    );
  }
}

function bar(share: number, cells: number): string {
  const full = Math.round(cells * Math.min(1, Math.max(0, share)));
  return '█'.repeat(full) + '░'.repeat(cells - full);
}

/** Joins the parts that fit, the first ones first: a bar that wraps could not be overwritten. */
function joinFitting(parts: readonly string[], room: number): string {
  let line = parts[0];
  for (const part of parts.slice(1)) {
    if (displayWidth(line) + 2 + displayWidth(part) <= room) line += `  ${part}`;
  }
  return displayWidth(line) <= room ? line : line.slice(0, Math.max(0, Math.floor(room / 2)));
}
