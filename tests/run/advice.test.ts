import { expect, test } from 'vitest';
import { adviceFacts } from '../../src/run/advice.js';
import type { RunConfig } from '../../src/run/config.js';

/** The parts of a run's record that advice depends on. */
function configOf(name: string, optimizer: string, techniques: RunConfig['recipe']['techniques'] = {}): RunConfig {
  const part = { classCounts: [90, 10] };
  return {
    data: { train: part, eval: part, classNames: ['cat', 'dog'] },
    model: { name, inputShape: name === 'lenet' ? [1, 28, 28] : [3, 224, 224] },
    recipe: { optimizer: { name: optimizer }, techniques },
  } as unknown as RunConfig;
}

test('advice names options, which the command line turns into flags', () => {
  const { remedies } = adviceFacts(configOf('vgg16', 'momentum'), 1);
  expect(remedies).toMatchObject({
    learningRate: '`learningRate`',
    adam: "`optimizer: 'adam'`",
    normalized: 'a network with ReLU and normalization (resnet50)',
    stratified: "`sampler: 'stratified'`",
    bestLoss: "`saveBest: 'loss'`",
    schedule: '`schedule`',
    clipGradNorm: '`clipGradNorm`',
  });
});

test('advice names nothing that the run has already, and no network of photographs for digits', () => {
  const techniques = { clipGradNorm: 1, sampler: 'balanced', saveBest: 'acc' } as const;
  const { remedies } = adviceFacts(configOf('resnet50', 'adam', techniques), 1);
  expect(Object.keys(remedies).sort()).toEqual([
    'classWeight',
    'epochs',
    'learningRate',
    'schedule',
    'transforms',
    'weightDecay',
  ]);
  expect(adviceFacts(configOf('lenet', 'adam'), 1).remedies.normalized).toBeUndefined();
});

test('evenly sampled and weighted classes count as the loss sees them', () => {
  expect(adviceFacts(configOf('lenet', 'adam'), 1)).toMatchObject({ classCounts: [90, 10], seenCounts: [90, 10] });
  expect(adviceFacts(configOf('lenet', 'adam', { sampler: 'balanced' }), 1.6)).toMatchObject({
    classCounts: [90, 10],
    seenCounts: [1, 1],
    weight: 1.6,
  });
});
