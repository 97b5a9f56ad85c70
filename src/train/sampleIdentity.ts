import { createHash } from 'node:crypto';
import type { DataLoader } from '../io/data/dataloader.js';
import type { Dataset } from '../io/data/dataset.js';
import { RandomGenerator, withGenerator } from '../random.js';

/** Tells one data set from another of the same length: digests, `null` where something is unknown or changes by itself. */
export interface SampleIdentity {
  /** Of the labels and the names of the classes. */
  readonly labels: string | null;
  /** Of a few samples. */
  readonly images: string | null;
}

/** Of the data of a training and of its evaluation, if it has one. */
export interface SampleIdentities {
  readonly train: SampleIdentity;
  readonly evaluation: SampleIdentity | null;
}

/** Takes the place of the default generator while samples are read; never reset, so that random samples show. */
const otherDraws = new RandomGenerator(0);

/** Number of samples that are read, evenly spread. */
const looks = 8;

export async function identitiesOf(
  { dataset }: DataLoader,
  evaluation: DataLoader | undefined,
): Promise<SampleIdentities> {
  return {
    train: await identityOf(dataset),
    evaluation: evaluation === undefined ? null : await identityOf(evaluation.dataset),
  };
}

async function identityOf(dataset: Dataset): Promise<SampleIdentity> {
  const { labels, classNames } = dataset;
  const hash = createHash('sha256').update(JSON.stringify(classNames ?? null));
  const known = labels !== undefined;
  if (known) hash.update(Int32Array.from(labels));
  // A data set that changes its samples by itself gives other ones the second time.
  const [first, second] = [await imagesOf(dataset), await imagesOf(dataset)];
  return { labels: known ? shortened(hash.digest('hex')) : null, images: first === second ? first : null };
}

async function imagesOf(dataset: Dataset): Promise<string> {
  const hash = createHash('sha256');
  const count = Math.min(looks, dataset.length);
  for (let i = 0; i < count; i++) {
    const index = Math.floor((i * dataset.length) / count);
    const generator = new RandomGenerator(i);
    // A data set that draws from the default generator must not move that of the training.
    const { image, shape, label } = await withGenerator(otherDraws, () => dataset.get(index, generator));
    hash.update(image).update(JSON.stringify([shape, label]));
  }
  return shortened(hash.digest('hex'));
}

const shortened = (digest: string) => digest.slice(0, 16);
