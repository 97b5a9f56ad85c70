import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { Adam, AdamW, Momentum, SGD } from '../../src/optimizer/index.js';
import { dataFor, findData } from '../../src/run/catalog/datasets.js';
import { namedModel, usualData } from '../../src/run/catalog/models.js';
import { recipeLine } from '../../src/run/describe.js';
import { outputsFor } from '../../src/run/losses.js';
import { makeOptimizer } from '../../src/run/optimizers.js';
import { type RecipeChanges, recipeFor } from '../../src/run/recipe.js';
import { parseSchedule } from '../../src/run/schedule.js';
import { Parameter } from '../../src/tensor/state.js';

const lenet = {
  optimizer: { name: 'momentum', learningRate: 0.001, momentum: 0.9, weightDecay: 0 },
  loss: 'crossEntropy',
  batchSize: 10,
  shuffle: true,
  epochs: 5,
  logEvery: 2000,
};

describe('recipeFor', () => {
  test('gives the recipe, whole and with changes', () => {
    expect(recipeFor('lenet', 10)).toEqual(lenet);
    expect(recipeFor('lenet', 10, { epochs: 1, learningRate: 0.5, momentum: 0.5, batchSize: 3 })).toEqual({
      ...lenet,
      optimizer: { ...lenet.optimizer, learningRate: 0.5, momentum: 0.5 },
      batchSize: 3,
      epochs: 1,
    });
    expect(recipeFor('lenet', 10, { epochs: undefined })).toEqual(lenet);
    expect(usualData('lenet')).toEqual({ name: 'mnist', classes: 10 });
  });

  test('gives another optimizer its own settings', () => {
    const optimizer = (changes: Parameters<typeof recipeFor>[2]) => recipeFor('lenet', 10, changes).optimizer;
    expect(optimizer({ optimizer: 'adam' })).toEqual({ name: 'adam', learningRate: 0.001, weightDecay: 0 });
    expect(optimizer({ optimizer: 'adamw' })).toEqual({ name: 'adamw', learningRate: 0.001, weightDecay: 0.01 });
    expect(optimizer({ optimizer: 'sgd', weightDecay: 0.1 })).toEqual({
      name: 'sgd',
      learningRate: 0.001,
      weightDecay: 0.1,
    });
    expect(() => optimizer({ optimizer: 'adam', momentum: 0.9 })).toThrow(
      '[recipe] momentum: expected none, since the optimizer adam has none, got 0.9; leave it out',
    );
  });

  test.each([
    ['lenett', /^\[model\] model 'lenett': expected one of lenet, lenet224, .*; did you mean lenet\?$/],
    ['LeNet', 'did you mean lenet?'],
    ['resnet-50', 'did you mean resnet50?'],
    ['resnet18', 'did you mean zoo-resnet18?'],
    ['ResNext50_32x4d', 'did you mean zoo-resnext50_32x4d?'],
    ['mobilenet-v2', 'did you mean zoo-mobilenet_v2?'],
  ])('suggests the nearest name for %s', (model, message) => {
    expect(() => recipeFor(model, 2)).toThrow(message);
    expect(() => recipeFor(model, 2)).toThrow(InputError);
  });

  test('suggests nothing where nothing is near', () => {
    expect(() => namedModel('transformer')).toThrow(/expected one of lenet[^;]*$/);
    expect(() => namedModel('toString')).toThrow(InputError);
  });
});

describe('the recipes for photographs', () => {
  const decayed = { name: 'momentum', learningRate: 0.001, momentum: 0.9, weightDecay: 0.001 };
  const plain = { ...decayed, weightDecay: 0 };
  test.each([
    ['lenet224', plain],
    ['alexnet', { name: 'adam', learningRate: 0.001, weightDecay: 0 }],
    ['vgg16', plain],
    ['googlenet', decayed],
    ['resnet50', decayed],
    ['resnet101', decayed],
    ['resnet152', decayed],
  ])('%s', (model, optimizer) => {
    const recipe = recipeFor(model, 2);
    expect(recipe).toMatchObject({ optimizer, loss: 'binaryCrossEntropy', batchSize: 10, epochs: 5, logEvery: 20 });
    expect(outputsFor(recipe, 2)).toBe(1);
    expect(outputsFor(recipeFor(model, 3), 3)).toBe(3);
    expect(recipeFor(model, 3).loss).toBe('crossEntropy');
    expect(usualData(model)).toEqual({ name: 'palm', classes: 2 });
  });
});

