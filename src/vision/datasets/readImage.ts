import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { decoderVersion } from '../transforms/decode.js';
import { type Preprocessed, type Preprocessing, preprocess } from '../transforms/preprocess.js';
import { ImageCache, type ImageCacheOptions } from './imageCache.js';

/** A picture to be read, in a form that can be sent to another thread. */
export interface ImageJob {
  readonly path: string;
  readonly preprocessing: Preprocessing;
  /** null: without the cache on disk. */
  readonly cache: Required<ImageCacheOptions> | null;
}

/** To be raised when the same file and options give other pixels than before. */
const pipelineVersion = 1;

const caches = new Map<string, ImageCache>();

/** From the cache if it has the picture, else decoded, resized and then put into the cache. */
export async function readImage({ path, preprocessing, cache }: ImageJob): Promise<Preprocessed> {
  const { height, width, order, antialias } = preprocessing;
  const read = () => preprocess(path, { size: [height, width], order, antialias });
  if (cache === null) return read();
  // A file that is not there gets its error from the reader.
  const info = await stat(path, { bigint: true }).catch(() => null);
  if (info === null) return read();
  const identity = [resolve(path), info.size, info.mtimeNs, info.ctimeNs].map(String);
  const key = JSON.stringify([pipelineVersion, await decoderVersion(), ...identity, height, width, order, antialias]);
  const store = cacheOf(cache);
  const found = await store.get(key);
  if (found !== null) return found;
  const image = await read();
  await store.put(key, image);
  return image;
}

function cacheOf(options: Required<ImageCacheOptions>): ImageCache {
  const name = JSON.stringify([options.folder, options.maxBytes]);
  const known = caches.get(name) ?? new ImageCache(options);
  caches.set(name, known);
  return known;
}
