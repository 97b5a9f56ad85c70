import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError } from '../../../errors.js';
import { writeFileAtomic } from '../../../io/files/atomic.js';
import { outputFile } from '../../../io/files/outputs.js';
import { formatCount } from '../../../text/numbers.js';
import { datasetSheet } from '../../../vision/datasets/sheets.js';
import { isOwnPicture } from '../../../vision/images/contactSheet.js';
import { PALM } from '../../../vision/palm/dataset.js';
import { palmEyes } from '../../../vision/palm/eyes.js';
import type { PalmSet } from '../../../vision/palm/record.js';
import { print, printFacts, printJson, type Terminal } from '../../terminal.js';

interface ShowCommandOptions {
  readonly out?: string;
  readonly sheet?: string;
  readonly images: number;
  readonly set: PalmSet;
  readonly seed: number;
  readonly json?: boolean;
}

export async function showData(folder: string, options: ShowCommandOptions, terminal: Terminal): Promise<number> {
  const { images, set, seed, json = false } = options;
  const eyes = await target('--out', options.out, 'palm-eyes.png');
  const sheet = await target('--sheet', options.sheet, 'palm-sheet.png');
  if (resolve(eyes) === resolve(sheet)) {
    throw new InputError(`[data] --out and --sheet: expected two files, got ${eyes} twice; choose another name`);
  }
  const dataset = await PALM.open({ dataDir: folder, mode: set, cache: false });
  const title = `iChallenge-PM, ${set === 'train' ? 'training' : 'validation'} set`;
  await writeFileAtomic(eyes, await palmEyes(dataset, { seed, title }));
  await writeFileAtomic(sheet, await datasetSheet(dataset, { images, seed, title }));
  const { length, synthetic, quarantine, sha256 } = dataset;
  const pathologic = dataset.files.filter(({ label }) => label === 1).length;
  if (json) {
    const left = quarantine.length;
    printJson(terminal, 'data.palm.show', {
      folder,
      set,
      images: length,
      pathologic,
      quarantine: left,
      synthetic,
      sha256,
      eyes,
      sheet,
    });
    return 0;
  }
  print(terminal, title);
  if (synthetic) print(terminal, 'SYNTHETIC: drawn by a program, no photographs of eyes.');
  printFacts(terminal, [
    ['pictures', `${formatCount(length)}, ${formatCount(pathologic)} of them PM`],
    ...(quarantine.length > 0 ? [['left out', formatCount(quarantine.length)] as const] : []),
    ['two eyes', eyes],
    ['sheet', sheet],
  ]);
  return 0;
}

/**
 * The file to write. A file that the user named is replaced. A file with the default name is replaced only if
 * Fovea made it.
 *
 * @throws {InputError} for a file of another kind
 */
export async function target(option: string, named: string | undefined, usual: string): Promise<string> {
  const path = named ?? usual;
  if (!/\.png$/i.test(path)) {
    throw new InputError(`[data] ${option}: expected the name of a PNG file, got '${path}'; let it end in .png`);
  }
  await outputFile(path, 'data');
  if (named !== undefined || !existsSync(usual) || (await isOwnPicture(usual))) return path;
  throw new InputError(
    `[data] ${usual}: expected no such file, or one made by this command; name another with ${option}`,
  );
}
