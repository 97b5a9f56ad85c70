import { describe, expect, it } from 'vitest';
import { zooKinds } from '../../src/run/catalog/zooModels.js';
import { datasetKind, modelKind, outputsFor, recipeFor, usualData } from '../../src/run/recipes.js';

const names = Object.keys(zooKinds);
const slow = ['googlenet', 'vgg11', 'vgg13', 'vgg16', 'vgg19'].map((name) => `zoo-${name}`);

it('has every ready-made network', () => {
  expect(names).toHaveLength(26);
});

describe('the recipe of each', () => {
  it.each(names)('%s', (name) => {
    const learningRate = slow.includes(name) ? 0.001 : 0.01;
    expect(recipeFor(name, 10).optimizer).toEqual({ name: 'momentum', learningRate, momentum: 0.9, weightDecay: 1e-4 });
    expect(modelKind(name).title).toMatch(/ \(paddle\.vision\)$/);
    const fixed = { 'zoo-lenet': 'mnist', 'zoo-alexnet': 'palm', 'zoo-googlenet': 'palm' }[name];
    expect(usualData(name).name).toBe(fixed ?? 'cifar10');
    expect(() => datasetKind(usualData(name).name)).not.toThrow();
    expect(modelKind(name).anySize ?? false).toBe(fixed === undefined);
    expect(outputsFor(recipeFor(name, 2), 2)).toBe(1);
  });
});
