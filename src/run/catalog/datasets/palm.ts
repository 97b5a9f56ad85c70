import { InputError } from '../../../errors.js';
import { PALM } from '../../../vision/palm/dataset.js';
import { readRecord } from '../../../vision/palm/record.js';
import { type NamedDataset, nothingToSay } from './namedDataset.js';
import { photographOf, readerOptions, readPhotograph, splitOf } from './photographs.js';

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
    const { synthetic } = await readRecord(dataDir);
    return {
      title: synthetic ? 'synthetic fundus pictures (iChallenge-PM layout)' : 'iChallenge-PM',
      classNames: ['non-PM', 'PM'],
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
