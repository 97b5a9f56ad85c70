import type { DownloadProgress } from '../io/files/download.js';
import { Progress } from '../text/progress.js';
import type { Callback, EvaluationProgress, Training } from '../train/callback.js';
import type { EpochRecord } from '../train/history.js';
import type { ReadingProgress } from '../vision/datasets/listing.js';
import type { Terminal } from './terminal.js';

/** A line of progress for machines. */
export interface BatchLine {
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
  /** The loss that is shown to people: a mean in which old batches lose weight. */
  readonly loss: number;
}

export interface TrainingDisplayOptions {
  /** Batches between two lines. Default 2000, and a line every ten seconds at least. */
  readonly logEvery?: number | undefined;
  readonly batchSize: number;
  /** Gets the lines instead of the terminal. */
  readonly onLine?: ((line: BatchLine) => void) | undefined;
  readonly onEpoch: (record: EpochRecord) => void;
}

const usualLogEvery = 2000;
/** The shown loss is a mean over about this many of the newest batches. */
const memoryBatches = 100;

/** Shows the progress of a training: a bar on a terminal, plain lines elsewhere. */
export class TrainingDisplay implements Callback {
  readonly #terminal: Terminal;
  readonly #options: TrainingDisplayOptions;
  readonly #logEvery: number;
  readonly #metrics = { loss: Number.NaN };
  #loss = 0;
  #weight = 0;
  #progress: Progress | null = null;
  #label = '';

  constructor(terminal: Terminal, options: TrainingDisplayOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#logEvery = options.logEvery ?? usualLogEvery;
  }

  onEpochBegin({ epoch, epochs, epochSamples }: Training): void {
    this.#label = `epoch ${epoch}/${epochs}`;
    this.#progress = this.#start(this.#label, epochSamples, false);
  }

  onBatchEnd({ samples, batch, batches, epoch, loss }: Training): void {
    const share = 1 / memoryBatches;
    this.#loss += share * (loss - this.#loss);
    this.#weight += share * (1 - this.#weight);
    this.#metrics.loss = this.#loss / this.#weight;
    const { onLine } = this.#options;
    if (onLine !== undefined && batch % this.#logEvery === 0) {
      onLine({ epoch, batch, batches, loss: this.#metrics.loss });
    }
    this.#progress?.update(samples, this.#metrics);
  }

  onEvaluateBegin({ total }: EvaluationProgress): void {
    this.#progress?.stop();
    this.#progress = this.#start(`${this.#label} evaluation`, total, true);
  }

  onEvaluateBatch({ samples }: EvaluationProgress): void {
    this.#progress?.update(samples);
  }

  /** Called after the epoch was saved, so that a reader of its line finds it on disk. */
  onEpochSaved(_training: Training, record: EpochRecord): void {
    this.end();
    this.#options.onEpoch(record);
  }

  /** Leaves the terminal clean, however the training ended. */
  end(): void {
    this.#progress?.stop();
    this.#progress = null;
  }

  #start(label: string, total: number, quiet: boolean): Progress {
    const { logEvery, batchSize, onLine } = this.#options;
    const { stderr } = this.#terminal;
    return new Progress({
      label,
      total,
      unit: 'images',
      stream: stderr,
      mode: onLine !== undefined || (quiet && stderr.isTTY !== true) ? 'silent' : 'auto',
      lineEvery: this.#logEvery * batchSize,
      ...(logEvery !== undefined && { lineSeconds: Number.POSITIVE_INFINITY }),
    });
  }
}

/** Data sets of fewer files are read at once, unless this takes longer than the seconds below. */
const manyFiles = 500;
const patienceMs = 1000;

/** Stages that count files. All others count images. */
const fileStages: readonly string[] = ['looking at files', 'adding up checksums'];
/** Stages that are mostly over at once, even with many images. */
const quickStages: readonly string[] = ['looking at values', 'comparing pixels', 'last evaluation'];

/** Shows the progress of reading files, before the first line of a command, and of work after a training. */
export class ReadingDisplay {
  readonly #terminal: Terminal;
  #stage = '';
  #begun = 0;
  #progress: Progress | null = null;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  readonly show = ({ stage, done, total }: ReadingProgress): void => {
    if (stage !== this.#stage) {
      this.end();
      this.#stage = stage;
      this.#begun = performance.now();
    }
    const isLong = total >= manyFiles && !quickStages.includes(stage);
    if (this.#progress === null && !isLong && performance.now() - this.#begun < patienceMs) return;
    this.#progress ??= new Progress({
      label: stage,
      total,
      unit: fileStages.includes(stage) ? 'files' : 'images',
      stream: this.#terminal.stderr,
      begun: this.#begun,
    });
    this.#progress.update(done);
    if (done < total) return;
    this.end();
    this.#stage = '';
  };

  end(): void {
    this.#progress?.stop();
    this.#progress = null;
  }
}

/** Shows downloads, if there are any. */
export class DownloadDisplay {
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal | undefined;
  #url = '';
  #progress: Progress | null = null;

  /** @param signal ends a download; what has arrived is kept */
  constructor(terminal: Terminal, signal?: AbortSignal) {
    this.#terminal = terminal;
    this.#signal = signal;
  }

  readonly show = ({ url, receivedBytes, totalBytes }: DownloadProgress): void => {
    this.#signal?.throwIfAborted();
    if (url !== this.#url) {
      this.end();
      this.#url = url;
      const total = totalBytes === null ? undefined : totalBytes / 1024;
      this.#progress = new Progress({ label: url, total, unit: 'KiB', stream: this.#terminal.stderr });
    }
    this.#progress?.update(receivedBytes / 1024);
  };

  end(): void {
    this.#progress?.finish();
    this.#progress = null;
  }
}

/** Shows the progress of an evaluation by a command. */
export class EvaluationDisplay {
  readonly #download: DownloadDisplay;
  readonly #reading: ReadingDisplay;
  #progress: Progress | null = null;
  readonly hooks;

  /** @param silent no bar, for output that machines read */
  constructor(terminal: Terminal, silent: boolean) {
    this.#download = new DownloadDisplay(terminal);
    this.#reading = new ReadingDisplay(terminal);
    this.hooks = {
      onDownload: this.#download.show,
      onProgress: this.#reading.show,
      onBatch: (samples: number, total: number) => {
        this.#progress ??= new Progress({
          label: 'evaluation',
          total,
          unit: 'images',
          stream: terminal.stderr,
          mode: silent ? 'silent' : 'auto',
          patient: true,
        });
        this.#progress.update(samples);
      },
    };
  }

  end(): void {
    this.#download.end();
    this.#reading.end();
    this.#progress?.stop();
    this.#progress = null;
  }
}
