import { createHash } from 'node:crypto';
import type { DataLoader } from '../io/data/dataloader.js';
import type { Dataset } from '../io/data/dataset.js';
import { defaultGenerator, RandomGenerator } from '../random.js';

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

/** Samples that are read, evenly spread. */
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
  // What a data set draws without being asked to must not move the generator of the training.
  const generator = defaultGenerator().state();
  try {
    // A data set that changes its samples by itself gives other ones the second time.
    const [first, second] = [await imagesOf(dataset), await imagesOf(dataset)];
    return { labels: known ? shortened(hash.digest('hex')) : null, images: first === second ? first : null };
  } finally {
    defaultGenerator().restore(generator);
  }
}

async function imagesOf(dataset: Dataset): Promise<string> {
  const hash = createHash('sha256');
  const count = Math.min(looks, dataset.length);
  for (let i = 0; i < count; i++) {
    const { image, shape, label } = await dataset.get(Math.floor((i * dataset.length) / count), new RandomGenerator(i));
    hash.update(image).update(JSON.stringify([shape, label]));
  }
  return shortened(hash.digest('hex'));
}

const shortened = (digest: string) => digest.slice(0, 16);
