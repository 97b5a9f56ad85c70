import * as check from '../../check.js';
import type { Tensor } from '../../tensor/tensor.js';
import { explain } from '../../vision/index.js';
import type { Split } from '../catalog/datasets.js';
import { requireTrainedRun, type TrainedRun } from '../evaluate.js';
import { imagesOf, type RunImages, type RunImagesOptions } from './images.js';

/** The last features of images of a run. */
export interface RunFeatures {
  /** One image after the other: `[images, size]`. */
  readonly values: Float32Array;
  /** Numbers of an image. */
  readonly size: number;
  /** True classes of the images. */
  readonly labels: Int32Array;
  readonly names: readonly string[];
  /** A stored image as a PNG file. */
  picture(index: number): Promise<Uint8Array>;
}

/** Options of {@link runFeatures}. */
export interface RunFeaturesOptions extends Omit<RunImagesOptions, 'split'> {
  /** Part of the data of the run. Default: the validation images; for neighbours the training images. */
  readonly split?: Split | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of images done, and of all. */
  readonly onBatch?: ((images: number, total: number) => void) | undefined;
}

/**
 * The last features of images that a run knows: the inputs of the layer that gives the logits. By default
 * these are 1,000 of the validation images.
 *
 * @throws {FileError} if the data of the run are no longer there
 */
export async function runFeatures(run: TrainedRun, options: RunFeaturesOptions = {}): Promise<RunFeatures> {
  requireTrainedRun('features', run);
  check.requireValue('features', 'options', options, check.record);
  const { split = 'validation', images: most = 1000 } = options;
  const images = await imagesOf(run, { ...options, split, images: most });
  const labels = new Int32Array(images.length);
  const parts: Float32Array[] = [];
  let done = 0;
  for await (const batch of featureBatches(run, images, options)) {
    labels.set(batch.labels, done);
    parts.push(batch.features);
    done += batch.labels.length;
  }
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return {
    values,
    size: labels.length === 0 ? 0 : values.length / labels.length,
    labels,
    names: Array.from({ length: images.length }, (_, i) => images.nameOf(i)),
    picture: (index) => images.picture(index),
  };
}

type Watched = Pick<RunFeaturesOptions, 'signal' | 'onBatch'>;

/** Batches of images and labels, until the signal ends it; `onBatch` counts those that were used. */
async function* watchedBatches(images: RunImages, { signal, onBatch }: Watched) {
  let done = 0;
  for await (const [batch, labels] of images.loader()) {
    signal?.throwIfAborted();
    yield [batch, labels] as const;
    done += batch.shape[0];
    onBatch?.(done, images.length);
  }
}

/** The features of images, batch by batch. */
async function* featureBatches({ network }: TrainedRun, images: RunImages, watched: Watched) {
  for await (const [batch, labels] of watchedBatches(images, watched)) {
    const features = await explain.lastFeatures(network, batch).data('float32');
    yield { features, labels: await labels.data('int32') };
  }
}

/**
 * The range of every channel of a network over images of its run, and its dead channels; see
 * `vision.explain.channelActivity`. By default over 1,000 of the validation images.
 */
export async function runActivity(
  run: TrainedRun,
  options: RunFeaturesOptions & explain.ChannelActivityOptions = {},
): Promise<explain.LayerActivity[]> {
  requireTrainedRun('features', run);
  check.requireValue('features', 'options', options, check.record);
  const { split = 'validation', images: most = 1000 } = options;
  const images = await imagesOf(run, { ...options, split, images: most });
  async function* batches(): AsyncGenerator<Tensor> {
    for await (const [batch] of watchedBatches(images, options)) yield batch;
  }
  return explain.channelActivity(run.network, batches(), options);
}

/** A training image that is near to a picture. */
export interface NearImage {
  readonly name: string;
  readonly class: string;
  /** Euclidean distance of the last features. */
  readonly distance: number;
  /** The stored image as a PNG file. */
  readonly picture: Uint8Array;
}

/**
 * The training images whose last features are nearest to given ones, nearest first.
 *
 * @param queries features of some pictures, one after the other, as `vision.explain.lastFeatures` gives them
 * @param options.count neighbours of each (6)
 * @param options.split part that is searched. Default `train`
 */
export async function nearestImages(
  run: TrainedRun,
  queries: Float32Array,
  options: RunFeaturesOptions & { readonly size: number; readonly count?: number | undefined },
): Promise<NearImage[][]> {
  requireTrainedRun('features', run);
  const { split = 'train', count = 6, size } = options;
  const search = new explain.NearestFeatures(queries, { size, count });
  const images = await imagesOf(run, { ...options, split });
  const labels: number[] = [];
  for await (const batch of featureBatches(run, images, options)) {
    search.add(batch.features);
    for (const label of batch.labels) labels.push(label);
  }
  const { classNames } = run.folder.config.data;
  const found: NearImage[][] = [];
  for (const near of search.results()) {
    const all = near.map(async ({ index, distance }) => ({
      name: images.nameOf(index),
      class: classNames[labels[index]],
      distance,
      picture: await images.picture(index),
    }));
    found.push(await Promise.all(all));
  }
  return found;
}
