import { type Batch, type Dataset, readBatch, type Sample } from '../../io/data/dataset.js';
import type { RandomGenerator } from '../../random.js';

/** Features of images in memory, with the classes of the images. */
export class Features implements Dataset {
  readonly length: number;
  readonly labels: Int32Array;
  readonly #size: number;
  readonly #values: Float32Array;

  /**
   * @param length number of images
   * @param size numbers of the features of an image
   */
  constructor(length: number, size: number) {
    this.length = length;
    this.labels = new Int32Array(length);
    this.#size = size;
    this.#values = new Float32Array(length * size);
  }

  /** Adds the features of a batch; each part has some of the features of every image. */
  add(begin: number, parts: readonly Float32Array[], labels: Int32Array): void {
    let offset = 0;
    for (const part of parts) {
      const size = part.length / labels.length;
      for (let i = 0; i < labels.length; i++) {
        this.#values.set(part.subarray(i * size, (i + 1) * size), (begin + i) * this.#size + offset);
      }
      offset += size;
    }
    this.labels.set(labels, begin);
  }

  get(index: number): Sample {
    const image = this.#values.slice(index * this.#size, (index + 1) * this.#size);
    return { image, shape: [this.#size], label: this.labels[index] };
  }

  readBatch(indices: Uint32Array): Batch {
    const images = new Float32Array(indices.length * this.#size);
    indices.forEach((index, i) => {
      images.set(this.#values.subarray(index * this.#size, (index + 1) * this.#size), i * this.#size);
    });
    return { images, shape: [indices.length, this.#size], labels: Int32Array.from(indices, (i) => this.labels[i]) };
  }
}

/** A data set of images whose features take their place for a while. */
export class ImagesOrFeatures implements Dataset {
  readonly length: number;
  readonly labels?: ArrayLike<number>;
  /** The features, while the network takes them. */
  features: Features | null = null;
  readonly #images: Dataset;

  constructor(images: Dataset) {
    this.#images = images;
    this.length = images.length;
    if (images.labels !== undefined) this.labels = images.labels;
  }

  get isRandom(): boolean {
    return this.features === null && this.#images.isRandom === true;
  }

  expectEpochs(): void {
    this.#images.expectEpochs?.();
  }

  get(index: number, random?: RandomGenerator): Sample | Promise<Sample> {
    return this.features === null ? this.#images.get(index, random) : this.features.get(index);
  }

  readBatch(indices: Uint32Array, randoms?: readonly RandomGenerator[], memory?: Float32Array): Batch | Promise<Batch> {
    return this.features?.readBatch(indices) ?? readBatch(this.#images, indices, randoms, memory);
  }
}
