import { createHash } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { FileError, InputError } from '../../errors.js';
import { makeFolder, reasonOf, replaceFile, writeFileAtomic } from '../../io/files/atomic.js';
import { streamInput } from '../../io/files/input.js';
import { outputFolder } from '../../io/files/outputs.js';
import { ZipBudget, type ZipLimits } from '../../io/files/zip.js';
import { listed } from '../../text/list.js';
import { type BadImage, badImage, requireOnBadImage, skipOption } from '../datasets/reading/imageFiles.js';
import { ImageReader, type ImageReaderOptions } from '../datasets/reading/imageReader.js';
import { eachOf } from '../eachOf.js';
import { pictureKey, readLabels, type SheetLabel, sheetName } from './labels.js';
import {
  countsOf,
  hashOf,
  type PalmCounts,
  type PalmImage,
  type PalmRecord,
  type PalmSet,
  type PalmSize,
  type QuarantinedImage,
  readRecord,
  recordFile,
  setFolders,
  sizesOf,
} from './record.js';
import { PalmSources, pictureName, type SourceFile, UnreadableSource } from './sources.js';

export interface PalmImportOptions extends ImageReaderOptions {
  /**
   * Treatment of pictures that cannot be read or decoded: an error at the end ('fail', the default), or an
   * entry in a list ('skip'), which leaves them out.
   */
  readonly onBadImage?: 'fail' | 'skip';
  readonly limits?: ZipLimits;
  /** Called after each picture. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number; readonly file: string }) => void;
  /**
   * Stops the import before the next picture. Imported pictures stay, and the next import continues after
   * them.
   */
  readonly signal?: AbortSignal;
}

/** The result of an import. */
export interface PalmSummary {
  readonly folder: string;
  /** The list of pictures, labels and checksums. */
  readonly recordFile: string;
  /** Whether these are synthetic pictures, not photographs. */
  readonly synthetic: boolean;
  readonly train: PalmCounts;
  readonly validation: PalmCounts;
  /** The pictures by size, most frequent first. */
  readonly sizes: readonly PalmSize[];
  /**
   * Pictures that were left out since they cannot be read or decoded. Those that could be copied are in the
   * folder.
   */
  readonly quarantine: readonly BadImage[];
  readonly warnings: readonly string[];
  /** Number of pictures that this import copied, without those that were there already. */
  readonly copied: number;
  readonly present: number;
  /** Checksum of the usable pictures of each set and their labels, the same as in evaluations and reports. */
  readonly sha256: Readonly<Record<PalmSet, string>>;
}

