import type { OverlayOptions } from 'sharp';
import { FileError, InputError } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readStart } from '../../io/files/input.js';
import { eachOf } from '../eachOf.js';
import { machineHasFonts, writing } from './captions.js';
import { loadSharp } from './sharp.js';
import { thumbnail } from './thumbnail.js';

/** A picture for a sheet, with its captions. */
export interface CaptionedPicture {
  /** Path, or the contents of a file: JPEG, PNG, WebP, TIFF or GIF. */
  readonly source: string | Uint8Array;
  /** Lines below it, the first one bold. Texts that do not fit are cut in the middle. */
  readonly captions: readonly string[];
  /** Colour of the frame and the first line, such as `#bf4e05` (a dark grey). */
  readonly colour?: string;
}

export interface ContactSheetOptions {
  /** Pictures in a row (half as many again as rows). */
  readonly columns?: number;
  /** Edge in pixels of the square that each picture fits into (160). */
  readonly size?: number;
  /** Line above the pictures. */
  readonly title?: string;
  /** Line below the title, in the colour of warnings. */
  readonly note?: string;
}

const ink = '#1b1f24';
const muted = '#5b6470';
const warning = '#bf4e05';
const maxSize = 4096;
/** The largest number of pictures on a sheet. */
export const maxPictures = 2000;
/** The Software entry in the EXIF data of PNGs that this module writes. */
const software = 'Fovea';

/**
 * Pictures in rows and columns, framed, on white, with captions below.
 *
 * @returns a PNG file
 * @throws {FileError} for a picture that cannot be decoded
 * @throws {InputError} for numbers out of range, or no picture
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises';
 *
 * const pictures = ['a.jpg', 'b.jpg'].map((source) => ({ source, captions: [source] }));
 * await writeFile('sheet.png', await vision.images.contactSheet(pictures));
 * ```
 */
export async function contactSheet(
  pictures: readonly CaptionedPicture[],
  options: ContactSheetOptions = {},
): Promise<Uint8Array> {
  const count = pictures.length;
  if (count === 0 || count > maxPictures) {
    throw new InputError(`[pictures] sheet: expected 1 to ${maxPictures} pictures, got ${count}`);
  }
  const { size = 160, columns = Math.ceil(Math.sqrt(1.5 * count)), title, note } = options;
  requireCount('size', size, maxSize);
  requireCount('columns', columns, maxPictures);
  const letter = Math.max(9, Math.round(size / 26));
  const line = Math.round(1.8 * letter);
  const [frame, space] = [Math.max(2, Math.round(size / 80)), Math.max(10, Math.round(size / 12))];
  const across = Math.min(columns, count);
  const captions = Math.max(...pictures.map((picture) => picture.captions.length));
  const [cellWidth, cellHeight] = [size + space, size + space + captions * line];
  const width = across * cellWidth + space;
  const heading = [title, note].filter((text) => text !== undefined);
  const top = space + heading.length * 2 * line;
  const height = top + Math.ceil(count / across) * cellHeight;
  if (width * height > 2 ** 28) {
    throw new InputError(
      `[pictures] sheet: expected at most 2^28 pixels, got ${width}×${height}; choose a smaller size`,
    );
  }

  const hasFonts = await machineHasFonts();
  const layers: OverlayOptions[] = [];
  const drawn: string[] = [];
  const write = (text: string, y: number, style: { centre?: number; size: number; colour: string; bold?: boolean }) => {
    const room = style.centre === undefined ? width - 2 * space : size;
    drawn.push(writing(text, { ...style, x: space, y, room, hasFonts }));
  };
  if (title !== undefined) write(title, space + 1.4 * line, { size: 1.3 * letter, colour: ink, bold: true });
  if (note !== undefined) write(note, top - 0.9 * line, { size: 1.15 * letter, colour: warning, bold: true });
  await eachOf(pictures, 2, async ({ source, captions, colour = muted }, i) => {
    const left = space + (i % across) * cellWidth;
    const above = top + Math.floor(i / across) * cellHeight;
    const { data, info } = await thumbnail(source, size - 2 * frame);
    const [x, y] = [left + Math.floor((size - info.width) / 2), above + Math.floor((size - info.height) / 2)];
    layers.push({ input: data, raw: { width: info.width, height: info.height, channels: 3 }, left: x, top: y });
    drawn.push(
      `<rect x="${x - frame / 2}" y="${y - frame / 2}" width="${info.width + frame}" height="${info.height + frame}" ` +
        `fill="none" stroke="${colour}" stroke-width="${frame}"/>`,
    );
    for (const [n, text] of captions.entries()) {
      const style = { centre: left + size / 2, size: letter, colour: n === 0 ? colour : muted, bold: n === 0 };
      write(text, above + size + Math.round((n + 0.95) * line), style);
    }
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${drawn.join('')}</svg>`;
  const sharp = await loadSharp();
  return sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }])
    .removeAlpha()
    .withExif({ IFD0: { Software: software } })
    .png()
    .toBuffer();
}

/**
 * Pictures in one row, large enough to see details: a `contactSheet` with 480 pixels for each picture.
 *
 * @returns a PNG file
 * @throws as `contactSheet`
 */
export async function sideBySide(
  pictures: readonly CaptionedPicture[],
  options: Omit<ContactSheetOptions, 'columns'> = {},
): Promise<Uint8Array> {
  return contactSheet(pictures, { size: 480, ...options, columns: Math.max(1, pictures.length) });
}

/** Whether a file is a PNG that a function of this module made. */
export async function isOwnPicture(path: string): Promise<boolean> {
  try {
    const start = (await readStart(path, 1024)).toString('latin1');
    return start.startsWith('\x89PNG\r\n\x1a\n') && start.includes('eXIf') && start.includes(`\0${software}\0`);
  } catch (error) {
    // A folder or a device is no picture of this module.
    if ((error as NodeJS.ErrnoException).code === undefined) return false;
    throw new FileError(`[pictures] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
  }
}

/** @throws {InputError} for a number that is no integer from 1 to `most` */
export function requireCount(name: string, n: number, most: number): void {
  if (!Number.isSafeInteger(n) || n < 1 || n > most) {
    throw new InputError(`[pictures] ${name}: expected an integer from 1 to ${most}, got ${n}`);
  }
}
