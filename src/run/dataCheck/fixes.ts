import { statSync } from 'node:fs';
import { join } from 'node:path';
import { FileError, InputError } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readText } from '../../io/files/input.js';
import { csvText, safeCell } from '../../text/csv.js';
import { listed } from '../../text/list.js';
import { suggestion } from '../../text/suggest.js';
import type { DataFixes } from '../catalog/datasets/namedDataset.js';

/** Names of the tables in the folder of a check. */
export const excludeFile = 'exclude.csv';
export const relabelFile = 'relabel.csv';

/**
 * Reads pictures to leave out and new labels: `exclude.csv` and `relabel.csv` of a folder, or one such table
 * with the columns `file` and, for labels, `label`.
 *
 * @throws {FileError} for a table without these columns
 * @throws {InputError} for a folder without such tables, and a picture with two labels
 */
export async function readFixes(path: string): Promise<DataFixes> {
  const excluded: string[] = [];
  const relabelled: Record<string, string> = {};
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new InputError(`[fixes] ${path}: expected a folder or a table, got no such path`);
  const tables = found.isDirectory() ? [excludeFile, relabelFile].map((name) => join(path, name)) : [path];
  const present = tables.filter((table) => statSync(table, { throwIfNoEntry: false }) !== undefined);
  if (present.length === 0) {
    throw new InputError(`[fixes] ${path}: expected ${excludeFile} or ${relabelFile} in the folder, got neither`);
  }
  for (const table of present) {
    const text = await readText(table).catch((error: unknown) => {
      throw new FileError(`[fixes] ${table}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
    });
    const { parse } = await import('csv-parse/sync');
    const rows: Record<string, string>[] = parse(text, { columns: true, skip_empty_lines: true, bom: true });
    for (const [i, row] of rows.entries()) {
      const { file, label } = row;
      if (file === undefined || file === '') {
        throw new FileError(`[fixes] ${table}: expected a column file with a name in row ${i + 2}, got none`);
      }
      if (label === undefined) {
        excluded.push(file);
        continue;
      }
      if ((relabelled[file] ?? label) !== label) {
        throw new InputError(`[fixes] ${table}: expected one label for ${file}, got ${relabelled[file]} and ${label}`);
      }
      relabelled[file] = label;
    }
  }
  return { excluded: [...new Set(excluded)], relabelled };
}

/** @throws {InputError} for data without single pictures, such as MNIST */
export function requireFixable(name: string): void {
  if (name === 'folder' || name === 'csv') return;
  throw new InputError(`[data] ${name}: expected no fixes, since they are for folder:DIR and csv:FILE; leave them out`);
}

/** A table of pictures to leave out. */
export function excludeTable(rows: readonly (readonly [file: string, reason: string])[]): string {
  return csvText([['file', 'reason'], ...rows]);
}

/** A table of new labels. */
export function relabelTable(rows: readonly (readonly [file: string, label: string, reason: string])[]): string {
  return csvText([['file', 'label', 'reason'], ...rows]);
}

interface Fixed {
  readonly label: number;
}

/**
 * Leaves pictures out, and gives others the labels of the fixes.
 *
 * @param nameOf the name of a picture, as in `split.csv`
 * @throws {InputError} for a picture that the data do not have, and for an unknown class
 */
export function applyFixes<T extends Fixed>(
  where: string,
  files: readonly T[],
  classNames: readonly string[],
  { excluded, relabelled }: DataFixes,
  nameOf: (file: T) => string,
): T[] {
  const names = new Set(files.map((file) => safeCell(nameOf(file))));
  const unknown = [...excluded, ...Object.keys(relabelled)].filter((name) => !names.has(name));
  if (unknown.length > 0) {
    throw new InputError(
      `[${where}] fixes: expected names of its pictures, got ${listed(unknown)}; remove these rows, or give the data that were checked`,
    );
  }
  const left = new Set(excluded);
  return files.flatMap((file) => {
    const name = safeCell(nameOf(file));
    if (left.has(name)) return [];
    if (!Object.hasOwn(relabelled, name)) return [file];
    const label = classNames.indexOf(relabelled[name]);
    if (label >= 0) return [{ ...file, label }];
    throw new InputError(
      `[${where}] fixes: expected a label among ${listed(classNames)} for ${name}, got ${relabelled[name]}` +
        suggestion(relabelled[name], classNames),
    );
  });
}
