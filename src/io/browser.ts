/** Data sets, loaders and formats in a browser. */
export * from './portable.js';
export { loadSafetensors, safetensorsFile } from './weights/browser.js';
