import { InputError } from '../../errors.js';
import type { Batch, Dataset, Sample } from '../../io/data/dataset.js';
import type { RandomGenerator } from '../../random.js';
import type { TransformedImages } from '../transforms/batch.js';
import { inputsOf } from '../transforms/image.js';
import { Augmenter, streamOf, type Transformable, type TransformOption } from './reading/augmenter.js';
import { imagePool } from './reading/imagePool.js';

/** Images of one size in memory. */
export interface PixelSet {
  /** Name of the data set in messages. */
  readonly where: string;
  /** `[n, …shape]`; the size of an image is a multiple of 4. */
  readonly pixels: Uint8Array;
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly labels: Uint8Array;
  readonly classNames: readonly string[];
}

/** Options for changing images in memory. */
export interface PixelOptions extends TransformOption {
  /** Threads that transform images while a training step runs (0: batches come at once, without promises). */
  readonly numWorkers?: number | undefined;
}

/**
 * Images of one size in memory: float32 `[channels, height, width]`, bytes divided by 255 as in Paddle's
 * ToTensor.
 */
export class PixelDataset implements Dataset, Transformable<PixelDataset> {
  readonly length: number;
  readonly classNames: readonly string[];
  readonly isRandom: boolean;
  readonly #set: PixelSet;
  readonly #options: PixelOptions;
  readonly #augmenter: Augmenter | null;
  /** Four pixels in each word, the first one in the lowest byte. */
  readonly #words: Uint32Array;

  /** @throws {InputError} for an invalid number of threads */
  protected constructor(set: PixelSet, options: PixelOptions) {
    const { transform, numWorkers = 0 } = options;
    this.length = set.labels.length;
    this.classNames = set.classNames;
    const pixels = set.pixels.byteOffset % 4 === 0 ? set.pixels : set.pixels.slice();
    this.#set = { ...set, pixels };
    this.#words = new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length / 4);
    this.#options = options;
    const format = { order: 'RGB', range: 'unit' } as const;
    const pool = imagePool(numWorkers);
    this.#augmenter = transform == null ? null : new Augmenter(transform, pool, format);
    this.isRandom = this.#augmenter?.isRandom ?? false;
  }

  /** The class of each image. */
  get labels(): Uint8Array {
    return this.#set.labels.slice();
  }

  withTransform(transform: NonNullable<TransformOption['transform']> | null, options?: PixelOptions): PixelDataset {
    return new PixelDataset(this.#set, { ...this.#options, ...options, transform });
  }

  withWorkers(numWorkers: number): PixelDataset {
    return new PixelDataset(this.#set, { ...this.#options, numWorkers });
  }

  /** @param random default: the same numbers for the same index, until the default generator is used */
  get(index: number, random = streamOf(index)): Sample {
    const label = this.#label(index);
    const { shape } = this.#set;
    if (this.#augmenter === null) return { image: this.#scaled([index]), shape, label };
    const made = this.#augmenter.apply(this.#gathered([index]), shape, [random]);
    return { image: made.images, shape: made.shape, label };
  }

  readBatch(indices: ArrayLike<number>, randoms?: readonly RandomGenerator[]): Batch | Promise<Batch> {
    const { shape } = this.#set;
    const labels = Int32Array.from(indices, (index) => this.#label(index));
    const n = labels.length;
    if (this.#augmenter === null) return { images: this.#scaled(indices), shape: [n, ...shape], labels };
    const streams = Array.from(indices, (index, i) => randoms?.[i] ?? streamOf(index));
    const batchOf = (made: TransformedImages): Batch => ({ images: made.images, shape: [n, ...made.shape], labels });
    const result = this.#augmenter.run(this.#gathered(indices), shape, streams);
    return result instanceof Promise ? result.then(batchOf) : batchOf(result);
  }

  #label(index: number): number {
    const label = this.#set.labels[index];
    if (label !== undefined) return label;
    const { where } = this.#set;
    throw new InputError(`[${where}] index: expected an integer from 0 to ${this.length - 1}, got ${index}`);
  }

  #gathered(indices: ArrayLike<number>): Uint8Array {
    const { pixels } = this.#set;
    const size = pixels.length / this.length;
    const found = new Uint8Array(indices.length * size);
    for (let i = 0; i < indices.length; i++) {
      found.set(pixels.subarray(indices[i] * size, (indices[i] + 1) * size), i * size);
    }
    return found;
  }

  #scaled(indices: ArrayLike<number>): Float32Array {
    const words = this.#words;
    const size = words.length / this.length;
    const images = new Float32Array(indices.length * size * 4);
    const { unit } = inputsOf;
    // This loop matters, since a step of a small network takes 0.2 ms. Most of MNIST's paper is blank, so
    // four pixels are skipped at once.
    for (let i = 0, at = 0; i < indices.length; i++) {
      const begin = indices[i] * size;
      for (let w = begin; w < begin + size; w++, at += 4) {
        const word = words[w];
        if (word === 0) continue;
        images[at] = unit[word & 255];
        images[at + 1] = unit[(word >>> 8) & 255];
        images[at + 2] = unit[(word >>> 16) & 255];
        images[at + 3] = unit[word >>> 24];
      }
    }
    return images;
  }
}
