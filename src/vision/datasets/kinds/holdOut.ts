import { FileError, InputError } from '../../../errors.js';
import { Generator } from '../../../random.js';
import type { ImageFileDataset } from '../imageFiles.js';
import type { HoldOut, OpenedData, OpenOptions } from './kind.js';
import { splitOf } from './photographs.js';

/** Pictures of which a share of each class is kept back for judging, the same ones for the same seed. */
export function openHoldingOut(dataset: ImageFileDataset, source: string, options: OpenOptions): OpenedData {
  const { images, holdOut } = options;
  const classNames = options.classNames ?? dataset.classNames;
  const whole = dataset.relabelled(classNames);
  return {
    title: `pictures of ${options.location}`,
    classNames,
    imageShape: [3, images.height, images.width],
    images,
    holdOut,
    synthetic: false,
    notes: dataset.notes,
    async open(split) {
      if (split === 'all') return splitOf(whole, source);
      const { train, held } = divide(whole, holdOut, source);
      return splitOf(whole.subset(split === 'train' ? train : held), source);
    },
  };
}

/** Of each class, the share that is closest to what was asked for; one picture at least stays on either side. */
function divide({ files, classNames }: ImageFileDataset, { share, seed }: HoldOut, source: string) {
  if (!(share > 0 && share < 1)) {
    throw new InputError(`[hold-out] share: expected a number between 0 and 1, got ${share}`);
  }
  const held = new Set<number>();
  classNames.forEach((name, label) => {
    const own = files.flatMap((file, i) => (file.label === label ? [i] : []));
    if (own.length < 2) {
      throw new FileError(
        `[hold-out] ${source}: expected at least 2 pictures of ${name}, one to learn from and one to judge by, ` +
          `got ${own.length}; add some or remove the class`,
      );
    }
    const count = Math.min(own.length - 1, Math.max(1, Math.round(share * own.length)));
    const order = new Generator(seed).fork(`hold-out ${name}`).permutation(own.length);
    for (const place of order.subarray(0, count)) held.add(own[place]);
  });
  const all = files.map((_, i) => i);
  return { train: all.filter((i) => !held.has(i)), held: all.filter((i) => held.has(i)) };
}
