import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FileError } from '../../../errors.js';
import { decoderVersion } from '../../images/decode.js';
import { optionsOf, type Preprocessed, type Preprocessing, preprocess } from '../../images/preprocess.js';
import { ImageCache, type ImageCacheOptions } from './imageCache.js';

/** A picture to be read, in a form that can be sent to another thread. */
export interface ImageJob {
  readonly path: string;
  readonly preprocessing: Preprocessing;
  /** null: the cache on disk is not used. */
  readonly cache: Required<ImageCacheOptions> | null;
}

/** A picture as it was read. */
export interface ReadPicture extends Preprocessed {
  /** Stamp of the file that was read; see {@link stampOf}. */
  readonly stamp: string;
}

/** Raise it when the same file and options give other pixels than before. */
const pipelineVersion = 3;

const caches = new Map<string, ImageCache>();

/**
 * Size and times of a file. A different stamp may mean different contents; the same stamp means the same
 * contents. Null if there is no such file.
 */
export async function stampOf(path: string): Promise<string | null> {
  const info = await stat(path, { bigint: true }).catch(() => null);
  return info === null ? null : [info.size, info.mtimeNs, info.ctimeNs].join(' ');
}

/**
 * Takes the picture from the cache, or else decodes and resizes it and adds it to the cache.
 *
 * @throws {FileError} if it cannot be read, is no intact picture, or is written to at the same time
 */
export async function readImage({ path, preprocessing, cache }: ImageJob): Promise<ReadPicture> {
  const stamp = (await stampOf(path)) ?? '';
  const store = cache === null ? null : cacheOf(cache);
  const { height, width, order, antialias, fit } = preprocessing;
  const options = [height, width, order, antialias, fit];
  const key = JSON.stringify([pipelineVersion, await decoderVersion(), resolve(path), stamp, ...options]);
  // If the file does not exist, the reader throws the error.
  const found = stamp === '' ? null : ((await store?.get(key)) ?? null);
  if (found !== null) return { ...found, stamp };
  const image = await preprocess(path, optionsOf(preprocessing));
  if ((await stampOf(path)) !== stamp) {
    throw new FileError(
      `[image] ${path}: expected a file that stays as it is, got one that was written to while it was read; ` +
        'wait until it is complete',
    );
  }
  await store?.put(key, image);
  return { ...image, stamp };
}

function cacheOf(options: Required<ImageCacheOptions>): ImageCache {
  const name = JSON.stringify([options.folder, options.maxBytes]);
  const known = caches.get(name) ?? new ImageCache(options);
  caches.set(name, known);
  return known;
}
