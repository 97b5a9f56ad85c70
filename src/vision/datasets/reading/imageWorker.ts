import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../../errors.js';
import { transformImages } from '../../transforms/batch.js';
import { parseTransforms } from '../../transforms/parse.js';
import type { Transform } from '../../transforms/transform.js';
import { readImage } from './cachedImage.js';
import type { ImageAnswer, ImageRequest, ImageTask } from './imagePool.js';

/** One task at a time, so that one thread holds the pixels of one picture. */
let last: Promise<void> = Promise.resolve();
const known = new Map<string, Transform>();

parentPort?.on('message', ({ id, task }: ImageRequest) => {
  last = last.then(() => answer(id, task));
});

async function answer(id: number, task: ImageTask): Promise<void> {
  try {
    const result =
      task.kind === 'read' ? await readImage(task.job) : transformImages(task.job, transformOf(task.transforms));
    const { buffer } = 'pixels' in result ? result.pixels : result.images;
    // The bytes may be part of a larger buffer, as with those from the cache. It is no longer needed here.
    parentPort?.postMessage({ id, result } satisfies ImageAnswer, [buffer as ArrayBuffer]);
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    parentPort?.postMessage({ id, error: messageOf(error), name } satisfies ImageAnswer);
  }
}

function transformOf(text: string): Transform {
  const transform = known.get(text) ?? parseTransforms(JSON.parse(text));
  known.set(text, transform);
  return transform;
}
