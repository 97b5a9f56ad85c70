import { InputError } from '../errors.js';
import type { DataLoaderOptions } from '../io/data/dataloader.js';
import { type Dataset, labelsOf } from '../io/data/dataset.js';
import { makeSampler, type SamplerName } from '../io/data/sampler.js';
import { Tensor } from '../tensor/tensor.js';

/** Options for the order of samples in an epoch: a sampler replaces shuffling. */
export async function orderOf(
  dataset: Dataset,
  sampler: SamplerName | undefined,
  shuffle: boolean,
): Promise<Pick<DataLoaderOptions, 'shuffle' | 'sampler'>> {
  return sampler === undefined ? { shuffle } : { sampler: makeSampler(sampler, await labelsOf(dataset)) };
}

/**
 * The weight of each class: `samples / (classes · samples of the class)` for `auto`.
 *
 * @throws {InputError} unless there is one weight per class, and each class has samples
 */
export function classWeightsOf(weights: 'auto' | readonly number[], counts: readonly number[]): Tensor {
  if (weights === 'auto') {
    const samples = counts.reduce((sum, count) => sum + count, 0);
    const empty = counts.indexOf(0);
    if (empty >= 0) {
      throw new InputError(`[classWeight] auto: expected samples of each class, got none of class ${empty}`);
    }
    return Tensor.fromData(Float32Array.from(counts, (count) => samples / (counts.length * count)));
  }
  if (weights.length !== counts.length || weights.some((weight) => !(weight >= 0 && Number.isFinite(weight)))) {
    throw new InputError(`[classWeight] expected ${counts.length} numbers of at least 0, got [${weights.join(', ')}]`);
  }
  if (weights.every((weight) => weight === 0)) {
    throw new InputError(`[classWeight] expected a number above 0 among them, got [${weights.join(', ')}]`);
  }
  return Tensor.fromData(Float32Array.from(weights));
}
