export { DataLoader, type DataLoaderOptions, Epoch, type EpochOptions, type TensorBatch } from './data/dataloader.js';
export { type Batch, type Dataset, labelsOf, type Sample } from './data/dataset.js';
export { BalancedSampler, type Sampler, type SamplerName, StratifiedSampler } from './data/sampler.js';
export { ConcatDataset, randomSplit, Subset, TensorDataset } from './data/subsets.js';
export { type FileContent, writeFileAtomic } from './files/atomic.js';
export { type DownloadOptions, type DownloadProgress, download } from './files/download.js';
export {
  loadPdparams,
  type PaddleParameters,
  type PdparamsOptions,
  paddleNames,
  readPdparams,
  savePdparams,
  writePdparams,
} from './formats/paddle/params.js';
export {
  loadPdopt,
  type PaddleOptimizer,
  type PdoptOptions,
  type PdoptWriteOptions,
  readPdopt,
  savePdopt,
  writePdopt,
} from './formats/paddle/pdopt.js';
export { loadPickle, type PickleKey, type PickleValue, parsePickle } from './formats/paddle/pickle.js';
export { loadSafetensors, type Safetensors, saveSafetensors, type TensorData } from './formats/safetensors.js';
export type { Named, Savable } from './named.js';
export { load, save } from './save.js';
