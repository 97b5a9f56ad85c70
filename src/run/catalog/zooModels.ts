import type { Layer } from '../../nn/layer.js';
import * as models from '../../vision/models/index.js';
import type { NamedModel } from './namedModel.js';
import {
  digitsOfReady,
  eyesOfAlexNet,
  eyesOfInceptionV3,
  eyesUnnormed,
  photos,
  photosUnnormed,
} from './usualRecipes.js';

type Ready = Omit<NamedModel, 'weights'>;
type Create = (options: { readonly numClasses: number }) => Layer;

const inputShape = [3, 224, 224];

/** A network with batch norm that takes photographs of any size. */
function normed(title: string, create: Create): Ready {
  return { title, inputShape, anySize: true, batchNorm: true, recipe: photos, create };
}

function unnormed(title: string, create: Create): Ready {
  return { title, inputShape, anySize: true, recipe: photosUnnormed, create };
}

const ready: Readonly<Record<string, Ready>> = {
  lenet: {
    title: 'LeNet',
    inputShape: [1, 28, 28],
    recipe: digitsOfReady,
    create: ({ numClasses }) => models.lenet({ numClasses }),
  },
  alexnet: {
    title: 'AlexNet',
    inputShape,
    recipe: eyesOfAlexNet,
    create: ({ numClasses }) => models.alexnet({ numClasses }),
  },
  googlenet: {
    title: 'GoogLeNet',
    inputShape,
    recipe: eyesUnnormed,
    create: ({ numClasses }) => models.googlenet({ numClasses }),
  },
  vgg11: unnormed('VGG-11', ({ numClasses }) => models.vgg11({ numClasses })),
  vgg11_bn: normed('VGG-11 with batch norm', ({ numClasses }) => models.vgg11({ numClasses, batchNorm: true })),
  vgg13: unnormed('VGG-13', ({ numClasses }) => models.vgg13({ numClasses })),
  vgg13_bn: normed('VGG-13 with batch norm', ({ numClasses }) => models.vgg13({ numClasses, batchNorm: true })),
  vgg16: unnormed('VGG-16', ({ numClasses }) => models.vgg16({ numClasses })),
  vgg16_bn: normed('VGG-16 with batch norm', ({ numClasses }) => models.vgg16({ numClasses, batchNorm: true })),
  vgg19: unnormed('VGG-19', ({ numClasses }) => models.vgg19({ numClasses })),
  vgg19_bn: normed('VGG-19 with batch norm', ({ numClasses }) => models.vgg19({ numClasses, batchNorm: true })),
  resnet18: normed('ResNet-18', ({ numClasses }) => models.resnet18({ numClasses })),
  resnet34: normed('ResNet-34', ({ numClasses }) => models.resnet34({ numClasses })),
  resnet50: normed('ResNet-50', ({ numClasses }) => models.resnet50({ numClasses })),
  resnet101: normed('ResNet-101', ({ numClasses }) => models.resnet101({ numClasses })),
  resnet152: normed('ResNet-152', ({ numClasses }) => models.resnet152({ numClasses })),
  wide_resnet50_2: normed('Wide ResNet-50-2', ({ numClasses }) => models.wideResnet50_2({ numClasses })),
  wide_resnet101_2: normed('Wide ResNet-101-2', ({ numClasses }) => models.wideResnet101_2({ numClasses })),
  resnext50_32x4d: normed('ResNeXt-50 32×4d', ({ numClasses }) => models.resnext50_32x4d({ numClasses })),
  resnext50_64x4d: normed('ResNeXt-50 64×4d', ({ numClasses }) => models.resnext50_64x4d({ numClasses })),
  resnext101_32x4d: normed('ResNeXt-101 32×4d', ({ numClasses }) => models.resnext101_32x4d({ numClasses })),
  resnext101_64x4d: normed('ResNeXt-101 64×4d', ({ numClasses }) => models.resnext101_64x4d({ numClasses })),
  resnext152_32x4d: normed('ResNeXt-152 32×4d', ({ numClasses }) => models.resnext152_32x4d({ numClasses })),
  resnext152_64x4d: normed('ResNeXt-152 64×4d', ({ numClasses }) => models.resnext152_64x4d({ numClasses })),
  mobilenet_v1: normed('MobileNet v1', ({ numClasses }) => models.mobilenetV1({ numClasses })),
  mobilenet_v2: normed('MobileNet v2', ({ numClasses }) => models.mobilenetV2({ numClasses })),
  mobilenet_v3_small: normed('MobileNet v3 small', ({ numClasses }) => models.mobilenetV3Small({ numClasses })),
  mobilenet_v3_large: normed('MobileNet v3 large', ({ numClasses }) => models.mobilenetV3Large({ numClasses })),
  shufflenet_v2_x0_25: normed('ShuffleNet v2 ×0.25', ({ numClasses }) => models.shufflenetV2X0_25({ numClasses })),
  shufflenet_v2_x0_33: normed('ShuffleNet v2 ×0.33', ({ numClasses }) => models.shufflenetV2X0_33({ numClasses })),
  shufflenet_v2_x0_5: normed('ShuffleNet v2 ×0.5', ({ numClasses }) => models.shufflenetV2X0_5({ numClasses })),
  shufflenet_v2_x1_0: normed('ShuffleNet v2 ×1', ({ numClasses }) => models.shufflenetV2X1_0({ numClasses })),
  shufflenet_v2_x1_5: normed('ShuffleNet v2 ×1.5', ({ numClasses }) => models.shufflenetV2X1_5({ numClasses })),
  shufflenet_v2_x2_0: normed('ShuffleNet v2 ×2', ({ numClasses }) => models.shufflenetV2X2_0({ numClasses })),
  shufflenet_v2_swish: normed('ShuffleNet v2 ×1 with swish', ({ numClasses }) =>
    models.shufflenetV2Swish({ numClasses }),
  ),
  densenet121: normed('DenseNet-121', ({ numClasses }) => models.densenet121({ numClasses })),
  densenet161: normed('DenseNet-161', ({ numClasses }) => models.densenet161({ numClasses })),
  densenet169: normed('DenseNet-169', ({ numClasses }) => models.densenet169({ numClasses })),
  densenet201: normed('DenseNet-201', ({ numClasses }) => models.densenet201({ numClasses })),
  densenet264: normed('DenseNet-264', ({ numClasses }) => models.densenet264({ numClasses })),
  squeezenet1_0: {
    title: 'SqueezeNet 1.0',
    inputShape,
    recipe: eyesUnnormed,
    create: ({ numClasses }) => models.squeezenet1_0({ numClasses }),
  },
  squeezenet1_1: unnormed('SqueezeNet 1.1', ({ numClasses }) => models.squeezenet1_1({ numClasses })),
  inception_v3: {
    title: 'Inception v3',
    inputShape: [3, 299, 299],
    batchNorm: true,
    recipe: eyesOfInceptionV3,
    create: ({ numClasses }) => models.inceptionV3({ numClasses }),
  },
};

/** The networks of `paddle.vision.models`. The networks of the tutorial have no prefix in their names. */
export const zooModels: Readonly<Record<string, NamedModel>> = Object.fromEntries(
  Object.entries(ready).map(([name, model]) => [
    `zoo-${name}`,
    { ...model, title: `${model.title} (paddle.vision)`, weights: name },
  ]),
);
