// Files of pictures: read, prepared, written, and laid out on sheets.

export {
  type CaptionedPicture,
  type ContactSheetOptions,
  contactSheet,
  sideBySide,
} from './contactSheet.js';
export { decodeImage, type PictureSource } from './decode.js';
export { readDigit } from './digit.js';
export type { Digit } from './digitForm.js';
export { encodePng } from './png.js';
export { type Fit, type Preprocessed, type PreprocessOptions, preprocess } from './preprocess.js';
export { thumbnailPng } from './thumbnail.js';
