import { requireOptions, requireValue, rule, text } from '../../check.js';
import { writeFileAtomic } from '../../io/files/atomic.js';
import { Callback, type Training } from '../callback.js';
import type { EpochRecord } from '../history.js';

export interface CSVLoggerOptions {
  /** Default a comma. */
  readonly separator?: string | undefined;
}

const separators = rule<string>('text that is not empty', (x) => text.is(x) && x !== '');

/**
 * Writes the metrics of all epochs to a table, one line per epoch. Every epoch rewrites the whole file, so
 * that after a resumed training it has every line once.
 */
export class CSVLogger extends Callback {
  static readonly kind: string = 'CSVLogger';

  readonly #path: string;
  readonly #separator: string;

  constructor(path: string, options: CSVLoggerOptions = {}) {
    super();
    const { separator = ',' } = requireOptions('CSVLogger', options, { separator: separators });
    this.#path = requireValue('CSVLogger', 'path', path, text);
    this.#separator = separator;
  }

  override async onEpochEnd({ history }: Training): Promise<void> {
    const { csvText } = await import('../../text/csv.js');
    const rows = history.map(rowOf);
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    await writeFileAtomic(
      this.#path,
      csvText([columns, ...rows.map((row) => columns.map((name) => row[name]))], this.#separator),
    );
  }
}

function rowOf(record: EpochRecord): Record<string, number | null> {
  const { epoch, trainLoss, evalLoss, evalAccuracy, trainMetrics, evalMetrics, learningRate, seconds } = record;
  const named = (part: string, metrics: EpochRecord['evalMetrics']) =>
    Object.fromEntries(Object.entries(metrics ?? {}).map(([name, value]) => [`${part}_${name}`, value]));
  return {
    epoch,
    train_loss: trainLoss,
    ...named('train', trainMetrics),
    eval_loss: evalLoss,
    eval_acc: evalAccuracy,
    ...named('eval', evalMetrics),
    learning_rate: learningRate ?? null,
    seconds,
  };
}
