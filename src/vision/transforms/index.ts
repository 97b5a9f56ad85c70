export { decodeImage } from './decode.js';
export { type Digit, readDigit } from './digit.js';
export { type ChannelOrder, normalizeInto, type RGBImage, toCHW } from './image.js';
export { encodePng } from './png.js';
export { type Preprocessed, type PreprocessOptions, preprocess } from './preprocess.js';
export { type ResizeOptions, resizeBilinear } from './resize.js';
