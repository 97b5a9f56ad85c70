import { dirname } from 'node:path';
import { FileError, InputError } from '../../errors.js';
import { readTable } from '../../io/files/table.js';
import type { TableRow } from '../../io/files/tableRow.js';
import { listed } from '../../text/list.js';
import { FileFinder } from './fileFinder.js';
import { classesOf, LabelRule, missingLabels } from './labelNames.js';
import { type ImageFile, ImageFileDataset, type ImageFilesOptions, imageFileSet } from './reading/imageFiles.js';
import { splitRole } from './splits.js';
import { findColumns, type TableOptions } from './tableColumns.js';

export interface CsvDatasetOptions extends ImageFilesOptions, TableOptions {
  /**
   * The classes in the order of their numbers (default: those in the table, sorted by name, or by value if
   * they are numbers).
   */
  readonly classNames?: readonly string[];
}

/** A row of a table after parsing. */
interface Entry {
  readonly number: number;
  readonly file: string;
  readonly label: string;
  readonly split: string | undefined;
  readonly group: string | undefined;
}

/**
 * Pictures and classes from a table: text (.csv, .tsv) or an Excel workbook (.xlsx). The table has a header
 * row, or just two columns. If all labels are numbers, they are compared by value, so that `1` and `1.0` are
 * one class; else they are text.
 *
 * @example
 * ```ts
 * const photos = await vision.datasets.CsvDataset.open('photos/labels.csv', { labelColumn: 'species' });
 * ```
 */
export class CsvDataset extends ImageFileDataset {
  /**
   * @throws {FileError} for a table without these columns, rows without a file or a class or with more cells
   *   than there are columns, with a file that does not exist or comes twice with different classes, or with
   *   a class that is not in `classNames`; the message names the rows
   */
  static async open(path: string, options: CsvDatasetOptions = {}): Promise<CsvDataset> {
    const { files, classNames, notes } = await listOfTable(path, options);
    return new CsvDataset({ ...(await imageFileSet('csv dataset', files, classNames, options)), notes });
  }
}

/** The contents of a table of pictures. */
export interface ListOfTable {
  readonly files: readonly ImageFile[];
  readonly classNames: readonly string[];
  /** How the table was understood, in sentences for people. */
  readonly notes: readonly string[];
}

/**
 * The pictures that a table lists. No picture is opened.
 *
 * @throws {FileError} as {@link CsvDataset.open}
 */
export async function listOfTable(
  path: string,
  options: TableOptions & Pick<CsvDatasetOptions, 'classNames'> = {},
): Promise<ListOfTable> {
  const { fileColumn, labelColumn, splitColumn, groupColumn, root = dirname(path), classNames } = options;
  const table = await readTable(path);
  const columns = findColumns(table, { fileColumn, labelColumn, splitColumn, groupColumn });
  const refuseRows = (bad: readonly Entry[], expected: string, got: string) => {
    if (bad.length === 0) return;
    const where = listed(bad.map(({ number, file }) => `${number}${file === '' ? '' : ` (${file})`}`));
    throw new FileError(`[csv dataset] ${path}: expected ${expected}, got ${got} in row ${where}; correct the table`);
  };
  const entryOf = ({ number, cells }: TableRow): Entry => ({
    number,
    file: cells[columns.file] ?? '',
    label: cells[columns.label] ?? '',
    split: cells[columns.split],
    group: columns.group < 0 ? undefined : (cells[columns.group] ?? ''),
  });
  const entries = columns.rows.map(entryOf);
  if (entries.length === 0) throw new FileError(`[csv dataset] ${path}: expected rows below the header, got none`);
  const width = table.columns.length;
  const isWide = ({ cells }: TableRow) => cells.slice(width).some((cell) => cell !== '');
  refuseRows(
    columns.rows.filter(isWide).map(entryOf),
    `${width} columns as in the first row`,
    'more (a name with the separator in it stands in double quotes)',
  );
  refuseRows(
    entries.filter(({ file }) => file === ''),
    'a file in each row',
    'none',
  );
  refuseRows(
    entries.filter(({ label }) => label === ''),
    'a class in each row',
    'none',
  );
  refuseRows(
    entries.filter(({ group }) => group === ''),
    `a group in each row of the column ${groupColumn}`,
    'none',
  );
  const missing = missingLabels(entries.map(({ label }) => label));
  refuseRows(
    entries.filter(({ label }) => missing.has(label)),
    'a number as the class in each row, as in others',
    [...missing].join(', '),
  );
  const found = classesOf(entries.map(({ label }) => label));
  const known = classNames ?? found.classNames;
  const rule = classNames === undefined ? found.rule : new LabelRule([...found.classNames, ...classNames]);
  const labels = new Map(known.map((name, label) => [rule.keyOf(name), label]));
  if (labels.size !== known.length) {
    throw new InputError(`[csv dataset] classNames: expected each name once, got ${known.join(', ')}`);
  }
  const strange = entries.filter(({ label }) => !labels.has(rule.keyOf(label)));
  refuseRows(strange, `classes ${known.join(', ')}`, [...new Set(strange.map(({ label }) => label))].join(', '));
  const finder = new FileFinder(root);
  const placed: (Entry & { readonly path: string })[] = [];
  const lost = new Map<string, Entry[]>();
  for (const entry of entries) {
    const place = await finder.find(entry.file);
    if ('path' in place) placed.push({ ...entry, path: place.path });
    else lost.set(place.problem, [...(lost.get(place.problem) ?? []), entry]);
  }
  for (const [problem, bad] of lost) refuseRows(bad, `files in ${root}`, problem);
  const first = new Map<string, Entry>();
  const doubled: Entry[] = [];
  const files = placed.flatMap((entry) => {
    const before = first.get(entry.path);
    const label = labels.get(rule.keyOf(entry.label)) as number;
    if (before === undefined) {
      first.set(entry.path, entry);
      const { split, group } = entry;
      return [
        { path: entry.path, label, ...(split !== undefined && { split }), ...(group !== undefined && { group }) },
      ];
    }
    requireSame(path, before, entry, rule);
    doubled.push(entry);
    return [];
  });
  const notes = [
    ...table.notes,
    ...columns.notes,
    ...found.notes.map((note) => `${path}: ${note}`),
    ...(doubled.length === 0
      ? []
      : [`${path}: files that come again with the same class count once: ${listed(doubled.map(describe))}`]),
  ];
  return { files, classNames: known, notes };
}

function describe({ number, file }: Entry): string {
  return `row ${number} (${file})`;
}

/** The part of the data that a row names. All usual names of a part give the same result. */
function partOf({ split = '' }: Entry): string {
  return splitRole(split) ?? split;
}

/** @throws {FileError} for two rows with the same file but different classes or parts */
function requireSame(path: string, a: Entry, b: Entry, rule: LabelRule): void {
  const differ =
    rule.keyOf(a.label) !== rule.keyOf(b.label)
      ? 'label'
      : partOf(a) !== partOf(b)
        ? 'split'
        : a.group !== b.group
          ? 'group'
          : null;
  if (differ === null) return;
  const [before, after] = [a[differ], b[differ]].map((text) => `'${text ?? ''}'`);
  const name = { label: 'class', split: 'part', group: 'group' }[differ];
  throw new FileError(
    `[csv dataset] ${path}: expected one ${name} for each file, got ${before} in ` +
      `${describe(a)} and ${after} in ${describe(b)}; correct the table`,
  );
}
