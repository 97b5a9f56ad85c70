import { FileError, InputError } from '../../../errors.js';
import { fingerprint } from '../../../io/files/fingerprint.js';
import type { Preprocessed, Preprocessing, PreprocessOptions } from '../../images/preprocess.js';
import { preprocessing } from '../../images/preprocess.js';
import { normalizeInto } from '../../transforms/image.js';
import type { Transform, TransformFunction } from '../../transforms/transform.js';
import { Augmenter } from './augmenter.js';
import { stampOf } from './cachedImage.js';
import { ImageCache, type ImageCacheOptions } from './imageCache.js';
import { type ImagePool, imagePool } from './imagePool.js';

export interface ImageReaderOptions extends PreprocessOptions {
  /** Keep prepared pictures on disk for later runs: true, or the folder and the limit of the cache. */
  readonly cache?: boolean | ImageCacheOptions;
  /**
   * Bytes of prepared pictures to keep in memory for later epochs (512 MiB: 3,500 pictures of 224×224). A
   * training without transforms also keeps up to 700 of them as inputs of the network, which is faster.
   */
  readonly memoryBytes?: number;
  /** Threads that decode while a training step runs (one for each processor, at most 4). */
  readonly numWorkers?: number;
}

/** The contents of a file that is in use. */
interface UsedFile {
  readonly stamp: string;
  /** The checksum if it was requested: then changed contents are refused. */
  readonly sha256?: string;
}

/** Prepared pictures: from memory, from the cache on disk, or decoded by other threads. */
export class ImageReader {
  readonly preprocessing: Preprocessing;
  readonly #cache: Required<ImageCacheOptions> | null;
  readonly #pool: ImagePool;
  readonly #memory = new Map<string, Preprocessed>();
  /** The same pictures as inputs of a network, four times as large. */
  readonly #inputs = new Map<string, Float32Array>();
  /** The contents that are in use, by file. */
  readonly #used = new Map<string, UsedFile>();
  #room: number;
  /** The number of pictures that are read repeatedly; 0: nothing is kept as inputs. */
  #repeated = 0;

  constructor({ cache = true, memoryBytes = 2 ** 29, numWorkers, ...options }: ImageReaderOptions = {}) {
    this.preprocessing = preprocessing(options);
    if (!(memoryBytes >= 0)) {
      throw new InputError(`[images] memoryBytes: expected a number from 0 on, got ${memoryBytes}`);
    }
    if (cache === false) {
      this.#cache = null;
    } else {
      // Threads have their own environment, so folders that depend on it are resolved here.
      const { folder, maxBytes } = new ImageCache(cache === true ? {} : cache);
      this.#cache = { folder, maxBytes };
    }
    this.#room = memoryBytes;
    this.#pool = imagePool(numWorkers);
  }

  /** The number of pictures to request at a time, so that all threads are busy. */
  get width(): number {
    return 2 * this.#pool.width;
  }

  /** The object that changes the pictures of this reader, in its threads. */
  augmenter(transform: Transform | TransformFunction): Augmenter {
    return new Augmenter(transform, this.#pool, { order: this.preprocessing.order, range: 'signed' });
  }

  /** The picture if it is in memory. */
  peek(path: string): Preprocessed | undefined {
    return this.#memory.get(path);
  }

  /**
   * Announces that this many pictures will be read repeatedly, so that they are kept as inputs too, as far as
   * there is room.
   */
  keepInputsOf(count: number): void {
    this.#repeated = Math.max(this.#repeated, count);
  }

  /**
   * Writes the picture as float32 from −1 to 1 into `target`, beginning at `offset`: at once if it is in
   * memory.
   *
   * @throws {FileError}, by the promise, if the file cannot be read, or is no intact picture
   */
  fill(target: Float32Array, offset: number, path: string): Promise<void> | undefined {
    const inputs = this.#inputs.get(path);
    if (inputs !== undefined) {
      target.set(inputs, offset);
      return undefined;
    }
    const convert = ({ pixels }: Preprocessed) => {
      normalizeInto(target, offset, pixels);
      this.#keepInputs(path, target.subarray(offset, offset + pixels.length));
    };
    const kept = this.#memory.get(path);
    if (kept === undefined) return this.read(path).then(convert);
    convert(kept);
    return undefined;
  }

  /**
   * Keeps the inputs, since copying takes half the time of converting. Pictures that are not read yet have
   * priority.
   */
  #keepInputs(path: string, inputs: Float32Array): void {
    const toCome = Math.max(0, this.#repeated - this.#memory.size) * inputs.length;
    if (this.#repeated === 0 || inputs.byteLength > this.#room - toCome || this.#inputs.has(path)) return;
    this.#room -= inputs.byteLength;
    this.#inputs.set(path, inputs.slice());
  }

  /**
   * The checksum of a file. From then on the reader refuses changed contents. If it has read the picture
   * before, the checksum is that of the contents it has read.
   *
   * @throws {FileError} if the contents are not those that were read, or change meanwhile
   */
  async sha256Of(path: string): Promise<string> {
    const before = await stampOf(path);
    const { sha256 } = await fingerprint(path);
    const used = this.#used.get(path);
    if (before === null || before !== (await stampOf(path))) throw changed(path);
    if (used !== undefined && used.stamp !== before && used.sha256 !== sha256) throw changed(path);
    this.#used.set(path, { stamp: before, sha256 });
    return sha256;
  }

  /** Throws if the contents no longer match the checksum. A new time alone is no change. */
  async #requireUnchanged(path: string, stamp: string): Promise<void> {
    const used = this.#used.get(path);
    if (used?.stamp === stamp) return;
    if (used?.sha256 === undefined) this.#used.set(path, { stamp });
    else if ((await this.sha256Of(path)) !== used.sha256 || this.#used.get(path)?.stamp !== stamp) throw changed(path);
  }

  /**
   * @throws {FileError} if the file cannot be read, is no intact picture, or has changed since
   *   {@link sha256Of}
   */
  async read(path: string): Promise<Preprocessed> {
    const kept = this.#memory.get(path);
    if (kept !== undefined) return kept;
    const image = await this.#pool.read({ path, preprocessing: this.preprocessing, cache: this.#cache });
    await this.#requireUnchanged(path, image.stamp);
    // When the memory is full, nothing is replaced: in epochs over too many pictures, each one would be
    // replaced before its next use.
    const bytes = image.pixels.byteLength;
    if (bytes <= this.#room && !this.#memory.has(path)) {
      this.#room -= bytes;
      this.#memory.set(path, image);
    }
    return image;
  }
}

function changed(path: string): FileError {
  return new FileError(
    `[image] ${path}: expected the contents that were there at the start, got others; put the file back, or begin again`,
  );
}
