import { basename } from 'node:path';
import { InputError } from '../../errors.js';
import { RandomGenerator } from '../../random.js';
import { captioned, cautionOf, type DatasetSheetOptions } from '../datasets/sheets.js';
import { sideBySide } from '../images/contactSheet.js';
import type { PALM } from './dataset.js';

/**
 * A normal eye and one with pathologic myopia side by side, chosen at random. Only the training set
 * distinguishes normal eyes from highly myopic ones.
 *
 * @returns a PNG file
 * @throws {InputError} if there are no pictures of either kind; else as `contactSheet`
 */
export async function palmEyes(
  dataset: PALM,
  { seed = 0, ...options }: Omit<DatasetSheetOptions, 'columns' | 'images'> = {},
): Promise<Uint8Array> {
  const random = new RandomGenerator(seed);
  const pictures = [0, 1].map((label) => {
    const files = dataset.files.filter((file) => file.label === label);
    const normal = files.filter(({ path }) => /^N/.test(basename(path)));
    const group = label === 0 && normal.length > 0 ? normal : files;
    if (group.length === 0) {
      const kind = label === 0 ? 'without' : 'with';
      throw new InputError(`[pictures] eyes: expected some ${kind} pathologic myopia, got none; choose the other set`);
    }
    const chosen = group[random.int(group.length)];
    const names = [group === normal ? 'Normal' : 'No pathologic myopia', 'Pathologic myopia'];
    const { captions, ...picture } = captioned(chosen, dataset.classNames);
    return { ...picture, captions: [`${names[label]} (${captions[0]})`, captions[1]] };
  });
  return sideBySide(pictures, { ...cautionOf(dataset), ...options });
}
