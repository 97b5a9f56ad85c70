import type { OpenOptions } from './catalog/datasets.js';
import { namedValues, type Values } from './option.js';
import type { RunOptions } from './runOptions.js';
import {
  beginningOptions,
  imageOptions,
  loadingOptions,
  recipeOptions,
  type TrainingOptions,
  tableOptions,
  techniqueOptions,
} from './trainingOptions.js';

/** Options for loading photographs, and a table that lists them. */
export type ImageLoadingOptions = Values<typeof loadingOptions> & Values<typeof tableOptions>;

export function imageLoadingOf({ cache, ...options }: ImageLoadingOptions): OpenOptions['imageLoading'] {
  const table = namedValues(tableOptions, options);
  return {
    ...namedValues(loadingOptions, options),
    ...(cache === false && { cache }),
    ...(Object.keys(table).length > 0 && { table }),
  };
}

/**
 * The options of a new run, from those of a training; `model`, `data` and `out` are those of the
 * parameters.
 */
export function runOptionsOf(
  options: TrainingOptions,
  { model, data, out }: Pick<RunOptions, 'model' | 'data' | 'out'>,
): RunOptions {
  const { seed, dataDir } = options;
  const techniques = namedValues(techniqueOptions, options);
  return {
    ...namedValues(beginningOptions, options),
    model,
    data,
    out,
    seed,
    dataDir,
    images: namedValues(imageOptions, options),
    imageLoading: imageLoadingOf(options),
    changes: {
      ...namedValues(recipeOptions, options),
      ...(Object.keys(techniques).length > 0 && { techniques }),
    },
  };
}
