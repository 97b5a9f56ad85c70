/// <reference path="./saxen.d.ts" />

import { FileError } from '../../errors.js';
import { readInput } from './input.js';
import { maxCells, maxColumns, maxRows } from './tableLimits.js';
import type { TableRow } from './tableRow.js';
import { ZipArchive, ZipBudget } from './zip.js';

/** Limits of an unpacked workbook: some hundred thousand rows of XML. */
const zipLimits = { maxEntries: 1000, maxBytes: 2 ** 27, maxRatio: 500 };
/** Files that identify other kinds of documents, which are zip archives too. */
const otherKinds: readonly (readonly [file: RegExp, kind: string])[] = [
  [/^content\.xml$/, 'an OpenDocument file (.ods)'],
  [/^xl\/workbook\.bin$/, 'a binary workbook (.xlsb)'],
  [/^word\//, 'a Word document'],
  [/^ppt\//, 'a presentation'],
  [/\.iwa$/, 'a Numbers document'],
];

/**
 * Reads the first sheet of an Excel workbook (.xlsx).
 *
 * @param refuse makes the error for another or a damaged file
 * @throws {FileError} for a file that is no intact workbook, or has too many cells
 */
export async function readWorkbook(
  path: string,
  title: string,
  refuse: (got: string, cause?: unknown) => FileError,
): Promise<TableRow[]> {
  const [{ readSheet }, { Parser }] = await Promise.all([import('read-excel-file/universal'), import('saxen')]);
  await requireWorkbook(path, title, refuse, () => new Parser()).catch((error: unknown) => {
    // Errors about limits stay. Damage, which has a cause, is reported as that of a workbook, not of an
    // archive.
    const isDamage = error instanceof FileError && error.cause !== undefined;
    throw isDamage ? refuse('a damaged workbook', error) : error;
  });
  const bytes = await readInput(path);
  const rows = await readSheet(new Blob([bytes])).catch((error: unknown) => {
    throw refuse('a damaged workbook', error);
  });
  return rows.map((cells, i) => ({ number: i + 1, cells: cells.map(textOf) }));
}

/** Checks sizes first: the reader of workbooks unpacks everything and fills the gaps between cells. */
async function requireWorkbook(
  path: string,
  title: string,
  refuse: (got: string) => FileError,
  makeParser: () => import('saxen').Parser,
): Promise<void> {
  const archive = await ZipArchive.open(path, new ZipBudget(zipLimits, 'save the table as .csv'), title);
  try {
    const names = archive.entries.map(({ name }) => name);
    if (!names.includes('xl/workbook.xml')) {
      const [, kind = 'another archive'] = otherKinds.find(([file]) => names.some((name) => file.test(name))) ?? [];
      throw refuse(kind);
    }
    for (const entry of archive.entries) {
      const pieces: Uint8Array[] = [];
      const isXml = /\.(xml|rels)$/.test(entry.name);
      for await (const piece of entry.read()) if (isXml) pieces.push(piece);
      if (!isXml) continue;
      const damage = () => refuse('a damaged workbook');
      requireRoom(`${title}: ${entry.name}`, Buffer.concat(pieces).toString('utf8'), makeParser(), damage);
    }
  } finally {
    archive.close();
  }
}

/**
 * Checks the number of cells. Broken XML passes, except for broken attributes: a tag with thousands of them
 * would take minutes to read.
 *
 * @throws {FileError} if the cells of a sheet, with the gaps between them, are too many
 */
function requireRoom(where: string, xml: string, parser: import('saxen').Parser, damage: () => FileError): void {
  let [rows, columns, row, column] = [0, 0, 0, 0];
  let last = '';
  const local = (name: string) => name.slice(name.indexOf(':') + 1);
  parser.on('openTag', (name, attributes, decode) => {
    const tag = local(name);
    const { r = '' } = attributes();
    if (tag === 'row') {
      row = Math.max(Number(decode(r)) || 0, row + 1);
      rows = Math.max(rows, row);
      column = 0;
    } else if (tag === 'c') {
      last = decode(r);
      const place = placeOf(last);
      column = place?.column ?? column + 1;
      rows = Math.max(rows, place?.row ?? 0);
    } else if (tag === 'v' || tag === 'is') {
      // A cell without contents, such as one with a border, takes no room.
      columns = Math.max(columns, column);
    } else return;
    if (rows <= maxRows && columns <= maxColumns && rows * columns <= maxCells) return;
    const got = `${columns} columns and ${rows} rows${last === '' ? '' : ` (up to cell ${last})`}`;
    throw new FileError(
      `[table] ${where}: expected at most ${maxColumns} columns, ${maxRows} rows and ${maxCells} cells, got ${got}; ` +
        'delete all cells outside the table, or save the table as .csv',
    );
  });
  parser.on('error', () => {});
  parser.on('warn', ({ message }) => {
    if (/\b(attribute|quotes?)\b/.test(message)) throw damage();
  });
  parser.parse(xml);
}

/** Row and column of an address such as `B12`, from 1. Everything before the digits counts as the column. */
function placeOf(address: string): { readonly row: number; readonly column: number } | null {
  const [, letters, digits] = /^(\D*)(\d.*)$/s.exec(address) ?? [];
  if (letters === undefined) return null;
  let column = 0;
  for (let i = 0; i < letters.length; i++) column = 26 * column + letters.charCodeAt(i) - 64;
  return { row: Number(digits) || 0, column };
}

/** Text of a cell as a spreadsheet shows it; dates as `2025-03-31`, with the time only if there is one. */
function textOf(cell: unknown): string {
  if (cell instanceof Date && !Number.isNaN(cell.getTime())) {
    const [date, time] = cell.toISOString().slice(0, 19).split('T');
    return time === '00:00:00' ? date : `${date} ${time}`;
  }
  if (typeof cell === 'boolean') return cell ? 'TRUE' : 'FALSE';
  return cell === null || cell === undefined ? '' : String(cell);
}
