import { open, readFile, stat } from 'node:fs/promises';
import { FileError, messageOf } from '../errors.js';
import { reasonOf } from './atomic.js';
import { ZipArchive, ZipBudget } from './zip.js';

/** A row of a table, as text. */
export interface TableRow {
  /** Number as a spreadsheet or an editor shows it, from 1 on. */
  readonly number: number;
  /** By column, without white space around. Missing cells at the end may be left out. */
  readonly cells: readonly string[];
}

export interface Table {
  /** What to call it in messages. */
  readonly title: string;
  /** Names of the columns, from the first row that is not empty. */
  readonly columns: readonly string[];
  /** The rows below, without the empty ones. */
  readonly rows: readonly TableRow[];
}

type Parse = typeof import('csv-parse/sync').parse;
type ReadSheet = typeof import('read-excel-file/universal').readSheet;

const maxFileBytes = 2 ** 28;
const maxSheetFileBytes = 2 ** 24;
/** Unpacked XML of a spreadsheet: some hundred thousand rows. */
const sheetLimits = { maxEntries: 1000, maxBytes: 2 ** 27, maxRatio: 500 };

/**
 * Reads a table with a header row: the first sheet of an Excel workbook (.xlsx), or text with columns between commas,
 * semicolons or tabs, in UTF-8 or UTF-16. Which it is, is seen from the contents.
 *
 * @param title what to call the table in messages
 * @throws FileError if it cannot be read or is neither
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
  const isWorkbook = start.startsWith('PK\x03\x04');
  const limit = isWorkbook ? maxSheetFileBytes : maxFileBytes;
  if (size > limit) throw refuse(`at most ${limit / 2 ** 20} MB`, `${size} bytes`, 'save it as .csv in parts');
  if (start.startsWith('\xd0\xcf\x11\xe0')) {
    throw refuse('.xlsx or .csv', 'an old .xls or a file with a password', 'save it as .xlsx or .csv');
  }
  // Only what is needed, and before the reading: a package that does not load is no fault of the table's.
  let read: () => Promise<TableRow[]>;
  if (isWorkbook) {
    const { readSheet } = await import('read-excel-file/universal');
    read = () => readWorkbook(path, title, readSheet);
  } else {
    const { parse } = await import('csv-parse/sync');
    read = async () => readText(await readFile(path), parse);
  }
  let rows: TableRow[];
  try {
    rows = await read();
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw refuse('.xlsx or .csv', messageOf(error), 'save it anew as .xlsx or .csv', error);
  }
  rows = rows.filter(({ cells }) => cells.some((cell) => cell !== ''));
  if (rows.length === 0) throw refuse('a row with the names of the columns', 'an empty table', 'check the file');
  return { title, columns: rows[0].cells, rows: rows.slice(1) };
}

/** Place of a column. @throws FileError if there is none of that name, or more than one */
export function columnIndex({ title, columns }: Table, matches: (name: string) => boolean, wanted: string): number {
  const found = columns.flatMap((name, i) => (matches(name) ? [i] : []));
  if (found.length === 1) return found[0];
  const got = found.length === 0 ? `columns ${columns.join(', ')}` : `${found.map((i) => columns[i]).join(' and ')}`;
  throw new FileError(`[table] ${title}: expected one column ${wanted}, got ${got}; name the columns in the first row`);
}

async function firstBytes(path: string): Promise<string> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function readWorkbook(path: string, title: string, readSheet: ReadSheet): Promise<TableRow[]> {
  // The reader of workbooks unpacks whatever it finds, in memory: what is in there is measured before.
  const archive = await ZipArchive.open(path, new ZipBudget(sheetLimits, 'save the table as .csv'), title);
  try {
    for (const entry of archive.entries) for await (const _ of entry.read());
  } finally {
    archive.close();
  }
  const rows = await readSheet(new Blob([await readFile(path)]));
  return rows.map((cells, i) => ({ number: i + 1, cells: cells.map(textOf) }));
}

function textOf(cell: unknown): string {
  if (cell instanceof Date) return cell.toISOString();
  return cell === null || cell === undefined ? '' : String(cell).trim();
}

function readText(contents: Uint8Array, parse: Parse): TableRow[] {
  const isUTF16 = contents[0] === 0xff && contents[1] === 0xfe;
  const text = new TextDecoder(isUTF16 ? 'utf-16le' : 'utf-8').decode(contents);
  if (text.includes('\0')) throw new Error('neither text nor a workbook');
  const header = /\S.*/.exec(text)?.[0] ?? '';
  const count = (delimiter: string) => header.split(delimiter).length;
  const delimiter = [',', ';', '\t'].reduce((best, next) => (count(next) > count(best) ? next : best));
  const options = { delimiter, info: true, relax_column_count: true, skip_empty_lines: true, trim: true } as const;
  const records = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
  return records.map(({ record, info }) => ({ number: info.lines, cells: record }));
}
