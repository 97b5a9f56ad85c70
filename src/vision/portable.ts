/** The parts of `vision` that run in a browser too. */
export * as images from './images/portable.js';
export * as models from './models/index.js';
export * as transforms from './transforms/index.js';
