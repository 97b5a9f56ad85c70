import { basename } from 'node:path';
import type { OutputInfo, OverlayOptions } from 'sharp';
import { FileError, InputError } from '../../errors.js';
import { type Dataset, labelsOf, type Sample } from '../../io/data/dataset.js';
import { reasonOf } from '../../io/files/atomic.js';
import { readStart } from '../../io/files/input.js';
import { Generator } from '../../random.js';
import { eachOf } from '../datasets/eachOf.js';
import type { Transformable, TransformOption } from '../datasets/reading/augmenter.js';
import type { ImageFile, ImageFileDataset } from '../datasets/reading/imageFiles.js';
import { PALM } from '../palm/dataset.js';
import { PictureFile } from './decode.js';
import { canLetter, lettering, letteringWidth } from './lettering.js';
import { loadSharp } from './sharp.js';

/** A picture to be shown, with what is written below it. */
export interface CaptionedPicture {
  /** Path, or the contents of a file: JPEG, PNG, WebP, TIFF or GIF. */
  readonly source: string | Uint8Array;
  /** Lines below it, the first one bold. What does not fit is cut in the middle. */
  readonly captions: readonly string[];
  /** Of frame and first line, such as `#bf4e05` (a dark grey). */
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

export interface DatasetSheetOptions extends ContactSheetOptions {
  /** Pictures in all, about the same number from each class (24). */
  readonly images?: number;
  /** Decides which pictures are taken (0). */
  readonly seed?: number;
}

const ink = '#1b1f24';
const muted = '#5b6470';
const warning = '#bf4e05';
/** Of the classes, for eyes of all kinds, on white; again from the start after the last. */
const classColours = ['#1d5fa8', '#bf4e05', '#2f7d4f', '#7b4fa3', '#8a6d00', '#0b7a85', '#a3324f', '#5b6470'];
const maxSize = 4096;
const maxPictures = 2000;
/** What a PNG of ours says its software was. */
const software = 'Fovea';
const syntheticNote = 'Synthetic: drawn by a program, no photographs of eyes';

/**
 * Pictures in rows and columns, framed, on white, with captions below.
 *
 * @returns a PNG file
 * @throws FileError for a picture that cannot be decoded; InputError for numbers out of range, or no picture
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
 * Pictures in one row, large enough to see details: a {@link contactSheet} of 480 pixels a picture.
 *
 * @returns a PNG file
 * @throws what {@link contactSheet} throws
 */
export async function sideBySide(
  pictures: readonly CaptionedPicture[],
  options: Omit<ContactSheetOptions, 'columns'> = {},
): Promise<Uint8Array> {
  return contactSheet(pictures, { size: 480, ...options, columns: Math.max(1, pictures.length) });
}

/**
 * A contact sheet of a data set of pictures: about as many of each class, its name and the name of the file below, each
 * class framed in its colour. A set of drawn eyes says so.
 *
 * @returns a PNG file
 * @throws what {@link contactSheet} throws
 */
export async function datasetSheet(dataset: ImageFileDataset, options: DatasetSheetOptions = {}): Promise<Uint8Array> {
  const { images = 24, seed = 0, title, ...sheet } = options;
  requireCount('images', images, maxPictures);
  const chosen = balancedFiles(dataset, images, seed);
  const pictures = chosen.map((file) => captioned(file, dataset.classNames));
  const numbers = shares(chosen, dataset);
  const heading = title === undefined ? numbers : `${title}: ${numbers}`;
  return contactSheet(pictures, { ...noteOf(dataset), ...sheet, title: heading });
}

export interface SampleSheetOptions extends Omit<ContactSheetOptions, 'columns'>, TransformOption {
  /** Samples, about the same number from each class (6 with a transform, else 24). */
  readonly images?: number;
  /** With a transform: changed versions beside each sample (6). */
  readonly versions?: number;
  /** Decides which samples are taken, and what is drawn (0). */
  readonly seed?: number;
  /** Makes a sample into a PNG file: its values mean what the data set says. */
  readonly draw: (sample: Sample) => Promise<Uint8Array>;
}

/**
 * Some samples of a data set as they are; with a transform, beside each of them versions as epochs of a training would
 * have them.
 *
 * @returns a PNG file
 * @throws what {@link contactSheet} and the transform throw
 */
export async function sampleSheet(
  dataset: Dataset & Transformable<Dataset>,
  {
    transform = null,
    images = transform === null ? 24 : 6,
    versions = 6,
    seed = 0,
    draw,
    ...sheet
  }: SampleSheetOptions,
): Promise<Uint8Array> {
  requireCount('images', images, maxPictures);
  requireCount('versions', versions, maxPictures);
  const random = new Generator(seed);
  const plain = dataset.withTransform(null);
  const changed = transform === null ? null : dataset.withTransform(transform);
  const labels = await labelsOf(dataset);
  const pictures: CaptionedPicture[] = [];
  for (const index of balanced(labels, images, random)) {
    const label = labels[index];
    const colour = classColours[Math.max(0, label) % classColours.length];
    const name = dataset.classNames?.[label] ?? 'sample';
    pictures.push({ source: await draw(await plain.get(index)), captions: [`${name} (${index})`], colour });
    for (let i = 1; changed !== null && i <= versions; i++) {
      const sample = await changed.get(index, random.fork(`${index} ${i}`));
      pictures.push({ source: await draw(sample), captions: [`version ${i}`] });
    }
  }
  return contactSheet(pictures, { ...sheet, ...(changed !== null && { columns: versions + 1 }) });
}

/**
 * A normal eye and one with pathologic myopia side by side, by chance. Normal eyes are told from highly myopic ones in
 * the training set only.
 *
 * @returns a PNG file
 * @throws InputError if there are no pictures of either kind; else what {@link contactSheet} throws
 */
export async function palmEyes(
  dataset: PALM,
  { seed = 0, ...options }: Omit<DatasetSheetOptions, 'columns' | 'images'> = {},
): Promise<Uint8Array> {
  const random = new Generator(seed);
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
  return sideBySide(pictures, { ...noteOf(dataset), ...options });
}

/** Whether a file is a PNG that a function of this module made. */
export async function isOwnPicture(path: string): Promise<boolean> {
  try {
    const start = (await readStart(path, 1024)).toString('latin1');
    return start.startsWith('\x89PNG\r\n\x1a\n') && start.includes('eXIf') && start.includes(`\0${software}\0`);
  } catch (error) {
    // A folder or a device is nobody's picture.
    if ((error as NodeJS.ErrnoException).code === undefined) return false;
    throw new FileError(`[pictures] ${path}: expected a readable file, got ${reasonOf(error)}`, { cause: error });
  }
}

function noteOf(dataset: ImageFileDataset): { note?: string } {
  return dataset instanceof PALM && dataset.synthetic ? { note: syntheticNote } : {};
}

function captioned({ path, label }: ImageFile, classNames: readonly string[]): CaptionedPicture & { source: string } {
  const name = classNames[label];
  if (name === undefined) return { source: path, captions: [basename(path)] };
  return { source: path, captions: [name, basename(path)], colour: classColours[label % classColours.length] };
}

/** Some files of a data set by chance, about the same number of each class. */
export function balancedFiles(dataset: ImageFileDataset, images: number, seed = 0): ImageFile[] {
  return balanced(dataset.labels, images, new Generator(seed)).map((index) => dataset.files[index]);
}

/**
 * A picture fitted into a square of `size` pixels.
 *
 * @returns a PNG file
 * @throws FileError for a picture that cannot be decoded
 */
export async function thumbnailPng(source: string | Uint8Array, size: number): Promise<Uint8Array> {
  const { data, info } = await thumbnail(source, size);
  const sharp = await loadSharp();
  const { width, height } = info;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Indices of samples by class, in the order of the labels; classes with too few give what they have. */
function balanced(labels: ArrayLike<number>, images: number, random: Generator): number[] {
  const all = Array.from(labels);
  const classes = [...new Set(all)].sort((a, b) => a - b);
  return classes.flatMap((label, i) => {
    const group = all.flatMap((other, index) => (other === label ? [index] : []));
    const share = Math.floor(images / classes.length) + Number(i < images % classes.length);
    return Array.from(random.permutation(group.length).subarray(0, share).sort(), (at) => group[at]);
  });
}

/** `12 of 187 non-PM, 12 of 213 PM` */
function shares(chosen: readonly ImageFile[], { files, classNames }: ImageFileDataset): string {
  const count = (all: readonly ImageFile[], wanted: number) => all.filter(({ label }) => label === wanted).length;
  const labels = [...new Set(chosen.map(({ label }) => label))];
  return labels
    .map((label) => `${count(chosen, label)} of ${count(files, label)} ${classNames[label] ?? 'pictures'}`)
    .join(', ');
}

function requireCount(name: string, n: number, most: number): void {
  if (!Number.isSafeInteger(n) || n < 1 || n > most) {
    throw new InputError(`[pictures] ${name}: expected an integer from 1 to ${most}, got ${n}`);
  }
}

/** Red, green and blue of the picture as it is to be seen, fitted into a square. */
async function thumbnail(source: string | Uint8Array, size: number): Promise<{ data: Buffer; info: OutputInfo }> {
  const { name } = await PictureFile.open(source);
  const sharp = await loadSharp();
  // Unlike PictureFile, sharp itself decodes a large JPEG at a fraction of its size, which is several times as fast.
  return sharp(source, { limitInputPixels: false, sequentialRead: true })
    .autoOrient()
    .resize(size, size, { fit: 'inside' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      const got = reasonOf(error).split('\n')[0];
      throw new FileError(`[pictures] ${name}: expected an intact picture, got ${got}`, { cause: error });
    });
}

interface Writing {
  readonly x: number;
  readonly y: number;
  /** Around which the text is centred, instead of beginning at x. */
  readonly centre?: number;
  readonly size: number;
  readonly colour: string;
  readonly bold?: boolean;
  /** Pixels that the text may take. */
  readonly room: number;
  readonly hasFonts: boolean;
}

/** A text as SVG: in letters of our own, or in the machine's fonts if it has characters that we have not. */
function writing(text: string, { room, centre, hasFonts, ...style }: Writing): string {
  const { x, y, size, colour, bold = false } = style;
  const plain = text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd');
  if (canLetter(plain) || !hasFonts) {
    const short = shortened(plain, (part) => letteringWidth(part, size) <= room);
    const start = centre === undefined ? x : centre - letteringWidth(short, size) / 2;
    return lettering(short, { ...style, x: start });
  }
  const fontSize = 1.4 * size;
  const estimate = (part: string) =>
    Array.from(part).reduce((sum, character) => sum + (character > '\u1100' ? 1 : 0.65) * fontSize, 0);
  const short = shortened(plain, (part) => estimate(part) <= room);
  const escaped = short.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  return (
    `<text x="${centre ?? x}" y="${y}" ${centre === undefined ? '' : 'text-anchor="middle" '}fill="${colour}" ` +
    `font-family="sans-serif" font-size="${fontSize}"${bold ? ' font-weight="bold"' : ''}>${escaped}</text>`
  );
}

/** The longest text that fits, cut in the middle: both ends of a file's name tell something. */
function shortened(text: string, fits: (text: string) => boolean): string {
  if (fits(text)) return text;
  const characters = Array.from(text);
  for (let kept = characters.length - 1; kept > 0; kept--) {
    const head = Math.ceil(kept / 2);
    const tail = characters.slice(characters.length - (kept - head));
    const short = `${characters.slice(0, head).join('')}…${tail.join('')}`;
    if (fits(short)) return short;
  }
  return '…';
}

let fonts: Promise<boolean> | undefined;

/** Without fonts, SVG text is left out or made of equal boxes. */
function machineHasFonts(): Promise<boolean> {
  const brightness = async (text: string) => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="#fff"/>' +
      `<text x="5" y="32" font-family="sans-serif" font-size="30">${text}</text></svg>`;
    const sharp = await loadSharp();
    return (await sharp(Buffer.from(svg)).stats()).channels[0].mean;
  };
  fonts ??= Promise.all(['M', 'i'].map(brightness)).then(([wide, narrow]) => wide !== narrow);
  return fonts;
}
