import * as check from '../../check.js';
import { InputError, ShapeError } from '../../errors.js';
import type { TypedArray } from '../../graph/dtype.js';
import { formatShape, numel, type Shape } from '../../graph/shape.js';
import { defaultGenerator, RandomGenerator } from '../../random.js';
import { realizeAll } from '../../tensor/evaluate.js';
import { Tensor } from '../../tensor/tensor.js';
import { type Batch, type Dataset, readBatch, type Sample, someDataset } from './dataset.js';

// Data sets made of other data sets or of tensors, after paddle.io.

const imagesAndLabels = check.rule<readonly [Tensor, Tensor]>('two tensors, [images, labels]', (x) => {
  return Array.isArray(x) && x.length === 2 && x.every((tensor) => tensor instanceof Tensor);
});

/** Images and their classes from two tensors: `new TensorDataset([images, labels])`. */
export class TensorDataset implements Dataset {
  readonly length: number;
  readonly #tensors: readonly [images: Tensor, labels: Tensor];
  readonly #shape: Shape;
  #read: { readonly images: TypedArray; readonly labels: TypedArray } | null = null;

  /**
   * @param tensors images, float32 `[n, …]`, and labels, int32 `[n]` or `[n, 1]`; computed when they are
   * first read
   * @throws {ShapeError} for tensors of other shapes
   * @throws {InputError} for anything else
   */
  constructor(tensors: readonly [images: Tensor, labels: Tensor]) {
    check.requireValue('TensorDataset', 'tensors', tensors, imagesAndLabels);
    const [images, labels] = tensors;
    const [n, ...shape] = images.shape;
    if (n === undefined || shape.length === 0 || labels.shape[0] !== n || labels.size !== n) {
      throw new ShapeError(
        `[TensorDataset] shapes: expected images [n, …] and labels [n], got ${formatShape(images.shape)} and ` +
          formatShape(labels.shape),
      );
    }
    if (images.dtype !== 'float32' || labels.dtype !== 'int32') {
      throw new InputError(
        `[TensorDataset] dtypes: expected float32 images and int32 labels, got ${images.dtype} and ${labels.dtype}; ` +
          'convert them with cast()',
      );
    }
    this.length = n;
    this.#tensors = [images, labels];
    this.#shape = shape;
  }

