export * as datasets from './datasets/index.js';
export * as pictures from './images/contactSheet.js';
export * as models from './models/index.js';
export * as transforms from './transforms/index.js';
