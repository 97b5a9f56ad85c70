import { InputError } from '../errors.js';
import type { PreprocessOptions } from '../vision/images/preprocess.js';
import type { TransformSpec } from '../vision/transforms/transform.js';
import type { NamedDataset, OpenedData, OpenOptions } from './catalog/datasets.js';
import type { RunOptions } from './runOptions.js';

/** Options about the data of a training or an evaluation. */
export interface DataOptions {
  readonly dataDir?: string | undefined;
  readonly images?: PreprocessOptions | undefined;
  readonly imageLoading?: OpenOptions['imageLoading'];
  readonly holdOut?: RunOptions['holdOut'];
  readonly group?: string | undefined;
}

/**
 * Refuses options that would change nothing for the data set. The caller expects another result.
 *
 * @param data the data set as it was asked for
 * @throws {InputError} naming the option
 */
export function requireMeaning(
  { name, location }: { readonly name: string; readonly location: string | undefined },
  kind: NamedDataset,
  { dataDir, images, imageLoading, holdOut, group }: DataOptions,
): void {
  const refuse = (option: string, reason: string) => {
    throw new InputError(`[data] ${name}: expected no ${option}, since ${reason}; leave it out`);
  };
  if (dataDir !== undefined && location !== undefined) {
    refuse(`data folder (${dataDir})`, `the data are in ${location}`);
  }
  if (group !== undefined && name !== 'folder' && name !== 'csv') refuse('groups', heldApart);
  if (kind.isPhotographs) return;
  if (images?.size !== undefined) refuse('size', 'its images have one size; transforms can change it');
  if (images?.order !== undefined) refuse('order of colours', 'its images are not decoded from files');
  if (images?.antialias === true) refuse('antialiasing', 'its images are not resized from files');
  if (images?.fit !== undefined) refuse('fit', 'its images are not resized from files');
  if (imageLoading?.cache === false) refuse('choice of a cache', 'there are no pictures to decode, and none is used');
  if (imageLoading?.onBadImage !== undefined) refuse('choice about bad pictures', 'there are no pictures to decode');
  if (holdOut !== undefined) refuse('hold-out', heldApart);
}

const heldApart = 'it has a split of its own';

/** Refuses a hold-out for data with a split, which is known only after the data were opened. */
export function requireHoldOut(name: string, data: OpenedData, { holdOut }: Pick<DataOptions, 'holdOut'>): void {
  if (holdOut === undefined || data.holdOut !== null) return;
  throw new InputError(`[data] ${name}: expected no hold-out, since ${heldApart}; leave it out`);
}

/**
 * Threads decode pictures and apply transforms. Without either they have no work.
 *
 * @throws {InputError} if a number of threads is asked for then
 */
export function requireWork(
  name: string,
  kind: NamedDataset,
  imageLoading: DataOptions['imageLoading'],
  transforms: boolean,
): void {
  if (imageLoading?.numWorkers === undefined || kind.isPhotographs || transforms) return;
  throw new InputError(
    `[data] ${name}: expected no number of workers, since there is nothing to decode or transform; leave it out`,
  );
}

/**
 * Refuses an order of colours for images without colours. With initial weights the option may say how
 * their inputs were made.
 *
 * @param transforms of the training, with those that a network of one channel needs
 */
export function requireColours(
  name: string,
  { images, pretrained }: Pick<DataOptions, 'images'> & { readonly pretrained?: unknown },
  transforms: readonly TransformSpec[],
): void {
  if (images?.order === undefined || pretrained !== undefined) return;
  if (!transforms.some((spec) => 'Grayscale' in spec)) return;
  throw new InputError(
    `[data] ${name}: expected no order of colours, since Grayscale makes the images grey, got ${images.order}; leave it out`,
  );
}
