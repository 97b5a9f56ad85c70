import { createHash } from 'node:crypto';
import { FileError } from '../../errors.js';
import { reasonOf, writeFileAtomic } from '../../io/files/atomic.js';
import { readInput, readText } from '../../io/files/input.js';
import { parseRecord } from '../../text/record.js';
import { version } from '../../version.js';
import { headerOf, type PredictionRow, RowParser, rowsOf } from './columns.js';
import type { Predictions } from './predictions.js';
import { type PredictionsOrigin, type PredictionsRecord, predictionsRecord } from './record.js';

/** Name of the table in a run folder, with the last weights. */
export const predictionsFile = 'predictions.csv';
/** The same with the weights of the best epoch. */
export const bestPredictionsFile = 'predictions-best.csv';

const pieceLength = 2 ** 16;
/** Largest table that is read, in bytes. */
const mostBytes = 2 ** 30;

/** Path of the record of a table. */
export function recordPath(path: string): string {
  return `${path}.json`;
}

/**
 * Writes a table of predictions, `file,split,group,label,predicted,probability:CLASS…,logit:CLASS…`, and its
 * record beside it. Numbers read back as the same float32.
 *
 * @param origin where the predictions come from
 * @throws {FileError} if the files cannot be written
 */
export async function writePredictions(
  path: string,
  predictions: Predictions,
  origin: PredictionsOrigin,
): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  function* pieces(): Generator<Uint8Array> {
    let text = headerOf(predictions.classNames);
    const flush = () => {
      const piece = Buffer.from(text);
      hash.update(piece);
      bytes += piece.length;
      text = '';
      return piece;
    };
    for (const row of rowsOf(predictions)) {
      text += row;
      if (text.length >= pieceLength) yield flush();
    }
    yield flush();
  }
  await writeFileAtomic(path, pieces());
  const record: PredictionsRecord = {
    format: 1,
    version,
    bytes,
    sha256: hash.digest('hex'),
    samples: predictions.labels.length,
    classNames: [...predictions.classNames],
    ...origin,
  };
  await writeFileAtomic(recordPath(path), `${JSON.stringify(record, null, 2)}\n`);
}

/** A table of predictions with its record. */
export interface StoredPredictions extends Predictions {
  readonly record: PredictionsRecord;
}

const again = 'make it again by evaluating the run';

/**
 * Reads a table of predictions that Fovea has written, without running the network.
 *
 * @param options.weightsSha256 digest of the weights that must have made it
 * @throws {FileError} for a table without its record, one that was edited, cut or made by other weights, and
 *   for rows that are no predictions; the message names the file and the row
 */
export async function readPredictions(
  path: string,
  options: { readonly weightsSha256?: string | undefined } = {},
): Promise<StoredPredictions> {
  const table = await readInput(path, mostBytes).catch((error: unknown) => {
    throw new FileError(`[predictions] ${path}: expected a table of predictions, got ${reasonOf(error)}; ${again}`, {
      cause: error,
    });
  });
  const record = await readRecord(path);
  requireWhole(path, table, record);
  const { weightsSha256 } = options;
  if (weightsSha256 !== undefined && !record.weights.some(({ sha256 }) => sha256 === weightsSha256)) {
    throw new FileError(
      `[predictions] ${path}: expected the predictions of these weights (sha256 ${weightsSha256.slice(0, 16)}…), got those of ` +
        `another run or epoch (${record.weights[0].sha256.slice(0, 16)}…); ${again}`,
    );
  }
  return { ...(await parsed(path, Buffer.from(table).toString(), record)), record };
}

async function readRecord(path: string): Promise<PredictionsRecord> {
  const where = recordPath(path);
  const text = await readText(where).catch((error: unknown) => {
    throw new FileError(
      `[predictions] ${where}: expected the record that belongs to ${path}, got ${reasonOf(error)}; copy both files together, or ${again}`,
      { cause: error },
    );
  });
  return parseRecord(predictionsRecord, 'predictions', text, where);
}

function requireWhole(path: string, table: Uint8Array, record: PredictionsRecord): void {
  if (table.length < record.bytes) {
    throw new FileError(
      `[predictions] ${path}: expected ${record.bytes} bytes, got ${table.length}: the file was cut or edited; ${again}`,
    );
  }
  if (createHash('sha256').update(table).digest('hex') === record.sha256) return;
  throw new FileError(
    `[predictions] ${path}: expected the table that was written, got another: it was edited, or saved by a program that rounds ` +
      `numbers; ${again}`,
  );
}

async function parsed(path: string, text: string, record: PredictionsRecord): Promise<Predictions> {
  const { parse } = await import('csv-parse/sync');
  const { classNames } = record;
  const header = headerOf(classNames);
  const refuse = (expected: string, got: string) =>
    new FileError(`[predictions] ${path}: expected ${expected}, got ${got}; ${again}`);
  if (!text.startsWith(header)) throw refuse(`the columns ${header.trimEnd()}`, text.slice(0, header.length).trimEnd());
  const lines: string[][] = parse(text.slice(header.length), { relax_column_count: true });
  if (lines.length !== record.samples) throw refuse(`${record.samples} rows`, String(lines.length));
  const parser = new RowParser(classNames);
  const rows = lines.map((cells, i): PredictionRow => {
    const row = parser.parse(cells);
    if ('expected' in row) throw refuse(`${row.expected} in row ${i + 2}`, row.got);
    return row;
  });
  return {
    classNames,
    files: rows.map(({ file }) => file),
    splits: rows.map(({ split }) => split),
    groups: rows.map(({ group }) => group),
    labels: Int32Array.from(rows, ({ label }) => label),
    probabilities: Float32Array.from(rows.flatMap(({ probabilities }) => probabilities)),
    logits: Float32Array.from(rows.flatMap(({ logits }) => logits)),
  };
}
