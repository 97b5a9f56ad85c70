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
  /** Keep prepared pictures on disk for later runs (true), and where and how many. */
  readonly cache?: boolean | ImageCacheOptions;
  /**
   * Bytes of prepared pictures to keep in memory for later epochs (512 MiB: 3,500 pictures of 224×224). In
   * trainings without transforms up to 700 of them are kept as the network takes them as well, which is
   * quicker.
   */
  readonly memoryBytes?: number;
  /** Threads that decode beside the training step (one for each processor, at most 4). */
  readonly numWorkers?: number;
}

/** The contents of a file that is in use. */
interface UsedFile {
  readonly stamp: string;
  /** If somebody has asked for it: then other contents are refused. */
  readonly sha256?: string;
}

/** Prepared pictures: from memory, from the cache on disk, or decoded by other threads. */
export class ImageReader {
  readonly preprocessing: Preprocessing;
  readonly #cache: Required<ImageCacheOptions> | null;
  readonly #pool: ImagePool;
  readonly #memory = new Map<string, Preprocessed>();
  /** The same as inputs of a network, four times as large. */
  readonly #inputs = new Map<string, Float32Array>();
  /** Which contents of the files are in use. */
  readonly #used = new Map<string, UsedFile>();
  #room: number;
  /** Pictures that are read again and again; 0: nothing is kept as inputs. */
  #repeated = 0;

  constructor({ cache = true, memoryBytes = 2 ** 29, numWorkers, ...options }: ImageReaderOptions = {}) {
    this.preprocessing = preprocessing(options);
    if (!(memoryBytes >= 0)) {
      throw new InputError(`[images] memoryBytes: expected a number from 0 on, got ${memoryBytes}`);
    }
    if (cache === false) {
      this.#cache = null;
    } else {
      // The threads have their own environment, so what it says about folders is settled here.
      const { folder, maxBytes } = new ImageCache(cache === true ? {} : cache);
      this.#cache = { folder, maxBytes };
    }
    this.#room = memoryBytes;
    this.#pool = imagePool(numWorkers);
  }

  /** Pictures that should be asked for at a time to keep all threads busy. */
  get width(): number {
    return 2 * this.#pool.width;
  }

  /** What changes the pictures of this reader, in its threads. */
  augmenter(transform: Transform | TransformFunction): Augmenter {
    return new Augmenter(transform, this.#pool, { order: this.preprocessing.order, range: 'signed' });
  }

  /** The picture if it is in memory. */
  peek(path: string): Preprocessed | undefined {
    return this.#memory.get(path);
  }

  /** So many pictures will be read again and again: those that there is room for are kept as inputs too. */
  keepInputsOf(count: number): void {
    this.#repeated = Math.max(this.#repeated, count);
  }

  /**
   * Writes the picture as float32 from −1 to 1 into `target`, from `offset` on: at once if it is in memory.
   *
   * @throws FileError, by the promise, if the file cannot be read, or is no intact picture
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

  /** Copying takes half the time of converting. Pictures that are still to come go first. */
  #keepInputs(path: string, inputs: Float32Array): void {
    const toCome = Math.max(0, this.#repeated - this.#memory.size) * inputs.length;
    if (this.#repeated === 0 || inputs.byteLength > this.#room - toCome || this.#inputs.has(path)) return;
    this.#room -= inputs.byteLength;
    this.#inputs.set(path, inputs.slice());
  }

  /**
   * The checksum of a file. From then on the reader refuses other contents of it, and if it has read the
   * picture before, the checksum is of what it has read.
   *
   * @throws FileError if the contents are not those that were read, or change meanwhile
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

  /** Notices other contents than those that the checksum is of. A new time alone is no change. */
  async #requireUnchanged(path: string, stamp: string): Promise<void> {
    const used = this.#used.get(path);
    if (used?.stamp === stamp) return;
    if (used?.sha256 === undefined) this.#used.set(path, { stamp });
    else if ((await this.sha256Of(path)) !== used.sha256 || this.#used.get(path)?.stamp !== stamp) throw changed(path);
  }

  /**
   * @throws FileError if the file cannot be read, is no intact picture, or has changed since {@link sha256Of}
   */
  async read(path: string): Promise<Preprocessed> {
    const kept = this.#memory.get(path);
    if (kept !== undefined) return kept;
    const image = await this.#pool.read({ path, preprocessing: this.preprocessing, cache: this.#cache });
    await this.#requireUnchanged(path, image.stamp);
    // Full is full: in epochs over more pictures than there is room for, replacing would leave none for the
    // next one.
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
    `[image] ${path}: expected the contents that were there at the start, got others; put the file back, or begin anew`,
  );
}
