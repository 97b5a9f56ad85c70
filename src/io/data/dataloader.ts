import * as check from '../../check.js';
import { InputError } from '../../errors.js';
import { inspect } from '../../inspection.js';
import { kindOf } from '../../kind.js';
import { defaultGenerator, type GeneratorState, RandomGenerator } from '../../random.js';
import { Tensor } from '../../tensor/tensor.js';
import { type Batch, type Dataset, readBatch, someDataset } from './dataset.js';
import type { Sampler } from './sampler.js';

export interface DataLoaderOptions {
  /** Samples in a batch (1). */
  readonly batchSize?: number;
  /** A new random order in each epoch (false: the order of the data set). */
  readonly shuffle?: boolean;
  /** Leave out the last batch if it is not full (false). */
  readonly dropLast?: boolean;
  /** Chooses the samples of an epoch and their order, in place of `shuffle`. */
  readonly sampler?: Sampler | undefined;
  /** Generator that shuffles. Default: the default generator. */
  readonly generator?: RandomGenerator;
  /** Batches under way beyond the one that is waited for (2). For data sets that answer with promises. */
  readonly prefetch?: number;
  /**
   * A batch's images may be overwritten once the next batch has been asked for (false). For loops that are
   * done with them by then; it saves the time that fresh memory takes.
   */
  readonly reuse?: boolean;
}

export interface EpochOptions {
  /** Shuffles from this state, without a change of the generator. This repeats an earlier epoch. */
  readonly from?: GeneratorState;
  /** Batches to leave out at the start (0). They are not read. */
  readonly skip?: number;
}

/** `[images, labels]`: float32 `[n, channels, height, width]` and int32 `[n]`. */
export type TensorBatch = [images: Tensor, labels: Tensor];

/**
 * Batches of a data set. Each `for await (const [image, label] of loader)` is one epoch. It works with every
 * data set.
 *
 * `for (const [image, label] of loader)`, without `await`, works only where every batch is in memory: with
 * `MNIST`, `Cifar10`, `TensorDataset` and others whose `get` returns no promise, and without `numWorkers`.
 * With others, such as `DatasetFolder`, it throws an InputError that names the form with `await`.
 *
 * @example
 * ```ts
 * const dataset = await vision.datasets.MNIST.open({ mode: 'train' });
 * const loader = new io.DataLoader(dataset, { batchSize: 32, shuffle: true });
 * for await (const [images, labels] of loader) console.log(images.shape, labels.shape);
 * ```
 */
export class DataLoader implements AsyncIterable<TensorBatch>, Iterable<TensorBatch> {
  /** Number of batches in an epoch. */
  readonly length: number;
  readonly batchSize: number;
  /** Samples in an epoch, all batches together. */
  readonly samples: number;
  readonly dropLast: boolean;
  readonly #shuffle: boolean;
  readonly #sampler: Sampler | undefined;
  readonly #generator: RandomGenerator | null;
  readonly #prefetch: number;
  readonly #reuse: boolean;
  #epochState: GeneratorState | null = null;

