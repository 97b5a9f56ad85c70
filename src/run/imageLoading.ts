import type { OpenOptions } from './catalog/datasets.js';
import type { RunConfig } from './config.js';

/** How the pictures of a run are loaded again. By default bad pictures are treated as in the training. */
export function imageLoadingAs(
  known: RunConfig['data'],
  asked: OpenOptions['imageLoading'],
): OpenOptions['imageLoading'] {
  // Older runs do not record the policy, but list the pictures that they left out.
  const leftOut = known.train.unreadable.length + known.eval.unreadable.length > 0;
  const table = { ...known.table, ...asked?.table };
  return {
    onBadImage: known.onBadImage ?? (leftOut ? 'skip' : 'fail'),
    ...asked,
    ...(Object.keys(table).length > 0 && { table }),
  };
}

/**
 * Number of pictures in each part of the data that could not be decoded. Each is counted once: older runs
 * that held pictures out list those of the training part in both parts.
 */
export function unreadableOf({ train, eval: evaluated }: RunConfig['data']): {
  readonly train: number;
  readonly eval: number;
} {
  const known = new Set(train.unreadable.map(({ path }) => path));
  return { train: known.size, eval: evaluated.unreadable.filter(({ path }) => !known.has(path)).length };
}
