import { FileError } from '../../errors.js';
import { columnIndex, readTable } from '../../io/files/table.js';
import { listed } from '../../text/list.js';

/** Names of the tables with labels, in the known arrangements of the data set. */
export const sheetName = /^(pm_label_and_fovea_location|labels?|classification([ _]labels?)?)\.(xlsx|csv)$/i;

/** Names of the columns, without case and anything but letters; the released sheet has imgName and Label. */
const fileColumns = new Set(['imgname', 'image', 'imagename', 'img', 'filename', 'file', 'name']);
const labelColumns = new Set(['label', 'labels', 'pm', 'pmlabel', 'classification', 'class']);

/** The label of a picture, and its row. */
export interface SheetLabel {
  readonly label: 0 | 1;
  readonly row: number;
}

/**
 * Reads the labels of pictures, by name without ending (`V0001`). The columns are found by their names.
 *
 * @param title name of the table in messages
 * @throws {FileError} for missing columns; for rows without a name or a label, with a label that is not 0 or
 *   1, or with a picture that an earlier row has labelled. The message names the rows.
 */
export async function readLabels(path: string, title: string): Promise<Map<string, SheetLabel>> {
  const table = await readTable(path, title);
  const column = (names: ReadonlySet<string>, wanted: string) =>
    columnIndex(table, (name) => names.has(name.toLowerCase().replace(/[^a-z]/g, '')), wanted);
  const fileAt = column(fileColumns, 'with the names of the pictures (imgName)');
  const labelAt = column(labelColumns, 'with the labels (Label)');
  const labels = new Map<string, SheetLabel>();
  const problems: string[] = [];
  for (const { number, cells } of table.rows) {
    const file = cells[fileAt] ?? '';
    const label = cells[labelAt] ?? '';
    const key = pictureKey(file);
    const before = labels.get(key);
    if (file === '') problems.push(`row ${number}: no name of a picture`);
    else if (label === '') problems.push(`row ${number} (${file}): no label`);
    else if (!/^[01](\.0+)?$/.test(label)) problems.push(`row ${number} (${file}): label '${label}' instead of 0 or 1`);
    else if (before !== undefined) problems.push(`row ${number} (${file}): as in row ${before.row} already`);
    else labels.set(key, { label: label.startsWith('1') ? 1 : 0, row: number });
  }
  if (problems.length > 0) {
    throw new FileError(
      `[palm] ${title}: expected each picture once, labelled 0 or 1, got ${listed(problems)}; correct the table`,
    );
  }
  return labels;
}

/** `V0001` for `folder/v0001.JPG`. */
export function pictureKey(file: string): string {
  return file
    .replace(/^.*[\\/]/, '')
    .replace(/\.[a-z]+$/i, '')
    .toUpperCase();
}
