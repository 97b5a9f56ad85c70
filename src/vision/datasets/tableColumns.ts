import { extname } from 'node:path';
import { FileError } from '../../errors.js';
import type { Table } from '../../io/files/table.js';
import type { TableRow } from '../../io/files/tableRow.js';
import { normalName } from '../../text/names.js';
import { option } from '../../text/option.js';
import { type SplitRole, splitRole, splitRoles } from './splits.js';

/** The meaning of columns whose names do not show it, and the folder that paths start from. */
export interface TableOptions {
  /**
   * Name of the column with the paths of the pictures (found by usual names such as `file`, `image`, `path`).
   */
  readonly fileColumn?: string | undefined;
  /** Name of the column with the classes (found by usual names such as `label`, `class`, `target`). */
  readonly labelColumn?: string | undefined;
  /** Name of the column that says which part of the data a picture belongs to; see `findParts`. */
  readonly splitColumn?: string | undefined;
  /** Name of the column with groups, such as patients, whose pictures stay together in a split (none). */
  readonly groupColumn?: string | undefined;
  /** Folder that the paths start from (that of the table). */
  readonly root?: string | undefined;
}

/** Usual names without case and anything but letters. The first line that fits one column decides. */
const usualNames = {
  file: [
    ['file'],
    ['filename', 'filepath', 'files', 'filenames', 'path', 'filespath', 'relativepath'],
    ['image', 'images', 'imagename', 'imagepath', 'imagefile', 'img', 'imgname', 'imgpath', 'picture', 'photo'],
    ['imageid', 'idcode', 'imgid', 'name', 'id'],
  ],
  label: [
    ['label', 'labels'],
    ['class', 'classes', 'classname', 'classlabel', 'labelname', 'category', 'target', 'kind', 'tag'],
    ['species', 'breed', 'diagnosis', 'y'],
    ['classid', 'labelid', 'categoryid', 'level', 'grade'],
  ],
} as const;

/** The columns, and the rows below the header. */
export interface FoundColumns {
  readonly file: number;
  readonly label: number;
  /** −1 if there is none. */
  readonly split: number;
  /** −1 if there is none. */
  readonly group: number;
  /** All rows if there is no header. */
  readonly rows: readonly TableRow[];
  /** How the columns were understood, for people, unless their names are `file` and `label`. */
  readonly notes: readonly string[];
}

/**
 * Finds the columns of a table of pictures by their names, in any case. Two columns without a header are
 * enough if one of them begins with the name of a file.
 *
 * @throws {FileError}, naming the header and the options, if the columns are unclear
 */
export function findColumns(table: Table, options: TableOptions): FoundColumns {
  const { fileColumn, labelColumn, splitColumn, groupColumn } = options;
  const asked = fileColumn ?? labelColumn ?? splitColumn ?? groupColumn;
  const bare = asked === undefined ? withoutHeader(table) : null;
  if (bare !== null) return bare;
  const file = fileColumn === undefined ? byUsualName(table, 'file') : byName(table, fileColumn, 'fileColumn');
  const label = labelColumn === undefined ? byUsualName(table, 'label') : byName(table, labelColumn, 'labelColumn');
  const split = splitColumn === undefined ? -1 : byName(table, splitColumn, 'splitColumn');
  const group = groupColumn === undefined ? -1 : byName(table, groupColumn, 'groupColumn');
  if (file === label) {
    throw new FileError(
      `[table] ${table.title}: expected files and classes in two columns, got '${table.columns[file]}' for both; ${advice}`,
    );
  }
  const [fileName, labelName] = [table.columns[file], table.columns[label]];
  const isPlain = (fileName === 'file' || fileColumn) && (labelName === 'label' || labelColumn);
  const notes = isPlain ? [] : [`${table.title}: files in the column ${fileName}, classes in the column ${labelName}`];
  return { file, label, split, group, rows: table.rows, notes };
}

/** The column that says which part of the data each picture belongs to. */
export interface FoundParts {
  /** Name of the column; undefined without one. */
  readonly column: string | undefined;
  /** The part that a cell of the column stands for; null if it is none. */
  roleOf(cell: string): SplitRole | null;
  /** Columns that look like parts but are not used, in sentences for people. */
  readonly notes: readonly string[];
}

/**
 * Finds the column of the parts: the one called `split`, or else the one in which every cell is a usual name
 * of a part ({@link splitRoles}), training among them. Then the column may have any name. A column of flags
 * such as `is_valid` does as well.
 *
 * @throws {FileError} for two such columns, for one with names of parts in some rows only, and as
 *   {@link findColumns}
 */
