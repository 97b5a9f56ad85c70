export { type FileContent, writeFileAtomic } from './files/atomic.js';
export { type DownloadOptions, type DownloadProgress, download } from './files/download.js';
export * from './portable.js';
export { loadPdopt, type PdoptWriteOptions, readPdopt, savePdopt, writePdopt } from './weights/pdopt.js';
export { loadPdparams, readPdparams, savePdparams, writePdparams } from './weights/pdparams.js';
export { loadPickle } from './weights/pickle.js';
export { loadSafetensors, saveSafetensors } from './weights/safetensors.js';
export { load, save } from './weights/save.js';
