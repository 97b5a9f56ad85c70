import { findData, type OpenOptions } from '../catalog/datasets.js';
import { openToCheck, partsOf } from './check.js';
import { applyFixes, readFixes, requireFixable } from './fixes.js';

/** A picture that fixes change. */
export interface FixedPicture {
  /** As in `split.csv`. */
  readonly name: string;
  readonly path: string;
  /** Class in the data. */
  readonly label: string;
  /** Class after the fixes; null for a picture that they leave out. */
  readonly fixed: string | null;
}

/** The pictures of all parts of the data that fixes change: those that are left out first. */
export interface FixedPictures {
  readonly title: string;
  /** Number of pictures without the fixes. */
  readonly images: number;
  readonly pictures: readonly FixedPicture[];
}

/**
 * Finds the pictures that fixes would leave out or relabel. Nothing is changed.
 *
 * @param data `folder:DIR` or `csv:FILE`
 * @param fixes a folder with `exclude.csv` and `relabel.csv`, or one such table
 * @throws {InputError} for other data, names that the data do not have, and unknown classes
 * @throws {FileError} for a table that cannot be read
 */
export async function fixedPictures(
  data: string,
  fixes: string,
  options: Pick<OpenOptions, 'imageLoading' | 'onProgress'> & { readonly dataDir?: string | undefined } = {},
): Promise<FixedPictures> {
  requireFixable(findData(data).name);
  const read = await readFixes(fixes);
  const opened = await openToCheck(data, options);
  const all: { name: string; path: string; label: number }[] = [];
  for (const { split: role } of partsOf(opened)) {
    const split = await opened.open(role);
    split.files.forEach(({ path, label = -1 }, i) => {
      all.push({ name: split.nameOf(i), path, label });
    });
  }
  const { title, classNames } = opened;
  const left = new Map(applyFixes('data', all, classNames, read, (file) => file.name).map((file) => [file.name, file]));
  const changed = all.flatMap(({ name: own, path, label }): FixedPicture[] => {
    const after = left.get(own)?.label;
    if (after === label) return [];
    return [{ name: own, path, label: classNames[label], fixed: after === undefined ? null : classNames[after] }];
  });
  const isOut = ({ fixed }: FixedPicture) => fixed === null;
  const pictures = [...changed.filter(isOut), ...changed.filter((picture) => !isOut(picture))];
  return { title, images: all.length, pictures };
}
