export { DataLoader, type DataLoaderOptions, Epoch, type EpochOptions, type TensorBatch } from './data/dataloader.js';
export { type Batch, type Dataset, labelsOf, type Sample } from './data/dataset.js';
export { BalancedSampler, type Sampler, type SamplerName, StratifiedSampler } from './data/sampler.js';
export { ConcatDataset, randomSplit, Subset, TensorDataset } from './data/subsets.js';
export { type FileContent, writeFileAtomic } from './files/atomic.js';
export { type DownloadOptions, type DownloadProgress, download } from './files/download.js';
export { paddleNames } from './formats/paddle/names.js';
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
export { decodeSafetensors, encodeSafetensors, type Safetensors } from './formats/safetensors.js';
export type { TensorData } from './formats/tensorData.js';
export type { Named, Savable } from './named.js';
export { loadPdopt, type PdoptWriteOptions, readPdopt, savePdopt, writePdopt } from './weights/pdopt.js';
export { loadPdparams, readPdparams, savePdparams, writePdparams } from './weights/pdparams.js';
export { loadPickle } from './weights/pickle.js';
export { loadSafetensors, saveSafetensors } from './weights/safetensors.js';
export { load, save } from './weights/save.js';
