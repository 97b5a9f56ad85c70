export * as datasets from './datasets/index.js';
export * as explain from './explain/index.js';
export * as images from './images/index.js';
export * as models from './models/index.js';
export * as transforms from './transforms/index.js';
