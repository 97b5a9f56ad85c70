/** The parts of `vision` that run in a browser too. */
export * as models from './models/index.js';
export * as transforms from './transforms/index.js';
