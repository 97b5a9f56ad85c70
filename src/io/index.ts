export { type FileContent, writeFileAtomic } from './atomic.js';
export { DataLoader, type DataLoaderOptions, Epoch, type EpochOptions, type TensorBatch } from './dataloader.js';
export { type Batch, type Dataset, labelsOf, type Sample } from './dataset.js';
export { type DownloadOptions, type DownloadProgress, download } from './download.js';
export type { Named, Savable } from './named.js';
export {
  loadPdparams,
  type PaddleParameters,
  type PdparamsOptions,
  paddleNames,
  readPdparams,
  savePdparams,
  writePdparams,
} from './paddle/params.js';
export {
  loadPdopt,
  type PaddleOptimizer,
  type PdoptOptions,
  type PdoptWriteOptions,
  readPdopt,
  savePdopt,
  writePdopt,
} from './paddle/pdopt.js';
export { loadPickle, type PickleKey, type PickleValue, parsePickle } from './paddle/pickle.js';
export { loadSafetensors, type Safetensors, saveSafetensors, type TensorData } from './safetensors.js';
export { BalancedSampler, type Sampler, type SamplerName, StratifiedSampler } from './sampler.js';
export { load, save } from './save.js';
export { ConcatDataset, randomSplit, Subset, TensorDataset } from './subsets.js';
