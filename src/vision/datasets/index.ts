export { PALM, type PALMOptions } from '../palm/dataset.js';
export { palmEyes } from '../palm/eyes.js';
export { importPalm, type PalmImportOptions, type PalmSummary } from '../palm/import.js';
export type { PalmCounts, PalmImage, PalmSet, PalmSize } from '../palm/record.js';
export { type PalmSynthOptions, type SynthSummary, synthesizePalm } from '../palm/synth.js';
export { Cifar10, Cifar100, type CifarMirror, type CifarOptions, type CifarSource } from './cifar.js';
export { CsvDataset, type CsvDatasetOptions } from './csvDataset.js';
export { DatasetFolder, ImageFolder } from './folder.js';
export type { IdxDataset, MNISTMirror, MNISTOptions, MNISTSource } from './idxDataset.js';
export type { PassedOver, ReadingProgress } from './listing.js';
export { FashionMNIST, MNIST } from './mnist.js';
export { PixelDataset, type PixelOptions } from './pixelDataset.js';
export type { Transformable, TransformOption } from './reading/augmenter.js';
export type { ImageCacheOptions } from './reading/imageCache.js';
export { type BadImage, type ImageFile, ImageFileDataset, type ImageFilesOptions } from './reading/imageFiles.js';
export {
  balancedFiles,
  type DatasetSheetOptions,
  datasetSheet,
  type SampleSheetOptions,
  sampleSheet,
} from './sheets.js';
export type { TableOptions } from './tableColumns.js';
