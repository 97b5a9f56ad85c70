import type { OpenOptions } from './catalog/datasets.js';
import type { RunConfig } from './config.js';

/** How the pictures of a run are read again: unless asked for otherwise, bad ones are treated as in the training. */
export function readingAs(known: RunConfig['data'], asked: OpenOptions['reading']): OpenOptions['reading'] {
  // Older runs do not say it, but list what they left out.
  const leftOut = known.train.unreadable.length + known.eval.unreadable.length > 0;
  const table = { ...known.table, ...asked?.table };
  return {
    onBadImage: known.onBadImage ?? (leftOut ? 'skip' : 'fail'),
    ...asked,
    ...(Object.keys(table).length > 0 && { table }),
  };
}

/**
 * Pictures that could not be read, each counted once, with its part of the data. Older runs that held pictures out list
 * those of the training pictures with both parts.
 */
export function unreadableOf({ train, eval: judged }: RunConfig['data']): {
  readonly train: number;
  readonly eval: number;
} {
  const known = new Set(train.unreadable.map(({ path }) => path));
  return { train: known.size, eval: judged.unreadable.filter(({ path }) => !known.has(path)).length };
}
