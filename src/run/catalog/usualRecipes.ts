import type { UsualData, UsualRecipe } from './namedModel.js';

const mnist: UsualData = { name: 'mnist', classes: 10 };
const palm: UsualData = { name: 'palm', classes: 2 };
const cifar10: UsualData = { name: 'cifar10', classes: 10 };

const momentum = { name: 'momentum', learningRate: 0.001, momentum: 0.9, weightDecay: 0 } as const;
const adam = { name: 'adam', learningRate: 0.001, weightDecay: 0 } as const;

/** Recipes of PaddlePaddle's tutorial on image classification. */
export const digits: UsualRecipe = {
  data: mnist,
  optimizer: momentum,
  batchSize: 10,
  shuffle: true,
  epochs: 5,
  logEvery: 2000,
};
export const eyes: UsualRecipe = { ...digits, data: palm, logEvery: 20 };
export const eyesByAdam: UsualRecipe = { ...eyes, optimizer: adam };
export const eyesWithDecay: UsualRecipe = { ...eyes, optimizer: { ...momentum, weightDecay: 0.001 } };

/**
 * Recipe of the ready-made networks: rate and decay of the tutorial's example on CIFAR-10. The common rate of
 * 0.1·batch/256 needs a schedule that begins and ends lower. Without one, this rate is the largest safe one.
 */
export const photos: UsualRecipe = {
  data: cifar10,
  optimizer: { ...momentum, learningRate: 0.01, weightDecay: 1e-4 },
  batchSize: 32,
  shuffle: true,
  epochs: 10,
  logEvery: 20,
};
/** Networks without batch norm need a tenth of the rate. */
export const photosUnnormed: UsualRecipe = { ...photos, optimizer: { ...photos.optimizer, learningRate: 0.001 } };
/** AlexNet takes 224×224 alone. Its initial weights are so small that it hardly learns at a lower rate. */
export const eyesOfAlexNet: UsualRecipe = { ...photos, data: palm };
/** GoogLeNet takes 224×224 alone, and SqueezeNet 1.0 no images as small as CIFAR's. */
export const eyesUnnormed: UsualRecipe = { ...photosUnnormed, data: palm };
/** Inception v3 takes 75×75 and more. */
export const eyesOfInceptionV3: UsualRecipe = { ...photos, data: palm };
export const digitsOfReady: UsualRecipe = { ...photos, data: mnist, batchSize: 64, logEvery: 200 };
