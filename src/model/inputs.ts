import { DataLoader } from '../io/data/dataloader.js';
import type { Dataset } from '../io/data/dataset.js';
import type { Callback } from '../train/callback.js';
import { ProgBarLogger } from '../train/callbacks/index.js';
import type { ModelEvaluateOptions } from './options.js';

/** An option that is one item or several. */
export function listOf<T>(items: T | readonly T[]): readonly T[] {
  return Array.isArray(items) ? (items as readonly T[]) : [items as T];
}

/** The data set with this number of threads, if it is not 0 and the data set can use them. */
export function withWorkers(dataset: Dataset, numWorkers: number): Dataset {
  return numWorkers === 0 ? dataset : (dataset.withWorkers?.(numWorkers) ?? dataset);
}

/** The loader of an evaluation or a prediction. */
export function loaderOf(
  data: Dataset | DataLoader,
  { batchSize = 1, numWorkers = 0 }: ModelEvaluateOptions,
): DataLoader {
  return data instanceof DataLoader ? data : new DataLoader(withWorkers(data, numWorkers), { batchSize });
}

/** The user's callbacks, and the progress bar unless `verbose` is 0. */
export function evaluationCallbacks(
  { callbacks = [], logFreq = 10, verbose }: ModelEvaluateOptions,
  usual: 1 | 2,
): readonly Callback[] {
  const own = listOf(callbacks);
  const shown = verbose ?? usual;
  if (shown === 0 || own.some((callback) => callback instanceof ProgBarLogger)) return own;
  return [new ProgBarLogger({ logFreq, verbose: shown }), ...own];
}
