import { requireEffect } from '../../../effect.js';
import { FileError, InputError } from '../../../errors.js';
import { writeFileAtomic } from '../../../io/files/atomic.js';
import { type FixedPicture, fixedPictures } from '../../../run/dataCheck/fixedPictures.js';
import { imageLoadingOf } from '../../../run/runOptionsOf.js';
import { formatCount } from '../../../text/numbers.js';
import { type CaptionedPicture, contactSheet } from '../../../vision/images/contactSheet.js';
import { encodePng } from '../../../vision/images/png.js';
import { thumbnailPng } from '../../../vision/images/thumbnail.js';
import { ReadingDisplay } from '../../display.js';
import { print, printFacts, printJson, type Terminal } from '../../terminal.js';
import type { SheetCommandOptions } from './sheet.js';
import { target } from './show.js';

const usualImages = 100;
/** Edge of a picture on the sheet, in pixels. */
const edge = 160;
const [leftOutColour, relabelledColour] = ['#bf4e05', '#1d5fa8'];

/** Makes a picture of the images that fixes would leave out or relabel. */
export async function showFixes(
  data: string,
  fixes: string,
  options: SheetCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const asTheyAre = () => 'fixes are shown with the pictures as they are';
  requireEffect('data', options, {
    transforms: asTheyAre,
    versions: asTheyAre,
    size: asTheyAre,
    split: () => 'fixes are shown for all parts of the data',
    seed: () => 'fixes are shown in the order of the data',
  });
  const { dataDir, images = usualImages, json = false } = options;
  const out = await target('--out', options.out, 'data-sheet.png');
  const reading = new ReadingDisplay(terminal);
  const found = await fixedPictures(data, fixes, {
    dataDir,
    imageLoading: imageLoadingOf(options),
    onProgress: reading.show,
  }).finally(() => reading.end());
  const { pictures, title } = found;
  if (pictures.length === 0) {
    throw new InputError(`[data] ${fixes}: expected fixes that change a picture, got none; there is nothing to show`);
  }
  const excluded = pictures.filter(({ fixed }) => fixed === null);
  const relabelled = pictures.filter(({ fixed }) => fixed !== null);
  const shown = pictures.slice(0, images);
  const counts = `${formatCount(excluded.length)} left out, ${formatCount(relabelled.length)} relabelled`;
  const cells: CaptionedPicture[] = [];
  for (const picture of shown) cells.push(await captioned(picture));
  await writeFileAtomic(out, await contactSheet(cells, { title: `${title}, fixes: ${counts}` }));
  if (json) {
    printJson(terminal, 'data.show', {
      ...{ data, split: 'all', images: found.images, shown: shown.length, versions: 0, transforms: null, sheet: out },
      fixes,
      excluded: excluded.map(({ name, label }) => ({ file: name, label })),
      relabelled: relabelled.map(({ name, label, fixed }) => ({ file: name, label: fixed, instead: label })),
    });
    return 0;
  }
  print(terminal, title);
  printFacts(terminal, [
    ['images', `${formatCount(found.images)}, ${formatCount(shown.length)} of them shown`],
    ['fixes', counts],
    ['sheet', out],
  ]);
  return 0;
}

async function captioned({ name, path, label, fixed }: FixedPicture): Promise<CaptionedPicture> {
  const captions = fixed === null ? ['leave out', label] : [fixed, `instead of ${label}`];
  const colour = fixed === null ? leftOutColour : relabelledColour;
  try {
    return { source: await thumbnailPng(path, edge), captions: [...captions, name], colour };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    // Pictures that cannot be read are among those that fixes leave out.
    const grey = await encodePng(new Float32Array(1).fill(0.9), [1, 1, 1]);
    return { source: grey, captions: [...captions, `unreadable: ${name}`], colour };
  }
}
