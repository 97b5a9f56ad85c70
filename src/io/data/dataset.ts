import * as check from '../../check.js';
import { InputError, ShapeError } from '../../errors.js';
import { formatShape, numel, type Shape, sameShape } from '../../graph/shape.js';
import type { RandomGenerator } from '../../random.js';

/** One image with its class. */
export interface Sample {
  /** Row-major values. */
  readonly image: Float32Array;
  /** Shape of the image, without the batch: `[channels, height, width]`. */
  readonly shape: Shape;
  /** Index of the class, an int32. */
  readonly label: number;
}

/** Images in one array, with their classes. */
export interface Batch {
  readonly images: Float32Array;
  /** `[n, channels, height, width]` */
  readonly shape: Shape;
  /** `[n]` */
  readonly labels: Int32Array;
}

/** Labelled images, by index. */
export interface Dataset {
  /** Number of samples. */
  readonly length: number;
  /** Name of each class. */
  readonly classNames?: readonly string[];
  /** Class of each sample, if it is known without reading the images. */
  readonly labels?: ArrayLike<number>;
  /** The same data set, read by this many threads beside the training step; 0: by the main thread. */
  withWorkers?(numWorkers: number): Dataset;
  /** Hint that all samples will be read repeatedly; the data set may spend memory on caching. */
  expectEpochs?(): void;
  /** Whether samples change at random, so that every epoch differs. Default false. */
  readonly isRandom?: boolean;
  /**
   * The sample at `index`, from 0 to length − 1; a promise if it has to be read or decoded.
   *
   * @param random the only source of randomness for a random sample
   */
  get(index: number, random?: RandomGenerator): Sample | Promise<Sample>;
  /**
   * The samples at `indices` at once, in new arrays. Optional, for data sets that are faster than one call of
   * `get` per sample.
   *
   * @param randoms source of randomness of each sample, as for `get`
   * @param memory array to reuse for the images if it has their length: fresh memory costs more than filling
   * it
   */
  readBatch?(indices: Uint32Array, randoms?: readonly RandomGenerator[], memory?: Float32Array): Batch | Promise<Batch>;
}

/** A data set as an argument. */
export const someDataset = check.rule<Dataset>('a data set, with length and get(index)', (x) => {
  const { length, get } = (x ?? {}) as Partial<Dataset>;
  return typeof x === 'object' && Number.isSafeInteger(length) && (length as number) >= 0 && typeof get === 'function';
});

/**
 * Reads several samples as one batch: in one call if the data set supports it, else all samples concurrently.
 */
export function readBatch(
  dataset: Dataset,
  indices: Uint32Array,
  randoms?: readonly RandomGenerator[],
  memory?: Float32Array,
): Batch | Promise<Batch> {
  if (dataset.readBatch !== undefined) return dataset.readBatch(indices, randoms, memory);
  const samples = Array.from(indices, (index, i) => dataset.get(index, randoms?.[i]));
  if (!samples.some((sample) => sample instanceof Promise)) return collate(samples as Sample[], indices);
  return Promise.all(samples).then((all) => collate(all, indices));
}

const someSample = check.rule<Sample>('{ image: a Float32Array, shape, label: a number }', (x) => {
  const { image, shape, label } = (x ?? {}) as Partial<Sample>;
  return image instanceof Float32Array && check.listOf(check.integer(1)).is(shape) && typeof label === 'number';
});

function collate(samples: readonly Sample[], indices: Uint32Array): Batch {
  samples.forEach((sample, i) => {
    check.requireValue('dataset', `sample ${indices[i]}`, sample, someSample);
  });
  const { shape } = samples[0];
  const size = numel(shape);
  const images = new Float32Array(samples.length * size);
  const labels = new Int32Array(samples.length);
  samples.forEach((sample, i) => {
    if (!sameShape(sample.shape, shape) || sample.image.length !== size) {
      throw new ShapeError(
        `[dataset] sample ${indices[i]}: expected ${size} values of shape ${formatShape(shape)} (as in sample ` +
          `${indices[0]}), got ${sample.image.length} of ${formatShape(sample.shape)}; resize the images to one size`,
      );
    }
    if ((sample.label | 0) !== sample.label) {
      throw new InputError(`[dataset] sample ${indices[i]}: label: expected an int32, got ${sample.label}`);
    }
    images.set(sample.image, i * size);
    labels[i] = sample.label;
  });
  return { images, shape: [samples.length, ...shape], labels };
}

/** The class of each sample; reads the samples one by one if the data set has no `labels`. */
export async function labelsOf(dataset: Dataset): Promise<Int32Array> {
  check.requireValue('labelsOf', 'dataset', dataset, someDataset);
  if (dataset.labels !== undefined) return Int32Array.from(dataset.labels);
  const labels = new Int32Array(dataset.length);
  for (let i = 0; i < labels.length; i++) labels[i] = (await dataset.get(i)).label;
  return labels;
}