export function findParts(table: Table, options: TableOptions): FoundParts {
  const { columns, rows, title } = table;
  const cellsOf = (i: number) => rows.map(({ cells }) => cells[i] ?? '');
  const named = options.splitColumn ?? columns.find((name) => name.toLowerCase() === 'split');
  const nothing: FoundParts = { column: undefined, roleOf: () => null, notes: [] };
  if (named !== undefined) {
    const i = columns.findIndex((name) => name.toLowerCase() === normalName(named).toLowerCase());
    return { column: named, roleOf: rolesIn(named, i < 0 ? [] : cellsOf(i)), notes: [] };
  }
  const { file, label, rows: data } = findColumns(table, options);
  if (data.length !== rows.length || rows.length === 0) return nothing;
  const others = columns.flatMap((name, i) => (i === file || i === label || name === '' ? [] : [{ name, i }]));
  const found = others.filter(({ name, i }) =>
    divides(cellsOf(i), rolesIn(name, cellsOf(i)), /^is[_ .-]|^is[A-Z]/.test(name)),
  );
  if (found.length > 1) {
    const got = found.map(({ name }) => name).join(' and ');
    throw new FileError(
      `[table] ${title}: expected one column with the parts of the data, got ${got}; say which it is: ` +
        option('splitColumn'),
    );
  }
  if (found.length === 1) {
    const [{ name, i }] = found;
    return { column: name, roleOf: rolesIn(name, cellsOf(i)), notes: [] };
  }
  for (const { name, i } of others) requireAllOrNone(table, name, i);
  const unused = others.filter(({ name, i }) => {
    const isFlag = flagRole(name) !== null && cellsOf(i).every((cell) => truth.test(cell));
    return isFlag || (/^k?[\s_.-]?folds?([\s_.-]?id)?$/i.test(name) && cellsOf(i).every((cell) => /^\d+$/.test(cell)));
  });
  const notes = unused.map(
    ({ name }) =>
      `${title}: the column ${name} is not used; a column split with train, validation and test says which pictures are for evaluation`,
  );
  return { ...nothing, notes };
}

/** The parts that cells of a column stand for: by usual names, or by a flag that names the column. */
function rolesIn(name: string, cells: readonly string[]): (cell: string) => SplitRole | null {
  const flagged = flagRole(name);
  if (flagged !== null && cells.length > 0 && cells.every((cell) => truth.test(cell))) {
    // Where training is the flag, nothing says what the others are for. As a test they choose nothing.
    const other: SplitRole = flagged === 'train' ? 'test' : 'train';
    return (cell) => (isTrue.test(cell) ? flagged : other);
  }
  const roles = splitRoles(cells);
  return (cell) => roles.get(cell) ?? null;
}

/** Whether cells divide the rows. Without being asked for, only `is_…` is taken for a column of flags. */
function divides(cells: readonly string[], roleOf: (cell: string) => SplitRole | null, mayBeFlag: boolean): boolean {
  const roles = new Set(cells.map(roleOf));
  const isFlag = cells.every((cell) => truth.test(cell));
  return !roles.has(null) && roles.has('train') && (!isFlag || (mayBeFlag && roles.size > 1));
}

/** The part in the name of a column of flags: `is_valid`, `isTest`, `train`. */
function flagRole(name: string): SplitRole | null {
  return splitRole(name.replace(/^is(?=[_ .-]|[A-Z])/i, ''));
}

/** @throws {FileError} for a column in which most cells, but not all, are names of different parts */
function requireAllOrNone({ title, rows }: Table, name: string, i: number): void {
  const cells = rows.map(({ number, cells }) => ({ number, cell: cells[i] ?? '' }));
  const roles = cells.map(({ cell }) => splitRole(cell));
  const known = roles.filter((role) => role !== null);
  const isDivided = known.includes('train') && new Set(known).size > 1 && 2 * known.length > rows.length;
  const strange = cells.find((_, row) => roles[row] === null);
  if (!isDivided || strange === undefined) return;
  const got = strange.cell === '' ? 'nothing' : `'${strange.cell}'`;
  throw new FileError(
    `[table] ${title}: expected a part of the data in each row of the column ${name}, as in others, got ${got} in row ` +
      `${strange.number}; correct or remove the row, or remove the column if it means something else`,
  );
}

const truth = /^([01](\.0)?|true|false|yes|no|[tfyn])$/i;
const isTrue = /^(1(\.0)?|true|yes|[ty])$/i;

const advice = `name the columns in the first row, or say which they are: ${option('fileColumn')} and ${option('labelColumn')}`;

function refuse({ title, columns }: Table, expected: string, got = `columns ${columns.join(', ')}`): FileError {
  return new FileError(`[table] ${title}: expected ${expected}, got ${got}; ${advice}`);
}

function byName(table: Table, wanted: string, option: keyof TableOptions): number {
  const name = normalName(wanted);
  const folded = name.toLowerCase();
  const places = (holds: (column: string) => boolean) => table.columns.flatMap((c, i) => (holds(c) ? [i] : []));
  const exact = places((column) => column === name);
  const found = exact.length > 0 ? exact : places((column) => column.toLowerCase() === folded);
  if (found.length === 1) return found[0];
  const got = found.length === 0 ? undefined : found.map((i) => table.columns[i]).join(' and ');
  throw refuse(table, `one column '${wanted}' (${option})`, got);
}

function byUsualName(table: Table, role: keyof typeof usualNames): number {
  const plain = table.columns.map((name) => name.toLowerCase().replace(/[^\p{L}]/gu, ''));
  for (const names of usualNames[role]) {
    const found = plain.flatMap((name, i) => ((names as readonly string[]).includes(name) ? [i] : []));
    if (found.length === 1) return found[0];
    if (found.length > 1) throw refuse(table, `one column '${role}'`, found.map((i) => table.columns[i]).join(' and '));
  }
  throw refuse(table, `one column '${role}'`);
}

/** The columns of a table without a header, whose first row is a file and its class; else null. */
function withoutHeader(table: Table): FoundColumns | null {
  const { columns, header, rows, title } = table;
  if (columns.length !== 2) return null;
  const isFile = columns.map((cell) => /^\.[a-z]{3,4}$/i.test(extname(cell)) || /[\\/]/.test(cell));
  if (isFile[0] === isFile[1]) return null;
  const file = isFile[0] ? 0 : 1;
  const notes = [`${title}: no names of columns; files in column ${file + 1}, classes in column ${2 - file}`];
  return { file, label: 1 - file, split: -1, group: -1, rows: [header, ...rows], notes };
}
