import { createHash } from 'node:crypto';
import { FileError } from '../errors.js';
import { csvText } from '../text/csv.js';
import { type SplitRole, splitRole } from '../vision/datasets/splits.js';
import type { KnownSplit, OpenedData } from './catalog/datasets.js';
import type { Splits } from './splits.js';

const header = ['file', 'split', 'group', 'label'];

/**
 * split.csv: part of the data, group and class of each picture of a run.
 *
 * @param hasTestData whether the test images come from another place, whose names are not in the table
 * @returns null for data that are no single pictures
 */
export function splitTable(
  splits: Splits,
  { classNames, images }: Pick<OpenedData, 'classNames' | 'images'>,
  hasTestData: boolean,
): string | null {
  if (images === null) return null;
  const parts = [
    { role: 'train', split: splits.train },
    { role: 'validation', split: splits.eval },
    { role: 'test', split: hasTestData ? null : splits.test },
  ] as const;
  const rows = parts.flatMap(({ role, split }) =>
    split === null
      ? []
      : split.files.map(({ label }, i) => [split.nameOf(i), role, split.groupOf(i), classNames[label ?? -1]]),
  );
  return csvText([header, ...rows]);
}

export function splitDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Reads what {@link splitTable} has made.
 *
 * @param sha256 digest of the table when it was written
 * @throws {FileError} if it was changed, or is missing
 */
export async function readSplitTable(path: string, text: string, sha256: string): Promise<KnownSplit['pictures']> {
  if (splitDigest(text) !== sha256) {
    throw new FileError(
      `[run] ${path}: expected the split that the run was trained with, got ${text === '' ? 'none' : 'another: it was edited or cut'}; ` +
        'restore it from a copy, or train again',
    );
  }
  const { parse } = await import('csv-parse/sync');
  const [, ...rows]: string[][] = parse(text);
  return new Map(
    rows.map(([file, part, group]) => [
      file,
      { role: splitRole(part) as SplitRole, group: group === '' ? null : group },
    ]),
  );
}
