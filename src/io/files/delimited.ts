import { FileError } from '../../errors.js';
import { decodeText } from '../../text/decode.js';
import { maxCells, maxColumns } from './tableLimits.js';
import type { TableRow } from './tableRow.js';

const delimiters = [',', ';', '\t', '|'];
/** Limit of a row, in bytes. */
const maxRowBytes = 2 ** 20;
/** A first line by which spreadsheets name the delimiter. */
const separatorLine = /^"?sep=(.)"?[ \t]*(?:\r\n|\n|\r|$)/i;

/** A parsed text with columns. */
export interface DelimitedText {
  readonly rows: TableRow[];
  /** Uncertain interpretations, as notes for the user. */
  readonly notes: readonly string[];
}

/**
 * Parses text with columns between commas, semicolons, tabs or bars. The delimiter is the most frequent one
 * in the first row, or named by a line `sep=;` above it. Rows end in any of the three usual ways. Cells that
 * contain the delimiter are in double quotes.
 *
 * @param refuse makes the error for a text that is no table
 * @throws {FileError} for bytes that are no text, quotes that do not match, or too many cells
 */
export async function readDelimited(
  bytes: Uint8Array,
  title: string,
  refuse: (got: string, cause?: unknown) => FileError,
): Promise<DelimitedText> {
  const { parse } = await import('csv-parse/sync');
  const { text, encoding } = decodeText(bytes, `[table] ${title}`);
  const [line = '', named] = separatorLine.exec(text) ?? [];
  const above = line === '' ? 0 : 1;
  const delimiter = named ?? delimiterOf(text);
  const body = text.slice(line.length);
  requireRoom(title, body, delimiter, above);
  const keep = (record: string[], { lines }: { lines: number }): TableRow | null => {
    // A row of delimiters alone is empty, even a long one.
    let length = record.length;
    while (length > 0 && record[length - 1] === '') length--;
    return length === 0 ? null : { number: lines + above, cells: record.slice(0, length) };
  };
  const options = {
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: maxRowBytes,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    on_record: keep,
  };
  const notes =
    encoding === 'Windows-1252'
      ? [`${title}: read as Windows-1252, since it is no UTF-8; if letters look wrong, save it as UTF-8`]
      : [];
  try {
    return { rows: parse(body, options as never) as unknown as TableRow[], notes };
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw refuse(problemOf(error, above), error);
  }
}

/** Counts the cells before parsing, without empty ones at the ends of rows. */
function requireRoom(title: string, text: string, delimiter: string, above: number): void {
  const [quote, feed, ret, space] = ['"', '\n', '\r', ' '].map((character) => character.charCodeAt(0));
  const between = delimiter.charCodeAt(0);
  let [cells, columns, delimitersNow, line] = [0, 0, 0, 1 + above];
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === feed || (code === ret && text.charCodeAt(i + 1) !== feed)) line++;
    if (code === quote) isQuoted = !isQuoted;
    if (!isQuoted && (code === feed || code === ret)) {
      cells += columns;
      columns = 0;
      delimitersNow = 0;
    } else if (!isQuoted && code === between) delimitersNow++;
    else if (code !== space) columns = delimitersNow + 1;
    if (columns <= maxColumns && delimitersNow <= maxRowBytes && cells + columns <= maxCells) continue;
    const got = columns <= maxColumns && delimitersNow <= maxRowBytes ? 'more cells' : `${delimitersNow + 1} columns`;
    throw new FileError(
      `[table] ${title}: expected at most ${maxColumns} columns and ${maxCells} cells, got ${got} in row ${line}; ` +
        `check what stands between columns (${JSON.stringify(delimiter)}), or save it in parts`,
    );
  }
}

/** The delimiter of a text, by its first row that is not empty; quoted text there does not count. */
function delimiterOf(text: string): string {
  const header = (/\S.*/.exec(text)?.[0] ?? '').slice(0, maxRowBytes).replace(/"[^"]*"/g, '');
  const count = (delimiter: string) => header.split(delimiter).length;
  return delimiters.reduce((best, next) => (count(next) > count(best) ? next : best));
}

function problemOf(error: unknown, above: number): string {
  const { code = '', lines } = error as { readonly code?: string; readonly lines?: number };
  const row = lines === undefined ? '' : ` in row ${lines + above}`;
  if (code === 'CSV_MAX_RECORD_SIZE') return `a row of more than ${maxRowBytes} bytes, or a quote without an end`;
  if (/QUOTE/.test(code)) return `double quotes that do not match${row}`;
  return 'text that is no table';
}