  get(index: number): Sample | Promise<Sample> {
    checkIndex('TensorDataset', index, this.length);
    const batch = this.readBatch(Uint32Array.of(index));
    const sample = ({ images, labels }: Batch): Sample => ({ image: images, shape: this.#shape, label: labels[0] });
    return batch instanceof Promise ? batch.then(sample) : sample(batch);
  }

  readBatch(indices: Uint32Array): Batch | Promise<Batch> {
    const read = this.#read;
    return read === null ? this.#compute().then(() => this.readBatch(indices)) : this.#gather(read, indices);
  }

  async #compute(): Promise<void> {
    await realizeAll(this.#tensors);
    const [images, labels] = await Promise.all(this.#tensors.map((tensor) => tensor.data()));
    this.#read = { images, labels };
  }

  #gather(
    { images, labels }: { readonly images: TypedArray; readonly labels: TypedArray },
    indices: Uint32Array,
  ): Batch {
    const size = numel(this.#shape);
    const gathered = new Float32Array(indices.length * size);
    indices.forEach((index, i) => {
      checkIndex('TensorDataset', index, this.length);
      gathered.set(images.subarray(index * size, (index + 1) * size), i * size);
    });
    return {
      images: gathered,
      shape: [indices.length, ...this.#shape],
      labels: Int32Array.from(indices, (index) => labels[index]),
    };
  }
}

/** Some samples of a data set, in the order of the given indices. An index may occur more than once. */
export class Subset implements Dataset {
  readonly length: number;
  readonly dataset: Dataset;
  readonly indices: Uint32Array;
  readonly classNames?: readonly string[];
  readonly labels?: ArrayLike<number>;

  /** @throws {InputError} for an index that the data set does not have */
  constructor(dataset: Dataset, indices: ArrayLike<number>) {
    check.requireValue('Subset', 'dataset', dataset, someDataset);
    check.requireValue('Subset', 'indices', indices, listOfNumbers);
    for (let i = 0; i < indices.length; i++) checkIndex('Subset', indices[i], dataset.length);
    this.dataset = dataset;
    this.indices = Uint32Array.from(indices);
    this.length = indices.length;
    const { classNames, labels } = dataset;
    if (classNames !== undefined) this.classNames = classNames;
    if (labels !== undefined) this.labels = Int32Array.from(this.indices, (index) => labels[index]);
  }

  get isRandom(): boolean {
    return this.dataset.isRandom === true;
  }

  withWorkers(numWorkers: number): Dataset {
    const { dataset, indices } = this;
    return dataset.withWorkers === undefined ? this : new Subset(dataset.withWorkers(numWorkers), indices);
  }

  expectEpochs(): void {
    this.dataset.expectEpochs?.();
  }

  get(index: number, random?: RandomGenerator): Sample | Promise<Sample> {
    checkIndex('Subset', index, this.length);
    return this.dataset.get(this.indices[index], random);
  }

  readBatch(indices: Uint32Array, randoms?: readonly RandomGenerator[], memory?: Float32Array): Batch | Promise<Batch> {
    const own = indices.map((index) => this.indices[index]);
    return readBatch(this.dataset, own, randoms, memory);
  }
}

/** Several data sets in sequence. Their images have one shape, and their classes the same numbers. */
export class ConcatDataset implements Dataset {
  readonly length: number;
  readonly datasets: readonly Dataset[];
  readonly classNames?: readonly string[];
  readonly labels?: ArrayLike<number>;
  /** Index of the first sample of each data set, and the length. */
  readonly #begins: readonly number[];

  /** @throws {InputError} if there is none, or they name their classes differently */
  constructor(datasets: readonly Dataset[]) {
    check.requireValue('ConcatDataset', 'datasets', datasets, check.listOf(someDataset, { least: 1 }));
    const named = datasets.flatMap(({ classNames }) => (classNames === undefined ? [] : [classNames.join(', ')]));
    const other = named.find((names) => names !== named[0]);
    if (other !== undefined) {
      throw new InputError(`[ConcatDataset] classes: expected the same in all, got ${named[0]} and ${other}`);
    }
    const begins = [0];
    for (const { length } of datasets) begins.push(begins[begins.length - 1] + length);
    this.datasets = datasets;
    this.#begins = begins;
    this.length = begins[datasets.length];
    const classNames = datasets.find((dataset) => dataset.classNames !== undefined)?.classNames;
    if (classNames !== undefined) this.classNames = classNames;
    const labels = datasets.flatMap((dataset) => (dataset.labels === undefined ? [] : [dataset.labels]));
    if (labels.length === datasets.length) this.labels = labels.flatMap((own) => Array.from(own));
  }

  get isRandom(): boolean {
    return this.datasets.some(({ isRandom }) => isRandom === true);
  }

  withWorkers(numWorkers: number): Dataset {
    return new ConcatDataset(this.datasets.map((dataset) => dataset.withWorkers?.(numWorkers) ?? dataset));
  }

  expectEpochs(): void {
    for (const dataset of this.datasets) dataset.expectEpochs?.();
  }

  get(index: number, random?: RandomGenerator): Sample | Promise<Sample> {
    checkIndex('ConcatDataset', index, this.length);
    const part = this.#begins.findIndex((begin) => begin > index) - 1;
    return this.datasets[part].get(index - this.#begins[part], random);
  }
}

/**
 * Splits a data set at random into parts without common samples.
 *
 * @param lengths numbers of samples, which add up to all samples; or shares, which add up to 1. Shares are
 * rounded down, and the first parts get one of the remaining samples each.
 * @param options.generator source of randomness. Default: the generator that `seed()` sets.
 * @throws {InputError} if the lengths do not add up
 */
export function randomSplit(
  dataset: Dataset,
  lengths: readonly number[],
  options: { readonly generator?: RandomGenerator } = {},
): Subset[] {
  check.requireValue('randomSplit', 'dataset', dataset, someDataset);
  check.requireValue('randomSplit', 'lengths', lengths, check.listOf(check.nonNegative, { least: 1 }));
  const { generator = defaultGenerator() } = check.requireOptions('randomSplit', options, splitChecks);
  const counts = countsOf(dataset.length, lengths);
  const order = generator.permutation(dataset.length);
  let begin = 0;
  return counts.map((count) => {
    begin += count;
    return new Subset(dataset, order.subarray(begin - count, begin));
  });
}

function countsOf(samples: number, lengths: readonly number[]): number[] {
  const sum = lengths.reduce((a, b) => a + b, 0);
  const areCounts = lengths.every((length) => Number.isInteger(length) && length >= 0);
  if (areCounts && sum === samples) return [...lengths];
  const areShares = lengths.every((length) => length >= 0 && length <= 1);
  if (!areShares || !(Math.abs(sum - 1) < 1e-9)) {
    throw new InputError(
      `[randomSplit] lengths: expected numbers that add up to the ${samples} samples, or shares that add up to 1, ` +
        `got [${lengths.join(', ')}], which add up to ${sum}`,
    );
  }
  // A share such as 0.29 of 100 is rounded: the product is 28.999….
  const counts = lengths.map((share) => Math.floor(share * samples + 1e-9));
  const rest = samples - counts.reduce((a, b) => a + b, 0);
  for (let i = 0; i < rest; i++) counts[i % counts.length]++;
  return counts;
}

const splitChecks = { generator: check.instanceOf(RandomGenerator) };
const listOfNumbers = check.rule<ArrayLike<number>>('an array of integers', (x) => {
  return Array.isArray(x) || (ArrayBuffer.isView(x) && !(x instanceof DataView));
});

function checkIndex(where: string, index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  throw new InputError(`[${where}] index: expected an integer from 0 to ${length - 1}, got ${check.shown(index)}`);
}
