import { extname, join } from 'node:path';
import { FileError } from '../../errors.js';
import { readStart } from '../../io/files/input.js';
import { type BarredPath, type FolderTree, walkFolder } from '../../io/files/listFiles.js';
import { eachOf } from '../eachOf.js';
import { formatBytes, pictureFormat, promisesPicture } from '../images/formats.js';
import { type ImageFilesOptions, skipOption } from './reading/imageFiles.js';

/** Files that were skipped because they are no data: the reason, their number, and some of their names. */
export interface PassedOver {
  /** `HEIC pictures`, `other files` and so on. */
  readonly what: string;
  readonly count: number;
  /** The first names, relative to the folder. */
  readonly examples: readonly string[];
  /** Whether pictures may be missing because of this, as with a folder that cannot be read (no). */
  readonly isLoss?: boolean;
}

/** How much of a data set has been read. */
export interface ReadingProgress {
  readonly stage:
    | 'looking at files'
    | 'checking pictures'
    | 'looking at values'
    | 'adding up checksums'
    | 'comparing pixels'
    | 'features of the frozen layers'
    | 'comparing pictures'
    | 'looking at pictures'
    | 'last evaluation';
  readonly done: number;
  readonly total: number;
}

/**
 * The contents of a folder and its subfolders. Paths are relative to it, with `/`, sorted by their
 * characters.
 */
export interface PictureListing extends Pick<FolderTree, 'folders'> {
  /** Files that are data. */
  readonly pictures: readonly string[];
  /** Pictures in formats that are not read, with the format. */
  readonly foreign: ReadonlyMap<string, string>;
  /** All files that are no data, among them the foreign pictures. */
  readonly passedOver: readonly PassedOver[];
}

export interface ListingOptions {
  readonly onProgress?: ((progress: ReadingProgress) => void) | undefined;
  /**
   * Whether unreadable subfolders and names that are no UTF-8 are an error ('fail', the default) or skipped.
   */
  readonly onBadImage?: ImageFilesOptions['onBadImage'];
}

const openAtOnce = 16;
const mostExamples = 3;

/**
 * Finds the pictures in a folder and its subfolders. Contents decide: a picture may have any name or ending.
 * A file with a picture's ending and other contents is a damaged picture. It is listed, so that the code that
 * reads it reports it.
 *
 * @throws {FileError} for a folder that cannot be read; with 'fail' also for an unreadable subfolder or name
 */
export async function listPictures(
  root: string,
  { onProgress, onBadImage = 'fail' }: ListingOptions = {},
): Promise<PictureListing> {
  const barred: BarredPath[] = [];
  const { files, folders, clutter, special } = await walkFolder(root, { onBarred: (path) => barred.push(path) });
  if (onBadImage === 'fail' && barred.length > 0) {
    const [{ error }] = barred;
    throw new FileError(`${error.message}${/; /.test(error.message) ? ' or' : ';'} leave it out with ${skipOption}`, {
      cause: error,
    });
  }
  const kinds: Found[] = new Array(files.length);
  let done = 0;
  await eachOf(files, openAtOnce, async (file, i) => {
    kinds[i] = await kindOf(join(root, file), file);
    onProgress?.({ stage: 'looking at files', done: ++done, total: files.length });
  });
  const pictures = files.filter((_, i) => kinds[i].isPicture);
  const passed = new Map<string, string[]>();
  const pass = (what: string, file: string) => {
    const same = passed.get(what);
    if (same === undefined) passed.set(what, [file]);
    else same.push(file);
  };
  const foreign = new Map<string, string>();
  files.forEach((file, i) => {
    const { isPicture, format, what } = kinds[i];
    if (isPicture) return;
    if (format !== null) foreign.set(file, format);
    pass(what, file);
  });
  for (const path of special) pass('pipes, sockets or devices', path);
  for (const path of clutter) pass('hidden or system files', path);
  const passedOver = [...passed].map(([what, all]) => passing(what, all));
  for (const kind of new Set(barred.map(({ what }) => what))) {
    const paths = barred.flatMap(({ path, what }) => (what === kind ? [path] : []));
    passedOver.push({ ...passing(kind, paths), isLoss: true });
  }
  return { pictures, folders, foreign, passedOver };
}

/** An entry of the list of skipped files. */
export function passing(what: string, files: readonly string[]): PassedOver {
  return { what, count: files.length, examples: files.slice(0, mostExamples) };
}

interface Found {
  readonly isPicture: boolean;
  /** The format of a picture that is not read. */
  readonly format: string | null;
  /** Its kind, in the plural. */
  readonly what: string;
}

async function kindOf(path: string, name: string): Promise<Found> {
  const start = await firstBytes(path);
  const format = start === null ? null : pictureFormat(start, name);
  const isPicture = format === null ? promisesPicture(name) : format.isRead;
  if (isPicture) return { isPicture, format: null, what: 'pictures' };
  if (format !== null) return { isPicture, format: format.name, what: `${format.name} pictures` };
  if (start === null) return { isPicture, format: null, what: 'files that cannot be read' };
  const ending = extname(name).toLowerCase();
  return { isPicture, format: null, what: ending === '' ? 'other files' : `${ending} files` };
}

/** Null if the file cannot be read. */
async function firstBytes(path: string): Promise<Uint8Array | null> {
  return readStart(path, formatBytes).catch(() => null);
}

/** `2 HEIC pictures (cat/a.heic, cat/b.heic), 1 .txt file (notes.txt)`; empty if nothing was skipped. */
export function describePassedOver(passedOver: readonly PassedOver[]): string {
  return passedOver
    .map(({ what, count, examples }) => {
      const shown = examples.join(', ') + (count > examples.length ? ' …' : '');
      const kind = count === 1 ? what.replace(/(picture|file|folder|name)s\b/, '$1') : what;
      return `${count.toLocaleString('en-US')} ${kind} (${shown})`;
    })
    .join(', ');
}
