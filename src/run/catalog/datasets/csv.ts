import { dirname } from 'node:path';
import { FileError } from '../../../errors.js';
import { readTable } from '../../../io/files/table.js';
import { listed } from '../../../text/list.js';
import { listOfTable } from '../../../vision/datasets/csvDataset.js';
import { type SplitRole, usualSplitNames } from '../../../vision/datasets/splits.js';
import { findParts } from '../../../vision/datasets/tableColumns.js';
import { requireLocation } from './location.js';
import type { NamedDataset } from './namedDataset.js';
import { openListed } from './parts.js';
import { photographOf, readPhotograph } from './photographs.js';

/**
 * A table with the columns `file` and `label`. A third column may assign pictures to training, validation and
 * test, by any usual names: see `findParts`. Without it, some are held out.
 */
export const csv: NamedDataset = {
  title: 'table of pictures',
  location: 'FILE',
  evalName: 'validation',
  isPhotographs: true,
  async open(options) {
    const { location: path = '' } = options;
    const { table = {} } = options.imageLoading ?? {};
    await requireLocation('csv', path);
    const {
      column: splitColumn,
      roleOf: roleIn,
      notes: unused,
    } = findParts(await readTable(path), { ...table, groupColumn: options.group });
    const { files, classNames, notes } = await listOfTable(path, { ...table, splitColumn, groupColumn: options.group });
    const roleOf = (split: string | undefined, file: string) => {
      if (splitColumn === undefined) return null;
      const role = roleIn(split ?? '');
      if (role !== null) return role;
      throw new FileError(
        `[csv dataset] ${path}: expected ${usualSplitNames} in the column ${splitColumn}, got ` +
          `${split === undefined || split === '' ? 'nothing' : `'${split}'`} for ${file}; correct the table`,
      );
    };
    const listed = {
      where: `table ${path}`,
      root: table.root ?? dirname(path),
      files: files.map((file) => ({ ...file, role: roleOf(file.split, file.path) })),
      classNames,
      source: () => `table ${path}`,
      origin: (wanted: SplitRole) =>
        `'${files.find(({ split = '' }) => roleIn(split) === wanted)?.split}' in ${splitColumn}`,
      passedOver: [],
      notes: [...notes, ...unused, ...severalNotes(classNames)],
      advice: () => null,
    };
    return openListed(listed, options);
  },
  readImage: readPhotograph,
  picture: photographOf,
};

/** A note about labels such as `cat|dog` beside `cat`: a picture has one class here. */
function severalNotes(classNames: readonly string[]): string[] {
  const known = new Set(classNames);
  const several = classNames.filter((name) => {
    const parts = name.split(/[|;]/);
    return parts.length > 1 && parts.some((part) => known.has(part.trim()));
  });
  if (several.length === 0) return [];
  return [`labels with several names are classes of their own, since each picture has one class: ${listed(several)}`];
}
