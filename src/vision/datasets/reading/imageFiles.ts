import { FileError, InputError, messageOf } from '../../../errors.js';
import type { Batch, Dataset, Sample } from '../../../io/data/dataset.js';
import type { RandomGenerator } from '../../../random.js';
import { option } from '../../../text/option.js';
import { eachOf } from '../../eachOf.js';
import type { Preprocessed } from '../../images/preprocess.js';
import { joined, type TransformedImages } from '../../transforms/batch.js';
import { numbersAmong } from '../labelNames.js';
import { type Augmenter, streamOf, type Transformable, type TransformOption } from './augmenter.js';
import { ImageReader, type ImageReaderOptions } from './imageReader.js';

/** A picture with its class. */
export interface ImageFile {
  readonly path: string;
  readonly label: number;
  /** Which part of the data it belongs to, if its list says so. */
  readonly split?: string;
  /** Pictures of one group, such as those of a patient, stay together in a split. */
  readonly group?: string | undefined;
}

/** The option that leaves out bad pictures, for messages. */
export const skipOption = option('onBadImage', 'skip');

/** A picture that cannot be used, and why. */
export interface BadImage {
  readonly path: string;
  readonly reason: string;
}

export interface ImageFilesOptions extends ImageReaderOptions, TransformOption {
  /**
   * Treatment of pictures that cannot be decoded. 'fail' (default): reading such a picture is an error.
   * 'skip': all pictures are decoded when the data set is opened, which fills the cache, and bad ones are
   * left out and listed in `quarantine`. Files are never removed.
   */
  readonly onBadImage?: 'fail' | 'skip';
  /** Called while 'skip' checks pictures. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** The parts of an {@link ImageFileDataset}. */
export interface ImageFileSet extends TransformOption {
  readonly files: readonly ImageFile[];
  readonly classNames: readonly string[];
  readonly quarantine: readonly BadImage[];
  /** Sentences for people about how the data were understood and what was skipped (none). */
  readonly notes?: readonly string[];
  /** A line that must be on sheets of these pictures, for example that they are synthetic (none). */
  readonly caution?: string | undefined;
  readonly reader: ImageReader;
}

/**
 * Pictures in files: images float32 `[3, height, width]` from −1 to 1, which other threads decode and which
 * are kept in memory. A transform changes the kept pictures, in each epoch with other random numbers.
 *
 * A batch comes at once if all its pictures are in memory and nothing changes them, else as a promise.
 */
export class ImageFileDataset implements Dataset, Transformable<ImageFileDataset> {
  readonly length: number;
  readonly classNames: readonly string[];
  /** Path and label of each sample. */
  readonly files: readonly ImageFile[];
  /** The pictures that were left out because they are bad. */
  readonly quarantine: readonly BadImage[];
  /** Sentences for people about how the data were understood and what was skipped. */
  readonly notes: readonly string[];
  /** A line that must be on sheets of these pictures, for example that they are synthetic. */
  readonly caution: string | undefined;
  readonly isRandom: boolean;
  readonly #reader: ImageReader;
  readonly #transform: TransformOption['transform'];
  readonly #augmenter: Augmenter | null;

  protected constructor({ files, classNames, quarantine, notes = [], caution, reader, transform }: ImageFileSet) {
    this.files = files;
    this.length = files.length;
    this.classNames = classNames;
    this.quarantine = quarantine;
    this.notes = notes;
    this.caution = caution;
    this.#reader = reader;
    this.#transform = transform;
    this.#augmenter = transform == null ? null : reader.augmenter(transform);
    this.isRandom = this.#augmenter?.isRandom ?? false;
  }

  /**
   * A data set of these files, in their order.
   *
   * @param where name of the data set in messages
   * @throws {FileError} if no picture is left without the bad ones
   */
  static async list(
    where: string,
    files: readonly ImageFile[],
    classNames: readonly string[],
    options: ImageFilesOptions = {},
  ): Promise<ImageFileDataset> {
    return new ImageFileDataset(await imageFileSet(where, files, classNames, options));
  }

  get labels(): Int32Array {
    return Int32Array.from(this.files, ({ label }) => label);
  }

  /**
   * Some of the samples, in the order of `indices`. Both sets share pictures in memory. Pictures that were
   * left out are counted with the whole set, since they belong to no part of it.
   */
  subset(indices: Iterable<number>): ImageFileDataset {
    return this.#changed({ files: Array.from(indices, (index) => this.files[index]), quarantine: [] });
  }

  withTransform(transform: NonNullable<TransformOption['transform']> | null): ImageFileDataset {
    return this.#changed({ transform });
  }

  /**
   * The same pictures, with classes numbered as in `classNames`.
   *
   * @throws {InputError} if a class of the pictures is not among them
   */
  relabelled(classNames: readonly string[]): ImageFileDataset {
    const numbers = numbersAmong(this.classNames, classNames);
    const files = this.files.map((file) => ({ ...file, label: numbers[file.label] ?? file.label }));
    const strange = this.classNames.filter((_, i) => numbers[i] < 0);
    if (strange.length > 0) {
      throw new InputError(
        `[images] classes: expected ${classNames.join(', ')}, got ${strange.join(', ')} as well; rename or leave them out`,
      );
    }
    return this.#changed({ files, classNames });
  }

