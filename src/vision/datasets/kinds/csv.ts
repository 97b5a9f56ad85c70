import { FileError } from '../../../errors.js';
import { readTable } from '../../../io/table.js';
import { CsvDataset } from '../csvDataset.js';
import { openHoldingOut } from './holdOut.js';
import type { DatasetKind } from './kind.js';
import { photographOf, readerOptions, readPhotograph, splitOf } from './photographs.js';

const evalSplit = /^(validation|valid|val|test|eval)$/i;

/**
 * A table with the columns `file` and `label`. A third column `split` may say which pictures are for training (`train`)
 * and which for judging (`validation`, `valid`, `val`, `test`); without it, some are held out.
 */
export const csv: DatasetKind = {
  title: 'table of pictures',
  location: 'FILE',
  evalName: 'validation',
  async open(options) {
    const { location: path = '', images } = options;
    const { table = {} } = options.reading ?? {};
    const { columns } = await readTable(path);
    const splitColumn = table.splitColumn ?? columns.find((name) => name.toLowerCase() === 'split');
    const dataset = await CsvDataset.open(path, { ...readerOptions(options), ...table, splitColumn });
    const source = `table ${path}`;
    if (splitColumn === undefined) return openHoldingOut(dataset, source, options);
    const strange = dataset.files.find(({ split = '' }) => split !== 'train' && !evalSplit.test(split));
    if (strange !== undefined) {
      throw new FileError(
        `[csv dataset] ${path}: expected 'train' or 'validation' in the column ${splitColumn}, got ` +
          `'${strange.split}' for ${strange.path}; correct the table`,
      );
    }
    const classNames = options.classNames ?? dataset.classNames;
    const whole = dataset.relabelled(classNames);
    return {
      title: `pictures of ${path}`,
      classNames,
      imageShape: [3, images.height, images.width],
      images,
      holdOut: null,
      synthetic: false,
      notes: dataset.notes,
      async open(split) {
        const indices = whole.files.flatMap((file, i) =>
          split === 'all' || (file.split === 'train') === (split === 'train') ? [i] : [],
        );
        if (indices.length === 0) {
          throw new FileError(`[csv dataset] ${path}: expected pictures for ${split}, got none; correct the table`);
        }
        return splitOf(whole.subset(indices), source);
      },
    };
  },
  readImage: readPhotograph,
  picture: photographOf,
};