describe('findData', () => {
  test('takes names and places apart', () => {
    expect(findData('mnist')).toEqual({ name: 'mnist', location: undefined });
    expect(findData('palm:a:b')).toEqual({ name: 'palm', location: 'a:b' });
    expect(findData('cifar10')).toEqual({ name: 'cifar10', location: undefined });
    expect(findData('cifar100:dir')).toEqual({ name: 'cifar100', location: 'dir' });
  });

  test.each([
    [
      'mnits',
      "[data] data 'mnits': expected one of mnist, fashionmnist, cifar10, cifar100, palm, folder, csv; did you mean mnist?",
    ],
    ['palm', "[data] palm: expected palm:DIR, got no folder; give it as `data: 'palm:DIR'`"],
    ['palm:', "[data] 'palm:': expected a folder or file behind the colon, got nothing"],
    ['csv', '[data] csv: expected csv:FILE, got no file'],
    ['mnist:x', "[data] mnist:x: expected mnist alone, got 'x'"],
    [
      'tests',
      "[data] 'tests': expected mnist, fashionmnist, cifar10, cifar100, palm, folder, csv, got a path; give folder:tests",
    ],
    ['README.md', 'got a path; give csv:README.md'],
    ['no/such', 'got a path; give folder:no/such'],
    ['no-such.csv', 'got a path; give csv:no-such.csv'],
    ['pictures', 'got a path; give folder:pictures'],
  ])('refuses %s', (data, message) => {
    expect(() => findData(data)).toThrow(message);
    expect(() => findData(data)).toThrow(InputError);
  });
});

test('a network whose usual data need a folder lists what can be given', () => {
  expect(dataFor('lenet')).toBe('mnist');
  expect(dataFor('zoo-resnet18')).toBe('cifar10');
  expect(() => dataFor('resnet50')).toThrow(
    /^\[data\] resnet50: expected data to train on, got none; give folder:DIR .*, csv:FILE .*cifar100.*, or palm:DIR$/,
  );
});

test('recipeLine reads well', () => {
  expect(recipeLine(recipeFor('lenet', 10))).toBe(
    'Momentum 0.9, learning rate 0.001, batch size 10, shuffled, 5 epochs, cross entropy',
  );
  expect(recipeLine(recipeFor('lenet', 10, { optimizer: 'adamw', epochs: 1 }))).toBe(
    'AdamW, learning rate 0.001, weight decay 0.01, batch size 10, shuffled, 1 epoch, cross entropy',
  );
});

test.each([
  ['sgd', SGD],
  ['momentum', Momentum],
  ['adam', Adam],
  ['adamw', AdamW],
] as const)('%s makes the optimizer of that name', (name, expected) => {
  const parameters = [new Parameter(new Float32Array(1), [1])];
  const optimizer = makeOptimizer({ name, learningRate: 0.25, weightDecay: 0 }, parameters);
  expect(optimizer.constructor).toBe(expected);
  expect(optimizer.learningRate).toBe(0.25);
});

test.each([
  [
    {
      techniques: { schedule: parseSchedule({ PiecewiseDecay: { boundaries: [3], values: [1, 2] } }) },
      learningRate: 1,
    },
    'learningRate: expected none, since the values of PiecewiseDecay are the learning rates, got 1;',
  ],
  [
    { epochs: 5, techniques: { earlyStopping: 4 } },
    'earlyStopping: expected none, since 5 epochs end before so many evaluations can show it (at most 3 can), got 4;',
  ],
  [{ epochs: 9, techniques: { earlyStopping: 2, evalEvery: 3 } }, '(at most 1 can), got 2;'],
  [
    { epochs: 3, techniques: { earlyStopping: 1, evalEvery: 5 } },
    '3 epochs end before so many evaluations can show it, got 1;',
  ],
  [{ epochs: 1, techniques: { earlyStopping: 1 } }, '1 epoch ends before'],
] satisfies [RecipeChanges, string][])('changes without effect are refused: %j', (changes, message) => {
  expect(() => recipeFor('lenet', 10, changes)).toThrow(InputError);
  expect(() => recipeFor('lenet', 10, changes)).toThrow(message);
});

test('early stopping that can end a training is taken', () => {
  for (const [epochs, techniques] of [
    [5, { earlyStopping: 3 }],
    [7, { earlyStopping: 1, evalEvery: 3 }],
    [5, { earlyStopping: 3, evalEvery: 5, saveBest: 'train_loss' }],
  ] as const) {
    expect(recipeFor('lenet', 10, { epochs, techniques }).techniques).toEqual(techniques);
  }
});
