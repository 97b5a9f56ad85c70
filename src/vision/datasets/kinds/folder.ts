import { join } from 'node:path';
import { FileError } from '../../../errors.js';
import { listFolders } from '../../../io/walk.js';
import { DatasetFolder } from '../folder.js';
import { openHoldingOut } from './holdOut.js';
import type { DatasetKind, OpenedData, OpenOptions } from './kind.js';
import { photographOf, readerOptions, readPhotograph, splitOf } from './photographs.js';

const evalFolders = ['validation', 'valid', 'val', 'test'];

/**
 * `DIR/CLASS/PICTURE`, of which some are held out for judging; or `DIR/train/CLASS/PICTURE` and, for judging, the same in
 * `DIR/validation` (or `valid`, `val`, `test`).
 */
export const folder: DatasetKind = {
  title: 'folder of pictures',
  location: 'DIR',
  evalName: 'validation',
  async open(options) {
    const { location: root = '' } = options;
    const folders = await listFolders(root);
    if (!folders.includes('train')) {
      return openHoldingOut(await DatasetFolder.open(root, readerOptions(options)), `folder ${root}`, options);
    }
    const evalFolder = evalFolders.find((name) => folders.includes(name));
    if (evalFolder === undefined) {
      throw new FileError(
        `[folder] ${root}: expected a folder for judging beside 'train' (${evalFolders.join(', ')}), got ` +
          `${folders.join(', ')}; make one, or give the folder with the classes`,
      );
    }
    return openParts(root, evalFolder, options);
  },
  readImage: readPhotograph,
  picture: photographOf,
};

async function openParts(root: string, evalFolder: string, options: OpenOptions): Promise<OpenedData> {
  const { images } = options;
  const train = await DatasetFolder.open(join(root, 'train'), readerOptions(options));
  const classNames = options.classNames ?? train.classNames;
  return {
    title: `pictures of ${root}`,
    classNames,
    imageShape: [3, images.height, images.width],
    images,
    holdOut: null,
    synthetic: false,
    async open(split) {
      if (split === 'train') return splitOf(train.relabelled(classNames), `folder ${join(root, 'train')}`);
      const path = join(root, evalFolder);
      const judged = (await DatasetFolder.open(path, readerOptions(options))).relabelled(classNames);
      return splitOf(judged, `folder ${path}`);
    },
  };
}
