/** Pictures in a browser. */
export { decodeImage, type PagePicture, preprocess, readDigit } from './browser.js';
export type { Digit } from './digitForm.js';
export type { Fit, Preprocessed, PreprocessOptions } from './preprocessing.js';