  /**
   * @throws {InputError} for a batch size that is not a positive integer, or a data set without a sample or a
   * batch
   */
  constructor(
    readonly dataset: Dataset,
    options: DataLoaderOptions = {},
  ) {
    check.requireValue('dataloader', 'dataset', dataset, someDataset);
    check.requireOptions('dataloader', options, loaderChecks);
    const {
      batchSize = 1,
      shuffle = false,
      dropLast = false,
      sampler,
      generator,
      prefetch = 2,
      reuse = false,
    } = options;
    const { length } = sampler ?? dataset;
    this.length = dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);
    if (this.length === 0) {
      throw new InputError(
        `[dataloader] dataset: expected at least ${dropLast ? `one batch of ${batchSize} samples` : 'one sample'}, ` +
          `got ${length}`,
      );
    }
    if (sampler !== undefined && shuffle) {
      throw new InputError('[dataloader] shuffle: expected no shuffling beside a sampler, got both; leave one out');
    }
    this.batchSize = batchSize;
    this.samples = Math.min(this.length * batchSize, length);
    this.dropLast = dropLast;
    this.#sampler = sampler;
    this.#shuffle = shuffle;
    this.#generator = generator ?? null;
    this.#prefetch = prefetch;
    this.#reuse = reuse;
  }

  /** `shuffled`, `as stored`, or the kind of the sampler. */
  get order(): string {
    return this.#sampler === undefined ? (this.#shuffle ? 'shuffled' : 'as stored') : kindOf(this.#sampler);
  }

  toString(): string {
    const { samples, length, batchSize, order } = this;
    return `DataLoader(${samples} samples in ${length} batches of ${batchSize}, ${order})`;
  }

  [inspect](): string {
    return this.toString();
  }

  /** Sizes and order, without the data. */
  toJSON(): { readonly samples: number; readonly batches: number; readonly batchSize: number; readonly order: string } {
    const { samples, length, batchSize, order } = this;
    return { samples, batches: length, batchSize, order };
  }

  /**
   * State of the generator before the newest epoch was shuffled; null before the first epoch. With it,
   * `epoch({ from, skip })` resumes in the middle of that epoch.
   */
  get epochState(): GeneratorState | null {
    return this.#epochState;
  }

  /** @internal The generator that it was given; null if it shuffles with that of the training. */
  get generator(): RandomGenerator | null {
    return this.#generator;
  }

  /** One pass over the data set. This call, not the first batch, shuffles. */
  epoch(options: EpochOptions = {}): Epoch {
    const { from, skip = 0 } = check.requireOptions('dataloader', options, epochChecks);
    const generator = from === undefined ? (this.#generator ?? defaultGenerator()) : RandomGenerator.fromState(from);
    this.#epochState = generator.state();
    const { length } = this.dataset;
    const inOrder = () => (this.#shuffle ? generator.permutation(length) : new Uint32Array(length).map((_, i) => i));
    const order = this.#sampler?.sample(generator) ?? inOrder();
    const used = order.subarray(0, this.length * this.batchSize);
    const streams = this.dataset.isRandom === true ? new SampleStreams(this.#epochState, used) : null;
    // The next epoch needs another state even if nothing else used the generator.
    if (streams !== null && !this.#shuffle && this.#sampler === undefined) generator.nextUint32();
    return new Epoch(this.dataset, used, streams, {
      batchSize: this.batchSize,
      prefetch: this.#prefetch,
      reuse: this.#reuse,
      begin: skip * this.batchSize,
    });
  }

  [Symbol.asyncIterator](): Epoch {
    return this.epoch();
  }

  [Symbol.iterator](): Iterator<TensorBatch, undefined> {
    return this.epoch()[Symbol.iterator]();
  }
}

const loaderChecks: check.OptionChecks<DataLoaderOptions> = {
  batchSize: check.integer(1),
  shuffle: check.flag,
  dropLast: check.flag,
  sampler: check.withMethods('a sampler, with length and sample(generator)', 'sample'),
  generator: check.instanceOf(RandomGenerator),
  prefetch: check.integer(0),
  reuse: check.flag,
};
const epochChecks: check.OptionChecks<EpochOptions> = { from: check.record, skip: check.integer(0) };

/**
 * The source of randomness of each sample in an epoch. It depends on the epoch, the index of the sample and
 * the number of its earlier uses, but neither on batches nor on threads.
 */
class SampleStreams {
  readonly #root: RandomGenerator;
  readonly #order: Uint32Array;
  readonly #earlier: Uint32Array;

  constructor(epoch: GeneratorState, order: Uint32Array) {
    this.#root = RandomGenerator.fromState(epoch).fork('samples');
    this.#order = order;
    const counts = new Map<number, number>();
    this.#earlier = order.map((index) => {
      const count = counts.get(index) ?? 0;
      counts.set(index, count + 1);
      return count;
    });
  }

  /** Generators of the samples at these places of the epoch. */
  between(begin: number, end: number): RandomGenerator[] {
    return Array.from(this.#order.subarray(begin, end), (index, i) => {
      const earlier = this.#earlier[begin + i];
      return this.#root.fork(earlier === 0 ? `${index}` : `${index} ${earlier}`);
    });
  }
}

