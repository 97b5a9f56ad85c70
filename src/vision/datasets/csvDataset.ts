import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FileError, InputError } from '../../errors.js';
import { columnIndex, readTable } from '../../io/table.js';
import { ImageFileDataset, type ImageFilesOptions, imageFileSet } from './imageFiles.js';
import { listed } from './listed.js';

export interface CsvDatasetOptions extends ImageFilesOptions {
  /** Name of the column with the paths of the pictures ('file'). */
  readonly fileColumn?: string;
  /** Name of the column with the classes ('label'). */
  readonly labelColumn?: string;
  /** Name of a column that says which part of the data a picture belongs to; kept as `split` of the files (none). */
  readonly splitColumn?: string;
  /** Folder that the paths start from (that of the table). */
  readonly root?: string;
  /** The classes in the order of their numbers (those in the table, in the order of their names, or as numbers). */
  readonly classNames?: readonly string[];
}

/** Pictures and classes as a table lists them: text (.csv, .tsv) or an Excel workbook (.xlsx), with a header row. */
export class CsvDataset extends ImageFileDataset {
  /**
   * @throws FileError for a table without these columns, rows without a file or a class, with a file that does not
   * exist or comes twice, or with a class that is not in `classNames`; the message names the rows
   */
  static async open(path: string, options: CsvDatasetOptions = {}): Promise<CsvDataset> {
    const {
      fileColumn = 'file',
      labelColumn = 'label',
      splitColumn,
      root = dirname(path),
      classNames,
      ...rest
    } = options;
    const table = await readTable(path);
    const at = (column: string) => columnIndex(table, (name) => name === column, `'${column}'`);
    const [fileAt, labelAt] = [at(fileColumn), at(labelColumn)];
    const splitAt = splitColumn === undefined ? -1 : at(splitColumn);
    const rows = table.rows.map(({ number, cells }) => {
      const file = cells[fileAt] ?? '';
      return { number, file, path: resolve(root, file), label: cells[labelAt] ?? '', split: cells[splitAt] };
    });
    const refuseRows = (bad: readonly { number: number; file: string }[], expected: string, got: string) => {
      if (bad.length === 0) return;
      const where = listed(bad.map(({ number, file }) => `${number}${file === '' ? '' : ` (${file})`}`));
      throw new FileError(`[csv dataset] ${path}: expected ${expected}, got ${got} in row ${where}; correct the table`);
    };
    if (rows.length === 0) throw new FileError(`[csv dataset] ${path}: expected rows below the header, got none`);
    refuseRows(
      rows.filter(({ file }) => file === ''),
      'a file in each row',
      'none',
    );
    refuseRows(
      rows.filter(({ label }) => label === ''),
      'a class in each row',
      'none',
    );
    const seen = new Set<string>();
    const doubled = rows.filter((row) => seen.size === seen.add(row.path).size);
    refuseRows(doubled, 'each file once', 'it again');
    const known = classNames ?? inOrder(new Set(rows.map(({ label }) => label)));
    if (new Set(known).size !== known.length) {
      throw new InputError(`[csv dataset] classNames: expected each name once, got ${known.join(', ')}`);
    }
    const labels = new Map(known.map((name, label) => [name, label]));
    const strange = rows.filter(({ label }) => !labels.has(label));
    refuseRows(strange, `classes ${known.join(', ')}`, [...new Set(strange.map(({ label }) => label))].join(', '));
    const there = await Promise.all(
      rows.map((row) =>
        stat(row.path).then(
          () => true,
          () => false,
        ),
      ),
    );
    refuseRows(
      rows.filter((_, i) => !there[i]),
      `files in ${root}`,
      'missing ones',
    );
    const files = rows.map(({ path, label, split }) => ({
      path,
      label: labels.get(label) as number,
      ...(split !== undefined && { split }),
    }));
    return new CsvDataset(await imageFileSet('csv dataset', files, known, rest));
  }
}

/** By value if all are integers, else by their characters. */
function inOrder(names: ReadonlySet<string>): string[] {
  const all = [...names];
  return all.every((name) => /^-?\d+$/.test(name)) ? all.sort((a, b) => Number(a) - Number(b)) : all.sort();
}
