import { variable } from '#platform';
import * as check from '../../check.js';
import { type ProgressStream, standardOutput } from '../../text/output.js';
import { displayWidth } from '../../text/table.js';
import { visibleLine } from '../../text/visible.js';
import { Callback, type EvaluationProgress, type Training } from '../callback.js';
import type { MetricValues } from '../evaluation.js';

export interface ProgBarLoggerOptions {
  /** Batches between two updates (1). */
  readonly logFreq?: number | undefined;
  /** 0: silent; 1: a bar; 2: lines (default); 3: lines with times. */
  readonly verbose?: 0 | 1 | 2 | 3 | undefined;
  /** Default `process.stdout`. */
  readonly stream?: ProgressStream | undefined;
}

const checks: check.OptionChecks<ProgBarLoggerOptions> = {
  logFreq: check.integer(1),
  verbose: check.oneOf([0, 1, 2, 3]),
  stream: check.withMethods('a stream, with write()', 'write'),
};

const barWidth = 30;

/**
 * Shows a training, evaluation or prediction as Paddle does, except for the loss: it is the mean over the
 * samples of the epoch so far. Paddle shows the loss of the newest batch.
 */
export class ProgBarLogger extends Callback {
  static readonly kind: string = 'ProgBarLogger';

  readonly #logFreq: number;
  readonly #verbose: number;
  readonly #stream: ProgressStream;
  #bar: Bar | null = null;

  constructor(options: ProgBarLoggerOptions = {}) {
    super();
    check.requireOptions('ProgBarLogger', options, checks);
    const { logFreq = 1, verbose = 2, stream = standardOutput } = options;
    this.#logFreq = logFreq;
    this.#verbose = verbose;
    this.#stream = stream;
  }

  override onTrainBegin(): void {
    this.#print('The loss and metrics printed in the log are the mean over the samples of the epoch so far.');
  }

  override onEpochBegin({ epoch, epochs, batches }: Training): void {
    this.#print(`Epoch ${epoch}/${epochs}`);
    this.#begin(batches);
  }

  override onBatchEnd(training: Training): void {
    const { batch, batches, samples } = training;
    if (batch % this.#logFreq === 0 || batch === batches) {
      this.#bar?.update(batch, samples, training.metrics(), training.dataSeconds);
    }
  }

  override onEvaluateBegin({ batches }: EvaluationProgress): void {
    this.#print('Eval begin...');
    this.#begin(batches);
  }

  override onEvaluateBatch(progress: EvaluationProgress): void {
    this.#show(progress);
  }

  override onEvaluateEnd({ samples }: EvaluationProgress): void {
    this.#print(`Eval samples: ${samples}`);
  }

  override onPredictBegin({ batches }: EvaluationProgress): void {
    this.#print('Predict begin...');
    this.#begin(batches);
  }

  override onPredictBatch(progress: EvaluationProgress): void {
    this.#show(progress);
  }

  override onPredictEnd({ samples }: EvaluationProgress): void {
    this.#print(`Predict samples: ${samples}`);
  }

  #begin(batches: number): void {
    this.#bar = this.#verbose === 0 ? null : new Bar(batches, this.#verbose, this.#stream);
  }

  #show(progress: EvaluationProgress): void {
    const { batch, batches, samples } = progress;
    if (batch % this.#logFreq === 0 || batch === batches) this.#bar?.update(batch, samples, progress.metrics());
  }

  #print(line: string): void {
    if (this.#verbose > 0) this.#stream.write(`${line}\n`);
  }
}

/** Paddle's ProgressBar. */
class Bar {
  readonly #batches: number;
  readonly #verbose: number;
  readonly #stream: ProgressStream;
  readonly #began = performance.now();
  #width = 0;

  constructor(batches: number, verbose: number, stream: ProgressStream) {
    this.#batches = batches;
    this.#verbose = verbose;
    this.#stream = stream;
  }

  update(batch: number, samples: number, metrics: MetricValues, waited?: number): void {
    const seconds = (performance.now() - this.#began) / 1000;
    const each = seconds / batch;
    const parts = Object.entries(metrics).map(([name, value]) => `${visibleLine(name)}: ${formatted(value)}`);
    if (this.#verbose === 3) {
      if (waited !== undefined) parts.push(`avg_reader_cost: ${(waited / batch).toFixed(5)} sec`);
      parts.push(`avg_batch_cost: ${each.toFixed(5)} sec`, `ips: ${(samples / seconds).toFixed(5)} samples/sec`);
    }
    const done = batch >= this.#batches;
    if (this.#verbose === 1 && !done) parts.push(`ETA: ${timeLeft(each * (this.#batches - batch))}`);
    parts.push(`${pace(each)}/step`);
    const count = `step ${String(batch).padStart(String(this.#batches).length)}/${this.#batches}`;
    if (this.#verbose !== 1) {
      this.#stream.write(`${[count, ...parts].join(' - ')}\n`);
      return;
    }
    // A line wider than the terminal could not be overwritten: the bar is shortened first, then the last
    // values.
    const overwrites = this.#stream.isTTY === true && variable('TERM') !== 'dumb';
    const room = overwrites && !done ? (this.#stream.columns || 80) - 1 : Number.POSITIVE_INFINITY;
    const widthOf = (bar: number) => displayWidth([`${count} [${' '.repeat(bar)}]`, ...parts].join(' - '));
    while (widthOf(0) > room && parts.length > 0) parts.pop();
    const cells = Math.max(0, Math.min(barWidth, room - widthOf(0)));
    const full = Math.floor((cells * batch) / this.#batches);
    const head = full === 0 ? '' : `${'='.repeat(full - 1)}${done ? '=' : '>'}`;
    const line = [`${count} [${head.padEnd(cells, '.')}]`, ...parts].join(' - ');
    if (overwrites) {
      this.#stream.write(`\r${line.padEnd(this.#width)}${done ? '\n' : ''}`);
      this.#width = line.length;
    } else this.#stream.write(`${line}\n`);
  }
}

/** `%.4f`, or `%.4e` for tiny numbers. */
function formatted(value: number): string {
  if (Math.abs(value) > 1e-3 || Number.isNaN(value)) return value.toFixed(4);
  const [digits, exponent] = value.toExponential(4).split('e');
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

function pace(seconds: number): string {
  if (seconds >= 1 || seconds === 0) return `${seconds.toFixed(0)}s`;
  return seconds >= 1e-3 ? `${(1e3 * seconds).toFixed(0)}ms` : `${(1e6 * seconds).toFixed(0)}us`;
}

function timeLeft(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  if (whole > 3600) return `${Math.floor(whole / 3600)}:${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
  return whole > 60 ? `${Math.floor(whole / 60)}:${two(whole % 60)}` : `${whole}s`;
}
