/** The parts of `io` that run in a browser too: data sets, loaders and formats. */
export { DataLoader, type DataLoaderOptions, Epoch, type EpochOptions, type TensorBatch } from './data/dataloader.js';
export { type Batch, type Dataset, labelsOf, type Sample } from './data/dataset.js';
export { BalancedSampler, type Sampler, type SamplerName, StratifiedSampler } from './data/sampler.js';
export {
  dividedGroups,
  type Fold,
  type Folds,
  type HoldOut,
  type HoldOutOptions,
  holdOut,
  kFolds,
  type SplitNotes,
} from './data/split/split.js';
export type { AbsentClass, SplitTable } from './data/split/table.js';
export { ConcatDataset, randomSplit, Subset, TensorDataset } from './data/subsets.js';
export { decodeIdx, type IdxArray, type IdxRank } from './formats/idx.js';
export { paddleNames } from './formats/paddle/names.js';
export type { NumpyArray } from './formats/paddle/numpy.js';
export type { PdoptLoadOptions, PdoptOptions } from './formats/paddle/optimizerStates.js';
export {
  decodePdparams,
  encodePdparams,
  type PaddleParameters,
  type PdparamsOptions,
} from './formats/paddle/params.js';
export { decodePdopt, encodePdopt, type PaddleOptimizer } from './formats/paddle/pdopt.js';
export { parsePickle } from './formats/paddle/pickle.js';
export type { PickleKey, PickleValue } from './formats/paddle/pickleValue.js';
export type { PickleProtocol } from './formats/paddle/pickleWriter.js';
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './formats/safetensors.js';
export type { TensorData } from './formats/tensorData.js';
export type { Named, Savable } from './named.js';
