import { join } from 'node:path';
import { InputError } from '../../../errors.js';
import { safeCell } from '../../../text/csv.js';
import { PALM } from '../../../vision/palm/dataset.js';
import { type PalmImage, readRecord } from '../../../vision/palm/record.js';
import { type KnownSplit, type NamedDataset, nothingToSay } from './namedDataset.js';
import { openListed } from './parts.js';
import { photographOf, readerOptions, readPhotograph, splitOf } from './photographs.js';

const classNames = ['non-PM', 'PM'];

/** Whether a split has pictures in another part than the release, as folds have. */
function isDivided(images: readonly PalmImage[], split: KnownSplit | undefined): split is KnownSplit {
  return images.some(({ file, set }) => {
    const role = split?.pictures.get(safeCell(file))?.role;
    return role !== undefined && role !== set;
  });
}

export const palm: NamedDataset = {
  title: 'iChallenge-PM',
  location: 'DIR',
  evalName: 'validation',
  isPhotographs: true,
  order: 'BGR',
  screening: true,
  // The form in which the challenge takes results.
  predictionColumns: ['FileName', 'PM Risk'],
  async open(options) {
    const { location: dataDir = '', images } = options;
    const { synthetic, images: all } = await readRecord(dataDir);
    const title = synthetic ? 'synthetic fundus pictures (iChallenge-PM layout)' : 'iChallenge-PM';
    if (isDivided(all, options.split)) {
      const listed = {
        where: 'palm',
        root: dataDir,
        files: all.map(({ file, label, set }) => ({ path: join(dataDir, file), label, role: set })),
        classNames,
        source: () => `folder ${dataDir}`,
        origin: (role: string) => role,
        passedOver: [],
        notes: [],
        advice: () => null,
      };
      return { ...openListed(listed, options), title, synthetic };
    }
    return {
      title,
      classNames,
      imageShape: [3, images.height, images.width],
      images,
      holdOut: null,
      synthetic,
      ...nothingToSay,
      async open(split) {
        if (split === 'all' || split === 'test') {
          throw new InputError(`[palm] split: expected train or validation, got ${split}; choose one`);
        }
        const mode = split === 'train' ? 'train' : 'validation';
        return splitOf(await PALM.open({ dataDir, mode, ...readerOptions(options) }), `folder ${dataDir}`, dataDir);
      },
    };
  },
  readImage: readPhotograph,
  picture: photographOf,
};
