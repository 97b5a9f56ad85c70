import { describe, expect, it } from 'vitest';
import { namedDataset } from '../../src/run/catalog/datasets.js';
import { namedModel, namedModels, usualData } from '../../src/run/catalog/models.js';
import { torchModels } from '../../src/run/catalog/torchModels.js';
import { zooModels } from '../../src/run/catalog/zooModels.js';
import { outputsFor } from '../../src/run/losses.js';
import { recipeFor } from '../../src/run/recipe.js';

const names = Object.keys(zooModels);
const slow = ['googlenet', 'vgg11', 'vgg13', 'vgg16', 'vgg19', 'squeezenet1_0', 'squeezenet1_1'].map(
  (name) => `zoo-${name}`,
);

it('has every ready-made network', () => {
  expect(names).toHaveLength(43);
});

it('knows which networks have batch norm', () => {
  const normed = names.filter((name) => namedModel(name).batchNorm);
  expect(normed).toEqual(names.filter((name) => /_bn$|resne|mobilenet|densenet|inception|shufflenet/.test(name)));
  expect(Object.keys(namedModels).filter((name) => !name.startsWith('zoo-') && namedModel(name).batchNorm)).toEqual([
    'resnet50',
    'resnet101',
    'resnet152',
    ...Object.keys(torchModels).filter((name) => !/convnext|vit_|deit_/.test(name)),
  ]);
});

describe('the recipe of each', () => {
  it.each(names)('%s', (name) => {
    const learningRate = slow.includes(name) ? 0.001 : 0.01;
    expect(recipeFor(name, 10).optimizer).toEqual({ name: 'momentum', learningRate, momentum: 0.9, weightDecay: 1e-4 });
    expect(namedModel(name).title).toMatch(/ \(paddle\.vision\)$/);
    const fixed = {
      'zoo-lenet': 'mnist',
      'zoo-alexnet': 'palm',
      'zoo-googlenet': 'palm',
      'zoo-inception_v3': 'palm',
      'zoo-squeezenet1_0': 'palm',
    }[name];
    expect(usualData(name).name).toBe(fixed ?? 'cifar10');
    expect(() => namedDataset(usualData(name).name)).not.toThrow();
    expect(namedModel(name).anySize ?? false).toBe(fixed === undefined);
    expect(outputsFor(recipeFor(name, 2), 2)).toBe(1);
  });
});