/** A picture that belongs to the data set. */
interface Wanted {
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

/**
 * Imports iChallenge-PM (PALM): photographs of the fundus of 1200 people, for distinguishing pathologic
 * myopia from healthy and highly myopic eyes. Fang et al.: "Open fundus photograph dataset with pathologic
 * myopia recognition and anatomical structure annotation", Scientific Data 11:99, 2024, doi
 * 10.1038/s41597-024-02911-2.
 *
 * It accepts the released archives (`training.zip`, `validation.zip`, `valid_gt.zip`), folders with these
 * archives, and unpacked folders in any arrangement: files are found by their names. The first letter of a
 * training picture's name is its label (P is pathologic; H, highly myopic, and N, normal, are not). The
 * labels of the validation pictures are in a table (`PM_Label_and_Fovea_Location.xlsx` or `labels.csv`). Each
 * picture is streamed into `out`, verified, and decoded once, which fills the cache. The last step writes
 * `palm.json`; a folder without it is no data set.
 *
 * An import into a folder with an earlier import adds to it. Pictures that are there with the right size and
 * checksum are not written again. The import changes no source file, and replaces no file in `out` by
 * another.
 *
 * @throws FileError for broken, protected or excessive archives, unexpected names of pictures, pictures
 *   without labels, labels without pictures, training pictures of one class only, a full disk; files that
 *   were written before the error stay
 *
 * @example
 * ```ts
 * await vision.datasets.importPalm(['training.zip', 'validation.zip', 'valid_gt.zip'], 'palm');
 * const trainSet = await vision.datasets.PALM.open({ dataDir: 'palm' });
 * ```
 */
export async function importPalm(
  given: string | readonly string[],
  out: string,
  options: PalmImportOptions = {},
): Promise<PalmSummary> {
  const { onBadImage = 'fail', limits, onProgress, signal, ...reading } = options;
  requireOnBadImage(onBadImage);
  const paths = typeof given === 'string' ? [given] : given;
  if (paths.length === 0) throw new InputError('[palm] sources: expected a folder or archives, got none');
  const reader = new ImageReader({ ...reading, memoryBytes: 0 });
  await openFolder(out);
  await outputFolder(out, 'palm');
  const sources = await PalmSources.open(paths, out, new ZipBudget(limits), signal);
  try {
    const before = await earlierRecord(out);
    const { wanted, warnings, synthetic } = await survey(sources, before);
    for (const folder of new Set(wanted.map(({ set }) => setFolders[set]))) await openFolder(join(out, folder));
    const images: PalmImage[] = [];
    const quarantine: QuarantinedImage[] = [];
    let copied = 0;
    let present = 0;
    let done = 0;
    await eachOf(wanted, reader.width, async ({ source, ...image }) => {
      signal?.throwIfAborted();
      const path = join(out, image.file);
      const stored = await store(source, path).catch(unreadableSource);
      const entry = { ...image, ...stored.sums, source: source.where };
      if ('reason' in stored) {
        quarantine.push({ ...entry, reason: `${source.where}: ${stored.reason}` });
      } else {
        if (stored.isNew) copied++;
        else present++;
        try {
          const { sourceWidth, sourceHeight } = await reader.read(path);
          images.push({ ...entry, width: sourceWidth, height: sourceHeight });
        } catch (error) {
          quarantine.push({ ...entry, reason: badImage(path, error).reason });
        }
      }
      onProgress?.({ done: ++done, total: wanted.length, file: image.file });
    });
    const isNew = new Set(wanted.map(({ file }) => file));
    const record: PalmRecord = {
      format: 'fovea-palm',
      version: 1,
      synthetic: synthetic || before.synthetic,
      images: [...before.images.filter(({ file }) => !isNew.has(file)), ...images].sort(byFile),
      quarantine: [...before.quarantine.filter(({ file }) => !isNew.has(file)), ...quarantine].sort(byFile),
    };
    if (quarantine.length > 0 && onBadImage === 'fail') throw unreadable(out, record.quarantine);
    warnings.push(...lackingClasses(record.images));
    const recordPath = join(out, recordFile);
    await writeFileAtomic(recordPath, `${JSON.stringify(record, null, 1)}\n`);
    return summarize(out, record, warnings, copied, present);
  } finally {
    await sources.close();
  }
}

/** @throws as {@link importPalm}, for names and labels */
async function survey(sources: PalmSources, before: PalmRecord) {
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
 * @throws FileError for training pictures of one class only; validation pictures of one class are still
 *   useful
 */
function lackingClasses(images: readonly PalmImage[]): string[] {
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

interface Sums {
  readonly bytes: number;
  readonly crc32: string;
  readonly sha256: string;
}

/** Copies a file, unless it is there. When this returns, the copy is complete and on the disk. */
async function store(source: SourceFile, path: string): Promise<{ sums: Sums; isNew: boolean }> {
  const present = await stat(path).catch(() => null);
  if (present === null) {
    const sums = new Checksums();
    await replaceFile(path, (handle) => writeFile(handle, sums.of(source.read())));
    return { sums: sums.result(), isNew: true };
  }
  const sums = new Checksums();
  if (present.isFile() && present.size === source.bytes) {
    for await (const _ of sums.of(streamInput(path)));
    if (sums.crc === (await source.crc32())) return { sums: sums.result(), isNew: false };
  }
  throw new FileError(
    `[palm] ${path}: expected no such file or ${source.where}, got other contents; import into another folder, or ` +
      'move this file away',
  );
}

/**
 * The entry of a picture that cannot be read, whose size and checksums are unknown. @throws all other errors
 */
function unreadableSource(error: unknown): { sums: Sums; reason: string } {
  if (!(error instanceof UnreadableSource)) throw error;
  return { sums: { bytes: 0, crc32: '', sha256: '' }, reason: error.reason };
}

/** Computes size and checksums of a stream that passes through. */
class Checksums {
  crc = 0;
  #bytes = 0;
  readonly #hash = createHash('sha256');

  async *of(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.crc = crc32(piece, this.crc);
      this.#bytes += piece.length;
      this.#hash.update(piece);
      yield piece;
    }
  }

  result(): Sums {
    return { bytes: this.#bytes, crc32: this.crc.toString(16).padStart(8, '0'), sha256: this.#hash.digest('hex') };
  }
}

async function earlierRecord(out: string): Promise<PalmRecord> {
  const isThere = await stat(join(out, recordFile)).then(
    () => true,
    () => false,
  );
  if (isThere) return readRecord(out);
  return { format: 'fovea-palm', version: 1, synthetic: false, images: [], quarantine: [] };
}

async function openFolder(path: string): Promise<void> {
  await makeFolder(path).catch((error: unknown) => {
    throw new FileError(`[palm] ${path}: expected a folder to write to, got ${reasonOf(error)}`, { cause: error });
  });
}

function unreadable(out: string, quarantine: readonly QuarantinedImage[]): FileError {
  const images = quarantine.map(({ file, reason }) => `${join(out, file)} (${reason})`);
  return new FileError(
    `[palm] pictures: expected ones that can be decoded, got ${listed(images)}; replace them, or leave them out ` +
      `with ${skipOption}`,
  );
}

function summarize(
  out: string,
  { images, quarantine, synthetic }: PalmRecord,
  warnings: readonly string[],
  copied: number,
  present: number,
): PalmSummary {
  return {
    folder: out,
    recordFile: join(out, recordFile),
    synthetic,
    train: countsOf(images, 'train'),
    validation: countsOf(images, 'validation'),
    sizes: sizesOf(images),
    quarantine: quarantine.map(({ file, reason }) => ({ path: join(out, file), reason })),
    warnings,
    copied,
    present,
    sha256: { train: hashOf(images.filter(isOf('train'))), validation: hashOf(images.filter(isOf('validation'))) },
  };
}

function isOf(set: PalmSet): (image: PalmImage) => boolean {
  return (image) => image.set === set;
}

function byFile(a: { file: string }, b: { file: string }): number {
  return a.file < b.file ? -1 : Number(a.file > b.file);
}
