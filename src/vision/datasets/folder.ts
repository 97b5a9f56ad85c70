import { join } from 'node:path';
import { FileError } from '../../errors.js';
import { listFiles, listFolders } from '../../io/walk.js';
import { type ImageFile, ImageFileDataset, type ImageFilesOptions, imageFileSet } from './imageFiles.js';

/** Names that stand for pictures, as in Paddle. Those that cannot be decoded are reported, not passed over. */
const extensions = /\.(jpe?g|png|ppm|bmp|pgm|tiff?|webp|gif)$/i;

/**
 * Pictures sorted into one folder for each class. Classes are numbered in the order of their names; pictures may lie in
 * subfolders of their class. Other files are left alone.
 */
export class DatasetFolder extends ImageFileDataset {
  /**
   * @throws FileError for a folder that cannot be read, has no subfolders, or a class without a picture (that can be
   * read)
   */
  static async open(root: string, options: ImageFilesOptions = {}): Promise<DatasetFolder> {
    const paths = (await listFiles(root)).map((path) => path.split('/'));
    const classNames = await listFolders(root);
    if (classNames.length === 0) {
      throw new FileError(`[dataset folder] ${root}: expected a folder for each class, got none`);
    }
    const labels = new Map(classNames.map((name, label) => [name, label]));
    const files = paths.flatMap((parts) => {
      const label = parts.length > 1 && extensions.test(parts[parts.length - 1]) ? labels.get(parts[0]) : undefined;
      return label === undefined ? [] : [{ path: join(root, ...parts), label }];
    });
    requireEach(root, classNames, files, 'a picture in each class');
    const set = await imageFileSet('dataset folder', files, classNames, options);
    requireEach(root, classNames, set.files, 'a picture that can be read in each class');
    return new DatasetFolder(set);
  }
}

/** All pictures in a folder and its subfolders, without classes: the label is −1. For predictions. */
export class ImageFolder extends ImageFileDataset {
  /** @throws FileError for a folder that cannot be read, or has no picture */
  static async open(root: string, options: ImageFilesOptions = {}): Promise<ImageFolder> {
    const files = (await picturesIn(root)).map((path) => ({ path, label: -1 }));
    return new ImageFolder(await imageFileSet('image folder', files, [], options));
  }
}

/**
 * The pictures in a folder and its subfolders, in the order of their names.
 *
 * @throws FileError for a folder that cannot be read, or has no picture
 */
export async function picturesIn(root: string): Promise<string[]> {
  const names = (await listFiles(root)).filter((name) => extensions.test(name));
  if (names.length > 0) return names.map((name) => join(root, name));
  throw new FileError(`[image folder] ${root}: expected pictures (${extensions.source}), got none`);
}

function requireEach(root: string, classNames: readonly string[], files: readonly ImageFile[], expected: string): void {
  const present = new Set(files.map(({ label }) => label));
  const empty = classNames.filter((_, label) => !present.has(label));
  if (empty.length === 0) return;
  throw new FileError(
    `[dataset folder] ${root}: expected ${expected}, got none in ${empty.join(', ')}; add some or remove the folder`,
  );
}
