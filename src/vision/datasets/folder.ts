import { join } from 'node:path';
import { FileError } from '../../errors.js';
import { readFormats } from '../images/formats.js';
import { readLayout } from './layout.js';
import { describePassedOver, listPictures, type PassedOver } from './listing.js';
import {
  type ImageFile,
  ImageFileDataset,
  type ImageFileSet,
  type ImageFilesOptions,
  imageFileSet,
} from './reading/imageFiles.js';

/**
 * Pictures sorted into one folder for each class. Classes are numbered in the order of their names. A class
 * may have subfolders. The contents of a file decide whether it is a picture; other files are skipped and
 * listed.
 *
 * @example
 * ```ts
 * const photos = await vision.datasets.DatasetFolder.open('photos');
 * console.log(photos.classNames, photos.length);
 * ```
 */
export class DatasetFolder extends ImageFileDataset {
  /** Files that were skipped because they are no data. */
  readonly passedOver: readonly PassedOver[];

  private constructor(set: ImageFileSet, passedOver: readonly PassedOver[]) {
    super(set);
    this.passedOver = passedOver;
  }

  /**
   * @throws {FileError} for a folder that cannot be read, has no folders with pictures, has parts such as
   *   `train` and `val` instead of classes, or has a class without a picture that can be read
   */
  static async open(root: string, options: ImageFilesOptions = {}): Promise<DatasetFolder> {
    const { pictures, parts, passedOver, isInverted } = await readLayout(root, { onBadImage: options.onBadImage });
    const names = Object.values(parts);
    if (names.length > 0) {
      const place = isInverted ? 'in each class' : `such as ${join(root, names[0])}`;
      throw new FileError(
        `[dataset folder] ${root}: expected a folder for each class, got the parts ${names.join(', ')}; open one of them, ${place}`,
      );
    }
    const classNames = [...new Set(pictures.map(({ className }) => className))].sort();
    const labels = new Map(classNames.map((name, label) => [name, label]));
    const files = pictures.map(({ path, className }) => ({
      path: join(root, path),
      label: labels.get(className) as number,
    }));
    const set = await imageFileSet('dataset folder', files, classNames, options);
    requireEach(root, classNames, set.files);
    return new DatasetFolder(set, passedOver);
  }
}

/**
 * All pictures in a folder and its subfolders, without classes: every label is −1. It is meant for
 * predictions.
 *
 * @example
 * ```ts
 * const photos = await vision.datasets.ImageFolder.open('photos');
 * console.log(photos.files.map(({ path }) => path));
 * ```
 */
export class ImageFolder extends ImageFileDataset {
  /** @throws {FileError} for a folder that cannot be read, or has no picture */
  static async open(root: string, options: ImageFilesOptions = {}): Promise<ImageFolder> {
    const { pictures } = await picturesIn(root, options.onBadImage);
    const files = pictures.map((path) => ({ path, label: -1 }));
    return new ImageFolder(await imageFileSet('image folder', files, [], options));
  }
}

/**
 * The pictures in a folder and its subfolders, in the order of their names, and the files that were skipped.
 *
 * @throws {FileError} for a folder that cannot be read, or has no picture
 */
export async function picturesIn(
  root: string,
  onBadImage?: ImageFilesOptions['onBadImage'],
): Promise<{ readonly pictures: readonly string[]; readonly passedOver: readonly PassedOver[] }> {
  const { pictures, passedOver } = await listPictures(root, { onBadImage });
  if (pictures.length > 0) return { pictures: pictures.map((name) => join(root, name)), passedOver };
  const got = passedOver.length === 0 ? 'none' : describePassedOver(passedOver);
  throw new FileError(`[image folder] ${root}: expected pictures (${readFormats.join(', ')}), got ${got}`);
}

function requireEach(root: string, classNames: readonly string[], files: readonly ImageFile[]): void {
  const present = new Set(files.map(({ label }) => label));
  const empty = classNames.filter((_, label) => !present.has(label));
  if (empty.length === 0) return;
  throw new FileError(
    `[dataset folder] ${root}: expected a picture that can be read in each class, got none in ${empty.join(', ')}; ` +
      'add some or remove the folder',
  );
}
