import type { Layer } from '../../nn/layer.js';
import * as models from '../../vision/models/index.js';
import type { ModelKind } from './modelKind.js';

function photographs(title: string, create: (options: { numClasses: number }) => Layer, anySize = true): ModelKind {
  return { title: `${title} (paddle.vision)`, inputShape: [3, 224, 224], anySize, create };
}

const kinds: Readonly<Record<string, ModelKind>> = {
  lenet: {
    title: 'LeNet (paddle.vision)',
    inputShape: [1, 28, 28],
    create: ({ numClasses }) => models.lenet({ numClasses }),
  },
  alexnet: photographs('AlexNet', ({ numClasses }) => models.alexnet({ numClasses }), false),
  googlenet: photographs('GoogLeNet', ({ numClasses }) => models.googlenet({ numClasses }), false),
  vgg11: photographs('VGG-11', ({ numClasses }) => models.vgg11({ numClasses })),
  vgg11_bn: photographs('VGG-11 with batch norm', ({ numClasses }) => models.vgg11({ numClasses, batchNorm: true })),
  vgg13: photographs('VGG-13', ({ numClasses }) => models.vgg13({ numClasses })),
  vgg13_bn: photographs('VGG-13 with batch norm', ({ numClasses }) => models.vgg13({ numClasses, batchNorm: true })),
  vgg16: photographs('VGG-16', ({ numClasses }) => models.vgg16({ numClasses })),
  vgg16_bn: photographs('VGG-16 with batch norm', ({ numClasses }) => models.vgg16({ numClasses, batchNorm: true })),
  vgg19: photographs('VGG-19', ({ numClasses }) => models.vgg19({ numClasses })),
  vgg19_bn: photographs('VGG-19 with batch norm', ({ numClasses }) => models.vgg19({ numClasses, batchNorm: true })),
  resnet18: photographs('ResNet-18', ({ numClasses }) => models.resnet18({ numClasses })),
  resnet34: photographs('ResNet-34', ({ numClasses }) => models.resnet34({ numClasses })),
  resnet50: photographs('ResNet-50', ({ numClasses }) => models.resnet50({ numClasses })),
  resnet101: photographs('ResNet-101', ({ numClasses }) => models.resnet101({ numClasses })),
  resnet152: photographs('ResNet-152', ({ numClasses }) => models.resnet152({ numClasses })),
  wide_resnet50_2: photographs('Wide ResNet-50-2', ({ numClasses }) => models.wideResnet50_2({ numClasses })),
  wide_resnet101_2: photographs('Wide ResNet-101-2', ({ numClasses }) => models.wideResnet101_2({ numClasses })),
  resnext50_32x4d: photographs('ResNeXt-50 32×4d', ({ numClasses }) => models.resnext50_32x4d({ numClasses })),
  resnext50_64x4d: photographs('ResNeXt-50 64×4d', ({ numClasses }) => models.resnext50_64x4d({ numClasses })),
  resnext101_32x4d: photographs('ResNeXt-101 32×4d', ({ numClasses }) => models.resnext101_32x4d({ numClasses })),
  resnext101_64x4d: photographs('ResNeXt-101 64×4d', ({ numClasses }) => models.resnext101_64x4d({ numClasses })),
  resnext152_32x4d: photographs('ResNeXt-152 32×4d', ({ numClasses }) => models.resnext152_32x4d({ numClasses })),
  resnext152_64x4d: photographs('ResNeXt-152 64×4d', ({ numClasses }) => models.resnext152_64x4d({ numClasses })),
  mobilenet_v1: photographs('MobileNet v1', ({ numClasses }) => models.mobilenetV1({ numClasses })),
  mobilenet_v2: photographs('MobileNet v2', ({ numClasses }) => models.mobilenetV2({ numClasses })),
};

/** With the names of `paddle.vision.models` behind a prefix, which tells them from the networks of the tutorial. */
export const zooKinds: Readonly<Record<string, ModelKind>> = Object.fromEntries(
  Object.entries(kinds).map(([name, kind]) => [`zoo-${name}`, { ...kind, weights: name }]),
);
