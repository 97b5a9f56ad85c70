export { type Digit, readDigit } from './digit.js';
export { encodePng } from './png.js';
