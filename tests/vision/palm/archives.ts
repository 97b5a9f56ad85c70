import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeWorkbook, makeZip, type ZipPart } from '../../zipWriter.js';
import { jpeg } from '../pictures.js';

export type SheetRow = (string | number | null)[];

export const sheet: SheetRow[] = [
  ['ID', 'imgName', 'Label', 'Fovea_X', 'Fovea_Y'],
  [1, 'V0001.jpg', 0, 1157.74, 1019.87],
  [2, 'V0002.jpg', 1, 1285.82, 1080.47],
  [3, 'V0003.jpg', 1, null, null],
];

export const pictureParts = (names: readonly string[]): Promise<ZipPart[]> =>
  Promise.all(names.map(async (name) => ({ name: `${name}.jpg`, data: await jpeg(name), stored: true })));

export const inside = (name: string, parts: readonly ZipPart[]) =>
  parts.map((part) => ({ ...part, name: `${name}/${part.name}` }));

const clutter: ZipPart[] = [
  { name: '__MACOSX/PALM-Validation400/._V0001.jpg', data: 'x' },
  { name: '__MACOSX/._PALM-Training400.zip', data: 'x' },
  { name: 'PALM-Validation400/Thumbs.db', data: 'x' },
  { name: 'PALM-Validation400/._V0009.jpg', data: 'x' },
];

/** `training.zip`, `validation.zip` and `valid_gt.zip` as they are released. */
export const makeTrainingZip = (parts: readonly ZipPart[]) =>
  makeZip([
    { name: 'PALM-Training400/', data: '', stored: true },
    { name: 'PALM-Training400/PALM-Training400.zip', data: makeZip(inside('PALM-Training400', parts)) },
    ...clutter,
  ]);
export const makeValidationZip = (parts: readonly ZipPart[]) =>
  makeZip([...inside('PALM-Validation400', parts), ...clutter]);
export const makeLabelsZip = (rows: SheetRow[] = sheet) =>
  makeZip([{ name: 'PALM-Validation-GT/PM_Label_and_Fovea_Location.xlsx', data: makeWorkbook(rows) }]);

/** Contents of all files, by name. */
export function tree(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(root, name)).isFile(),
  );
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(root, name), 'base64')]));
}
