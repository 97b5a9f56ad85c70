import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { makeOptimizer, modelKind, recipeFor, recipeLine, usualData } from '../../src/model/recipes.js';
import { Adam, AdamW, Momentum, SGD } from '../../src/optimizer/index.js';
import { Parameter } from '../../src/tensor/state.js';

const lenet = {
  optimizer: { name: 'momentum', learningRate: 0.001, momentum: 0.9, weightDecay: 0 },
  loss: 'crossEntropy',
  batchSize: 10,
  shuffle: true,
  epochs: 5,
};

describe('recipeFor', () => {
  test('gives the recipe, whole and with changes', () => {
    expect(recipeFor('lenet', 'mnist')).toEqual(lenet);
    expect(recipeFor('lenet', 'mnist', { epochs: 1, learningRate: 0.5, momentum: 0.5, batchSize: 3 })).toEqual({
      ...lenet,
      optimizer: { ...lenet.optimizer, learningRate: 0.5, momentum: 0.5 },
      batchSize: 3,
      epochs: 1,
    });
    expect(recipeFor('lenet', 'mnist', { epochs: undefined })).toEqual(lenet);
    expect(usualData('lenet')).toBe('mnist');
  });

  test('gives another optimizer its own settings', () => {
    const optimizer = (changes: Parameters<typeof recipeFor>[2]) => recipeFor('lenet', 'mnist', changes).optimizer;
    expect(optimizer({ optimizer: 'adam' })).toEqual({ name: 'adam', learningRate: 0.001, weightDecay: 0 });
    expect(optimizer({ optimizer: 'adamw' })).toEqual({ name: 'adamw', learningRate: 0.001, weightDecay: 0.01 });
    expect(optimizer({ optimizer: 'sgd', weightDecay: 0.1 })).toEqual({
      name: 'sgd',
      learningRate: 0.001,
      weightDecay: 0.1,
    });
    expect(() => optimizer({ optimizer: 'adam', momentum: 0.9 })).toThrow(
      '[recipe] momentum: expected with the optimizer momentum only, got it with adam',
    );
  });

  test.each([
    ['lenett', 'mnist', "[model] model 'lenett': expected one of lenet; did you mean lenet?"],
    ['LeNet', 'mnist', 'did you mean lenet?'],
    ['lenet', 'mnits', "[data] data 'mnits': expected one of mnist; did you mean mnist?"],
  ])('suggests the nearest name for %s on %s', (model, data, message) => {
    expect(() => recipeFor(model, data)).toThrow(message);
    expect(() => recipeFor(model, data)).toThrow(InputError);
  });

  test('suggests nothing where nothing is near', () => {
    expect(() => modelKind('transformer')).toThrow(/expected one of lenet[^;]*$/);
    expect(() => modelKind('toString')).toThrow(InputError);
  });
});

test('recipeLine reads well', () => {
  expect(recipeLine(recipeFor('lenet', 'mnist'))).toBe(
    'Momentum 0.9, learning rate 0.001, batch size 10, shuffled, 5 epochs, cross entropy',
  );
  expect(recipeLine(recipeFor('lenet', 'mnist', { optimizer: 'adamw', epochs: 1 }))).toBe(
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