interface EpochParts {
  readonly batchSize: number;
  readonly prefetch: number;
  readonly reuse: boolean;
  /** Place of the first sample. */
  readonly begin: number;
}

/** One pass over a data set; see {@link DataLoader.epoch}. */
export class Epoch implements AsyncIterableIterator<TensorBatch, undefined>, Iterable<TensorBatch> {
  readonly #dataset: Dataset;
  readonly #order: Uint32Array;
  readonly #streams: SampleStreams | null;
  readonly #batchSize: number;
  readonly #prefetch: number;
  readonly #reuse: boolean;
  #position: number;
  /** Batches that are being read, in order. */
  readonly #ahead: Promise<Batch>[] = [];
  /** Images of the newest batch, and arrays that may be overwritten. */
  #given: Float32Array | null = null;
  readonly #free: Float32Array[] = [];

  /** @internal */
  constructor(
    dataset: Dataset,
    order: Uint32Array,
    streams: SampleStreams | null,
    { batchSize, prefetch, reuse, begin }: EpochParts,
  ) {
    this.#dataset = dataset;
    this.#order = order;
    this.#streams = streams;
    this.#position = begin;
    this.#batchSize = batchSize;
    this.#prefetch = prefetch;
    this.#reuse = reuse;
  }

  next(): Promise<IteratorResult<TensorBatch, undefined>> {
    if (this.#reuse && this.#given !== null && this.#free.length === 0) this.#free.push(this.#given);
    this.#given = null;
    try {
      const batch = this.#ahead.shift() ?? this.#read();
      // Reading ahead helps only if the data set reads in the background.
      if (!(batch instanceof Promise)) return Promise.resolve(this.#give(batch));
      while (this.#ahead.length < this.#prefetch && this.#position < this.#order.length) {
        const later = (async () => this.#read() as Batch)();
        // An error is reported with its batch; until then it must not count as unhandled.
        later.catch(() => {});
        this.#ahead.push(later);
      }
      return batch.then((read) => this.#give(read));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends the epoch and waits for pending reads. Leaving a loop early calls this. */
  async return(): Promise<IteratorResult<TensorBatch, undefined>> {
    this.#position = this.#order.length;
    await Promise.allSettled(this.#ahead.splice(0));
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws {InputError}, at the first batch, if the data set answers with promises */
  [Symbol.iterator](): Iterator<TensorBatch, undefined> {
    return {
      next: () => {
        const batch = this.#read();
        if (!(batch instanceof Promise)) return this.#give(batch);
        batch.catch(() => {});
        throw new InputError(
          '[dataloader] dataset: expected samples at once, got promises; ' +
            'write `for await (const [image, label] of loader)`',
        );
      },
    };
  }

  /** The next batch, or null after the last one. */
  #read(): Batch | Promise<Batch> | null {
    const begin = this.#position;
    if (begin >= this.#order.length) return null;
    this.#position += this.#batchSize;
    const randoms = this.#streams?.between(begin, this.#position);
    return readBatch(this.#dataset, this.#order.subarray(begin, this.#position), randoms, this.#free.pop());
  }

  #give(batch: Batch | null): IteratorResult<TensorBatch, undefined> {
    if (batch === null) return { done: true, value: undefined };
    const { images, shape, labels } = batch;
    this.#given = images;
    return { done: false, value: [Tensor.fromData(images, shape), Tensor.fromData(labels)] };
  }
}
