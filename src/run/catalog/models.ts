import type { Layer } from '../../nn/layer.js';
import { course, GoogLeNet } from '../../vision/models/index.js';
import { lookUp } from './lookUp.js';
import type { NamedModel, UsualData, WithHeads } from './namedModel.js';
import { torchModels } from './torchModels.js';
import { digits, eyes, eyesByAdam, eyesWithDecay } from './usualRecipes.js';
import { zooModels } from './zooModels.js';

export type { NamedModel } from './namedModel.js';

const inputShape = [3, 224, 224];

const resnet = (layers: 50 | 101 | 152): NamedModel => ({
  title: `ResNet-${layers}`,
  inputShape,
  anySize: true,
  batchNorm: true,
  recipe: eyesWithDecay,
  create: ({ numClasses }) => new course.ResNet({ layers, numClasses }),
});

/**
 * The networks that can be named: those of PaddlePaddle's tutorial, some of torchvision and, with the prefix
 * `zoo-`, Paddle's own.
 */
export const namedModels: Readonly<Record<string, NamedModel>> = {
  lenet: {
    title: 'LeNet',
    inputShape: [1, 28, 28],
    mapLayer: 'conv2',
    recipe: digits,
    create: (options) => new course.LeNet(options),
  },
  lenet224: {
    title: 'LeNet for 224×224',
    inputShape,
    recipe: eyes,
    create: (options) => new course.LeNet224(options),
  },
  alexnet: { title: 'AlexNet', inputShape, recipe: eyesByAdam, create: (options) => new course.AlexNet(options) },
  vgg16: { title: 'VGG-16', inputShape, recipe: eyes, create: (options) => new course.VGG16(options) },
  googlenet: {
    title: 'GoogLeNet',
    inputShape,
    anySize: true,
    auxiliaryHeads: true,
    recipe: eyesWithDecay,
    create: ({ numClasses, auxiliaryHeads = false }, [, imageSize]) =>
      new course.GoogLeNet({ numClasses, auxiliaryHeads, imageSize }),
  },
  resnet50: resnet(50),
  resnet101: resnet(101),
  resnet152: resnet(152),
  ...torchModels,
  ...zooModels,
};

/** @throws {InputError} for an unknown name */
export function namedModel(name: string): NamedModel {
  return lookUp('model', namedModels, name);
}

/** The data set that a network is usually trained on. */
export function usualData(model: string): UsualData {
  return namedModel(model).recipe.data;
}

/** The network with its inner classifiers; null for one without. */
export function withHeads(network: Layer): WithHeads | null {
  if (network instanceof course.GoogLeNet) return network.aux1 === null ? null : network;
  return network instanceof GoogLeNet ? network : null;
}
