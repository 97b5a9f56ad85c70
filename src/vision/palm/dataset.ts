import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, InputError } from '../../errors.js';
import { reasonOf } from '../../io/files/atomic.js';
import { listed } from '../../text/list.js';
import {
  type BadImage,
  ImageFileDataset,
  type ImageFileSet,
  type ImageFilesOptions,
  imageFileSet,
} from '../datasets/reading/imageFiles.js';
import type { ChannelOrder } from '../transforms/image.js';
import { hashOf, isForbidden, makeReadable, type PalmImage, type PalmSet, readRecord, setFolders } from './record.js';

export interface PALMOptions extends ImageFilesOptions {
  /** The folder that the data set was imported into. */
  readonly dataDir: string;
  /** The 400 training images (default) or the 400 validation images. */
  readonly mode?: PalmSet;
  /**
   * Order of the colour channels. Default 'BGR', since PaddlePaddle's course reads these photographs with
   * OpenCV.
   */
  readonly order?: ChannelOrder;
}

/**
 * iChallenge-PM: photographs of the fundus, float32 `[3, 224, 224]` from −1 to 1 in the order BGR. Label 1 is
 * pathologic myopia, 0 is a healthy or highly myopic eye. `importPalm` prepares the folder.
 *
 * @example
 * ```ts
 * const trainSet = await vision.datasets.PALM.open({ dataDir: 'palm' });
 * const validationSet = await vision.datasets.PALM.open({ dataDir: 'palm', mode: 'validation' });
 * ```
 */
export class PALM extends ImageFileDataset {
  private constructor(
    set: ImageFileSet,
    /** Size and checksums of each picture, in the order of `files`. */
    readonly images: readonly PalmImage[],
    /** Whether these are synthetic pictures, not photographs. */
    readonly synthetic: boolean,
    /** Checksum of the pictures and their labels. */
    readonly sha256: string,
  ) {
    super({ ...set, ...(synthetic && { caution: 'Synthetic: drawn by a program, no photographs of eyes' }) });
  }

  /**
   * Opens an imported data set. Pictures that could not be decoded during the import are left out and listed
   * in `quarantine`. With `onBadImage: 'skip'` this also holds for pictures that are missing now, have
   * another size now, or can no longer be decoded.
   *
   * @throws {FileError} if nothing was imported into the folder, or pictures are missing or have another size
   *   now
   */
  static async open({ dataDir, mode = 'train', order = 'BGR', ...options }: PALMOptions): Promise<PALM> {
    if (!(mode in setFolders)) throw new InputError(`[palm] mode: expected 'train' or 'validation', got '${mode}'`);
    const { images: all, quarantine: bad, synthetic } = await readRecord(dataDir);
    const images = all.filter(({ set }) => set === mode);
    if (images.length === 0) {
      throw new FileError(`[palm] ${dataDir}: expected ${mode} pictures, got none; import them into this folder too`);
    }
    const sizes = await Promise.all(
      images.map(({ file }) =>
        stat(join(dataDir, file)).then(
          ({ size }) => size,
          (error: unknown) => {
            if (!isForbidden(error)) return null;
            const folder = join(dataDir, setFolders[mode]);
            throw new FileError(
              `[palm] ${folder}: expected a readable folder, got ${reasonOf(error)}; ${makeReadable}`,
            );
          },
        ),
      ),
    );
    const changed = images.filter(({ bytes }, i) => sizes[i] !== bytes);
    if (changed.length > 0 && (options.onBadImage !== 'skip' || changed.length === images.length)) {
      throw new FileError(
        `[palm] ${dataDir}: expected the files that were imported, got missing or changed ones: ` +
          `${listed(changed.map(({ file }) => file))}; import again`,
      );
    }
    const pathOf = ({ file }: { readonly file: string }) => join(dataDir, file);
    const files = images
      .filter((image) => !changed.includes(image))
      .map((image) => ({ path: pathOf(image), label: image.label }));
    const set = await imageFileSet('palm', files, ['non-PM', 'PM'], { ...options, order });
    const quarantine: BadImage[] = [
      ...bad.filter((image) => image.set === mode).map((image) => ({ path: pathOf(image), reason: image.reason })),
      ...changed.map((image) => ({
        path: pathOf(image),
        reason: 'expected the file that was imported, got none or another',
      })),
      ...set.quarantine,
    ].sort((a, b) => (a.path < b.path ? -1 : 1));
    const left = new Set(set.files.map(({ path }) => path));
    const used = images.filter((image) => left.has(pathOf(image)));
    return new PALM({ ...set, quarantine }, used, synthetic, hashOf(used));
  }
}
