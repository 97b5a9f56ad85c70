import { parentPort } from 'node:worker_threads';
import { FileError, messageOf } from '../../errors.js';
import type { ImageAnswer, ImageRequest } from './imagePool.js';
import { type ImageJob, readImage } from './readImage.js';

/** One picture at a time, so that one thread holds the pixels of one. */
let last: Promise<void> = Promise.resolve();

parentPort?.on('message', ({ id, job }: ImageRequest) => {
  last = last.then(() => answer(id, job));
});

async function answer(id: number, job: ImageJob): Promise<void> {
  try {
    const image = await readImage(job);
    // The bytes may lie in a larger buffer, as they do when they come from the cache; it is not needed here any more.
    parentPort?.postMessage({ id, image } satisfies ImageAnswer, [image.pixels.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort?.postMessage({ id, error: messageOf(error), isFile: error instanceof FileError } satisfies ImageAnswer);
  }
}
