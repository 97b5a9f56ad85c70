import { FileError } from '../../errors.js';
import { listed } from '../../text/list.js';
import { pictureKey, readLabels, type SheetLabel, sheetName } from './labels.js';
import { byFile, countsOf, type PalmImage, type PalmRecord, type PalmSet, setFolders } from './record.js';
import { type PalmSources, pictureName, type SourceFile } from './sources.js';

/** Finds the pictures of iChallenge-PM among files, by their names, and the label of each. */

/** A picture that belongs to the data set. */
export interface Wanted {
  readonly file: string;
  readonly set: PalmSet;
  readonly label: 0 | 1;
  readonly source: SourceFile;
}

const released = 400;
const ownName = /^([a-z])\d{4}\.jpe?g$/i;
const labelOfLetter: Readonly<Record<string, 0 | 1>> = { P: 1, H: 0, N: 0 };
/** A file of this name marks synthetic pictures in the place of the data set. */
const syntheticMark = /^synthetic(\.(txt|md))?$/i;

/** @throws as {@link importPalm}, for names and labels */
export async function survey(sources: PalmSources, before: PalmRecord) {
  const pictures = new Map<string, SourceFile>();
  const sheets: SourceFile[] = [];
  const unknown: string[] = [];
  const unnamed: string[] = [];
  let test = 0;
  let synthetic = false;
  for (const file of sources.files) {
    const letter = ownName.exec(file.name)?.[1].toUpperCase();
    if (sheetName.test(file.name)) sheets.push(file);
    else if (syntheticMark.test(file.name)) synthetic = true;
    else if (letter === undefined) {
      if (pictureName.test(file.name)) unnamed.push(file.where);
    } else if (letter === 'T') test++;
    else if (letter !== 'V' && !(letter in labelOfLetter)) unknown.push(file.where);
    else {
      const key = pictureKey(file.name);
      const twin = pictures.get(key);
      if (twin === undefined) pictures.set(key, file);
      else if (twin.bytes !== file.bytes || (await twin.crc32()) !== (await file.crc32())) {
        throw new FileError(
          `[palm] ${file.where}: expected the same picture as ${twin.where}, got another one; give one of the two`,
        );
      }
    }
  }
  if (unknown.length > 0) {
    throw new FileError(
      `[palm] pictures: expected names that begin with P, H, N (training), V (validation) or T (test), ` +
        `got ${listed(unknown)}; leave out what is not of the data set`,
    );
  }
  if (pictures.size === 0) {
    throw new FileError(
      `[palm] pictures: expected files such as P0001.jpg, N0001.jpg or V0001.jpg, got none among ${sources.files.length} files; ` +
        (sources.passedOver.length > 0 ? `not opened: ${listed(sources.passedOver)}; ` : '') +
        'give training.zip, validation.zip and valid_gt.zip, or the folder with them',
    );
  }
  const labels = await labelsFrom(sheets, sources);
  const wanted = match(pictures, labels, before);
  const warnings: string[] = [];
  for (const set of ['train', 'validation'] as const) {
    const added = new Set(wanted.filter((image) => image.set === set).map(({ file }) => file));
    for (const image of [...before.images, ...before.quarantine]) if (image.set === set) added.add(image.file);
    if (added.size !== released) warnings.push(`expected ${released} ${set} pictures, got ${added.size}`);
  }
  if (test > 0)
    warnings.push(`left out ${test} pictures of the test set (T…): training and validation pictures are what is used`);
  if (unnamed.length > 0) warnings.push(`left out pictures that are named otherwise: ${listed(unnamed)}`);
  if (sources.passedOver.length > 0) {
    warnings.push(
      `left out archives that are named otherwise: ${listed(sources.passedOver)}; name them in the call if they belong to the data set`,
    );
  }
  return { wanted, warnings, synthetic };
}

/** The labels of all tables. */
async function labelsFrom(
  sheets: readonly SourceFile[],
  sources: PalmSources,
): Promise<Map<string, SheetLabel & { where: string }>> {
  const labels = new Map<string, SheetLabel & { where: string }>();
  for (const sheet of sheets) {
    const path = await sources.unpack(sheet);
    for (const [key, found] of await readLabels(path, sheet.where)) {
      const other = labels.get(key);
      if (other !== undefined && other.label !== found.label) {
        throw new FileError(
          `[palm] ${sheet.where}: expected the labels of ${other.where}, got ${found.label} in row ${found.row} (${key}) ` +
            `and ${other.label} in row ${other.row} there; give one of the two`,
        );
      }
      labels.set(key, { ...found, where: sheet.where });
    }
  }
  return labels;
}

/** Gives each picture its label, and finds pictures and labels without a partner. */
function match(
  pictures: ReadonlyMap<string, SourceFile>,
  labels: ReadonlyMap<string, SheetLabel & { where: string }>,
  before: PalmRecord,
): Wanted[] {
  const unlabelled: string[] = [];
  const contradicted: string[] = [];
  const wanted: Wanted[] = [];
  for (const [key, source] of pictures) {
    const found = labels.get(key);
    const named = labelOfLetter[key[0]];
    const label = named ?? found?.label;
    if (label === undefined) unlabelled.push(source.where);
    else if (found !== undefined && found.label !== label) {
      contradicted.push(`${found.label} for ${key} (${found.where}, row ${found.row})`);
    } else {
      const set = named === undefined ? 'validation' : 'train';
      wanted.push({ file: `${setFolders[set]}/${key}.jpg`, set, label, source });
    }
  }
  if (unlabelled.length > 0) {
    throw new FileError(
      `[palm] labels: expected one for each validation picture, got none for ${listed(unlabelled.sort())}; ` +
        'give valid_gt.zip, PM_Label_and_Fovea_Location.xlsx or labels.csv too',
    );
  }
  if (contradicted.length > 0) {
    throw new FileError(
      `[palm] labels: expected 1 for pictures named P and 0 for H and N, got ${listed(contradicted)}; correct the table`,
    );
  }
  const known = new Set([...before.images, ...before.quarantine].map(({ file }) => pictureKey(file)));
  const missing = [...labels].flatMap(([key, { where, row }]) =>
    pictures.has(key) || known.has(key) || key.startsWith('T') ? [] : [`${key} (${where}, row ${row})`],
  );
  if (missing.length > 0) {
    throw new FileError(
      `[palm] pictures: expected one for each label, got none for ${listed(missing)}; give the missing archive too`,
    );
  }
  return wanted.sort(byFile);
}

/**
 * @throws {FileError} for training pictures of one class only; validation pictures of one class are still
 *   useful
 */
export function lackingClasses(images: readonly PalmImage[]): string[] {
  const warnings: string[] = [];
  for (const set of ['train', 'validation'] as const) {
    const { images: count, pathologic } = countsOf(images, set);
    if (count === 0 || (pathologic > 0 && pathologic < count)) continue;
    const lacking = pathologic === 0 ? 'with' : 'without';
    const what = `expected ${set} pictures with and without pathologic myopia, got none ${lacking} it`;
    if (set === 'train') throw new FileError(`[palm] classes: ${what} among ${count}; give the other class too`);
    warnings.push(what);
  }
  return warnings;
}
