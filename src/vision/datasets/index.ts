export { CsvDataset, type CsvDatasetOptions } from './csvDataset.js';
export { DatasetFolder, ImageFolder } from './folder.js';
export type { ImageCacheOptions } from './imageCache.js';
export { type BadImage, type ImageFile, ImageFileDataset, type ImageFilesOptions } from './imageFiles.js';
export { MNIST, type MNISTMirror, type MNISTOptions, type MNISTSource } from './mnist.js';
export { importPalm, type PalmImportOptions, type PalmSummary } from './palm/import.js';
export { PALM, type PALMOptions } from './palm/palm.js';
export type { PalmCounts, PalmImage, PalmSet, PalmSize } from './palm/record.js';
export { type PalmSynthOptions, type SynthSummary, synthesizePalm } from './palm/synth.js';
