import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, InputError } from '../../errors.js';
import { makeFolder, reasonOf, writeFileAtomic } from '../../io/files/atomic.js';
import { outputFolder } from '../../io/files/outputs.js';
import { ZipBudget, type ZipLimits } from '../../io/files/zip.js';
import { listed } from '../../text/list.js';
import { type BadImage, badImage, requireOnBadImage, skipOption } from '../datasets/reading/imageFiles.js';
import { ImageReader, type ImageReaderOptions } from '../datasets/reading/imageReader.js';
import { eachOf } from '../eachOf.js';
import {
  byFile,
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
import { PalmSources } from './sources.js';
import { store, unreadableSource } from './store.js';
import { lackingClasses, survey } from './survey.js';

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
 * @throws {FileError} for broken, protected or excessive archives, unexpected names of pictures, pictures
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
