import type { Layer } from '../../nn/layer.js';
import { course, GoogLeNet } from '../../vision/models/index.js';
import type { ModelKind, WithHeads } from './modelKind.js';
import { zooKinds } from './zooModels.js';

export type { ModelKind } from './modelKind.js';

const inputShape = [3, 224, 224];

const resnet = (layers: 50 | 101 | 152): ModelKind => ({
  title: `ResNet-${layers}`,
  inputShape,
  anySize: true,
  create: ({ numClasses }) => new course.ResNet({ layers, numClasses }),
});

/** Those of PaddlePaddle's tutorial; and, with a prefix, the ready-made ones. */
export const modelKinds: Readonly<Record<string, ModelKind>> = {
  lenet: { title: 'LeNet', inputShape: [1, 28, 28], create: (options) => new course.LeNet(options) },
  lenet224: { title: 'LeNet for 224×224', inputShape, create: (options) => new course.LeNet224(options) },
  alexnet: { title: 'AlexNet', inputShape, create: (options) => new course.AlexNet(options) },
  vgg16: { title: 'VGG-16', inputShape, create: (options) => new course.VGG16(options) },
  googlenet: {
    title: 'GoogLeNet',
    inputShape,
    anySize: true,
    auxiliaryHeads: true,
    create: ({ numClasses, auxiliaryHeads = false }, [, imageSize]) =>
      new course.GoogLeNet({ numClasses, auxiliaryHeads, imageSize }),
  },
  resnet50: resnet(50),
  resnet101: resnet(101),
  resnet152: resnet(152),
  ...zooKinds,
};

/** The network with its inner classifiers; null for one without. */
export function withHeads(network: Layer): WithHeads | null {
  if (network instanceof course.GoogLeNet) return network.aux1 === null ? null : network;
  return network instanceof GoogLeNet ? network : null;
}