  /**
   * The checksum of one of the files. From then on reading the file fails if its contents have changed.
   *
   * @throws {FileError} if the contents are not those that were read
   */
  sha256Of(path: string): Promise<string> {
    return this.#reader.sha256Of(path);
  }

  expectEpochs(): void {
    if (this.#augmenter === null) this.#reader.keepInputsOf(this.length);
  }

  #changed(changes: Partial<ImageFileSet>): ImageFileDataset {
    const { files, classNames, quarantine, notes, caution } = this;
    const [reader, transform] = [this.#reader, this.#transform];
    return new ImageFileDataset({ files, classNames, quarantine, notes, caution, reader, transform, ...changes });
  }

  get(index: number, random?: RandomGenerator): Sample | Promise<Sample> {
    const sampleOf = ({ images, shape, labels }: Batch) => ({ image: images, shape: shape.slice(1), label: labels[0] });
    const batch = this.readBatch([index], random && [random]);
    return batch instanceof Promise ? batch.then(sampleOf) : sampleOf(batch);
  }

  readBatch(
    indices: ArrayLike<number>,
    randoms?: readonly RandomGenerator[],
    memory?: Float32Array,
  ): Batch | Promise<Batch> {
    const files = Array.from(indices, (index) => this.#file(index));
    const labels = Int32Array.from(files, ({ label }) => label);
    if (this.#augmenter === null) return this.#readPlain(files, labels, memory);
    const augmenter = this.#augmenter;
    const results = files.map(({ path }, i) => {
      const change = ({ pixels, height, width }: Preprocessed) =>
        augmenter.run(pixels, [3, height, width], [randoms?.[i] ?? streamOf(indices[i])]);
      const kept = this.#reader.peek(path);
      return kept === undefined ? this.#reader.read(path).catch(withAdvice).then(change) : change(kept);
    });
    const batchOf = (parts: readonly TransformedImages[]): Batch => {
      const { images, shape } = joined(parts, memory);
      return { images, shape: [files.length, ...shape], labels };
    };
    if (!results.some((result) => result instanceof Promise)) return batchOf(results as TransformedImages[]);
    return Promise.all(results).then(batchOf);
  }

  #readPlain(files: readonly ImageFile[], labels: Int32Array, memory?: Float32Array): Batch | Promise<Batch> {
    const { height, width } = this.#reader.preprocessing;
    const size = 3 * height * width;
    const length = files.length * size;
    const images = memory?.length === length ? memory : new Float32Array(length);
    const reading: Promise<void>[] = [];
    files.forEach(({ path }, i) => {
      const filled = this.#reader.fill(images, i * size, path);
      if (filled !== undefined) reading.push(filled.catch(withAdvice));
    });
    const batch = { images, shape: [files.length, 3, height, width], labels };
    return reading.length === 0 ? batch : Promise.all(reading).then(() => batch);
  }

  #file(index: number): ImageFile {
    const file = this.files[index];
    if (file !== undefined) return file;
    throw new InputError(`[images] index: expected an integer from 0 to ${this.length - 1}, got ${index}`);
  }
}

function withAdvice(error: unknown): never {
  if (!(error instanceof FileError)) throw error;
  throw new FileError(`${error.message} with ${skipOption}`, { cause: error });
}

/**
 * Prepares a list of pictures for a data set, as `onBadImage` says.
 *
 * @param where name of the data set in messages
 * @throws {FileError} if no picture is left
 */
export async function imageFileSet(
  where: string,
  files: readonly ImageFile[],
  classNames: readonly string[],
  { onBadImage = 'fail', onProgress, transform, ...options }: ImageFilesOptions,
): Promise<ImageFileSet> {
  requireOnBadImage(onBadImage);
  const reader = new ImageReader(options);
  if (onBadImage === 'fail') return { files, classNames, quarantine: [], reader, transform };
  const quarantine: BadImage[] = [];
  let done = 0;
  await eachOf(files, reader.width, async ({ path }) => {
    await reader.read(path).catch((error: unknown) => quarantine.push(badImage(path, error)));
    onProgress?.({ done: ++done, total: files.length });
  });
  const bad = new Set(quarantine.map(({ path }) => path));
  const good = files.filter(({ path }) => !bad.has(path));
  quarantine.sort((a, b) => (a.path < b.path ? -1 : 1));
  if (good.length === 0) {
    const [{ path, reason }] = quarantine;
    throw new FileError(
      `[${where}] pictures: expected one that can be read, got none of ${files.length}; ${path}: ${reason}`,
    );
  }
  return { files: good, classNames, quarantine, reader, transform };
}

export function requireOnBadImage(choice: string): void {
  if (choice !== 'fail' && choice !== 'skip') {
    throw new InputError(`[images] onBadImage: expected 'fail' or 'skip', got '${choice}'`);
  }
}

/** The entry of a quarantine list. @throws any error that the picture did not cause */
export function badImage(path: string, error: unknown): BadImage {
  if (!(error instanceof FileError)) throw error;
  return { path, reason: messageOf(error).replace(`[image] ${path}: `, '') };
}
