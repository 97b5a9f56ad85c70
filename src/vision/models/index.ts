import { LeNet } from './lenet.js';

export { AlexNet } from './alexnet.js';
export { GoogLeNet, type GoogLeNetOptions } from './googlenet.js';
export { LeNet } from './lenet.js';
export { LeNet224 } from './lenet224.js';
export { ResNet, type ResNetOptions } from './resnet.js';
export { VGG16 } from './vgg.js';
export * as zoo from './zoo/index.js';

/** {@link LeNet} for 28×28 grey images. */
export function lenet(options: { readonly numClasses?: number } = {}): LeNet {
  return new LeNet(options);
}
