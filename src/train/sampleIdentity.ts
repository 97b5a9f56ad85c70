import { createHash } from 'node:crypto';
import type { DataLoader } from '../io/data/dataloader.js';
import type { Dataset } from '../io/data/dataset.js';
import { RandomGenerator, withGenerator } from '../random.js';

/**
 * Digests that distinguish data sets of the same length. A digest is null if its contents are unknown, or
 * differ from one reading to the next.
 */
export interface SampleIdentity {
  /** Digest of the labels and the names of the classes. */
  readonly labels: string | null;
  /** Digest of a few samples. */
  readonly images: string | null;
}

/** Digests of the data of a training, and of its evaluation if it has one. */
export interface SampleIdentities {
  readonly train: SampleIdentity;
  readonly evaluation: SampleIdentity | null;
}

/**
 * Replaces the default generator while samples are read. It is never reset, so that samples with random
 * changes differ from one reading to the next.
 */
const otherDraws = new RandomGenerator(0);

/** Number of samples that are read, at equal distances in the data set. */
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
  // The second reading differs if the data set changes its samples by itself, so they identify nothing.
  const [first, second] = [await imagesOf(dataset), await imagesOf(dataset)];
  return { labels: known ? shortened(hash.digest('hex')) : null, images: first === second ? first : null };
}

async function imagesOf(dataset: Dataset): Promise<string> {
  const hash = createHash('sha256');
  const count = Math.min(looks, dataset.length);
  for (let i = 0; i < count; i++) {
    const index = Math.floor((i * dataset.length) / count);
    const generator = new RandomGenerator(i);
    // A data set that samples from the default generator must not advance that of the training.
    const { image, shape, label } = await withGenerator(otherDraws, () => dataset.get(index, generator));
    hash.update(image).update(JSON.stringify([shape, label]));
  }
  return shortened(hash.digest('hex'));
}

const shortened = (digest: string) => digest.slice(0, 16);
