import { InputError } from '../../../errors.js';
import type { PixelDataset, PixelOptions } from '../../../vision/datasets/pixelDataset.js';
import { usualWorkers } from '../../../vision/datasets/reading/imagePool.js';
import { encodePng } from '../../../vision/images/png.js';
import { countClasses, type NamedDataset, nothingToSay, type OpenedSplit, type OpenOptions } from './namedDataset.js';

interface OpenedPixels extends Pick<OpenedSplit, 'source'> {
  readonly dataset: PixelDataset;
  readonly paths: readonly string[];
}

interface PixelKind extends Pick<NamedDataset, 'title' | 'location' | 'readImage'> {
  readonly name: string;
  readonly imageShape: readonly [channels: number, height: number, width: number];
  readonly classNames: readonly string[];
  open(mode: 'train' | 'test', options: OpenOptions & PixelOptions): Promise<OpenedPixels>;
}

/** A data set whose images have one size, and which has a split of its own. */
export function pixelDataset({ name, imageShape, classNames, open, ...kind }: PixelKind): NamedDataset {
  return {
    ...kind,
    locationOptional: true,
    evalName: 'test',
    isPhotographs: false,
    open: async (options) => ({
      title: kind.title,
      classNames,
      imageShape,
      images: null,
      holdOut: null,
      synthetic: false,
      ...nothingToSay,
      async open(split) {
        if (split === 'all') throw new InputError(`[${name}] split: expected train or validation, got all; choose one`);
        const numWorkers = options.imageLoading?.numWorkers ?? usualWorkers;
        const { dataset, source, paths } = await open(split === 'train' ? 'train' : 'test', { ...options, numWorkers });
        return {
          dataset,
          source,
          files: paths.map((path) => ({ path })),
          nameOf: (index) => `${split === 'train' ? 'training' : 'test'} image ${index}`,
          groupOf: () => null,
          classCounts: countClasses(dataset.labels, classNames.length),
          unreadable: [],
        };
      },
    }),
    picture: ({ image, shape }) => encodePng(image, shape),
  };
}
