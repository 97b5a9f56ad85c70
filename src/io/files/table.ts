import { stat } from 'node:fs/promises';
import { FileError } from '../../errors.js';
import { normalName } from '../../text/names.js';
import { reasonOf } from './atomic.js';
import { readDelimited } from './delimited.js';
import { readInput, readStart } from './input.js';
import type { TableRow } from './tableRow.js';
import { readWorkbook } from './workbook.js';

export interface Table {
  /** Name of the table in messages. */
  readonly title: string;
  /** Names of the columns, from the first row that is not empty. */
  readonly columns: readonly string[];
  /** The row with the names of the columns. */
  readonly header: TableRow;
  /** The rows below the header, without empty ones. */
  readonly rows: readonly TableRow[];
  /** Uncertain interpretations, such as the encoding, as notes for the user. */
  readonly notes: readonly string[];
}

const maxFileBytes = 2 ** 28;
const maxSheetFileBytes = 2 ** 24;
/** First bytes of zip archives, with files or empty. Workbooks are zip archives. */
const zipStarts = ['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'];

/**
 * Reads a table with a header row: the first sheet of an Excel workbook (.xlsx), or text with columns between
 * commas, semicolons, tabs or bars, in UTF-8, UTF-16 or Windows-1252. The contents decide which.
 *
 * @param title names the table in messages
 * @throws {FileError} if the file cannot be read, is neither, or has too many cells
 */
export async function readTable(path: string, title = path): Promise<Table> {
  const refuse = (expected: string, got: string, todo: string, cause?: unknown) =>
    new FileError(`[table] ${title}: expected ${expected}, got ${got}; ${todo}`, { cause });
  let start: string;
  let size: number;
  try {
    ({ size } = await stat(path));
    start = await firstBytes(path);
  } catch (error) {
    throw refuse('a readable file', reasonOf(error), 'check its name and permissions', error);
  }
  const isWorkbook = zipStarts.includes(start);
  const limit = isWorkbook ? maxSheetFileBytes : maxFileBytes;
  if (size > limit) throw refuse(`at most ${limit / 2 ** 20} MB`, `${size} bytes`, 'save it as .csv in parts');
  if (start.startsWith('\xd0\xcf\x11\xe0')) {
    throw refuse('.xlsx or .csv', 'an old .xls or a file with a password', 'save it as .xlsx or .csv');
  }
  const noTable = (got: string, cause?: unknown) =>
    refuse('.xlsx or .csv', got, 'save it again as .xlsx or .csv', cause);
  const read = isWorkbook
    ? { rows: await readWorkbook(path, title, noTable), notes: [] }
    : await readDelimited(await readInput(path), title, noTable);
  const rows = read.rows
    .map(({ number, cells }) => ({ number, cells: cells.map((cell) => normalName(cell)) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  if (rows.length === 0) throw refuse('a row with the names of the columns', 'an empty table', 'check the file');
  return { title, columns: rows[0].cells, header: rows[0], rows: rows.slice(1), notes: read.notes };
}

/** Index of a column. @throws {FileError} if no column has that name, or several have it */
export function columnIndex({ title, columns }: Table, matches: (name: string) => boolean, wanted: string): number {
  const found = columns.flatMap((name, i) => (matches(name) ? [i] : []));
  if (found.length === 1) return found[0];
  const got = found.length === 0 ? `columns ${columns.join(', ')}` : `${found.map((i) => columns[i]).join(' and ')}`;
  throw new FileError(`[table] ${title}: expected one column ${wanted}, got ${got}; name the columns in the first row`);
}

async function firstBytes(path: string): Promise<string> {
  return (await readStart(path, 4)).toString('latin1');
}
