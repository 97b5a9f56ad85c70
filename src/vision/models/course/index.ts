// The networks of PaddlePaddle's tutorial, with its names of parameters.

export { AlexNet } from './alexnet.js';
export { GoogLeNet, type GoogLeNetOptions } from './googlenet.js';
export { LeNet } from './lenet.js';
export { LeNet224 } from './lenet224.js';
export type { ClassifierOptions } from './options.js';
export { ResNet, type ResNetOptions } from './resnet.js';
export { VGG16 } from './vgg.js';
