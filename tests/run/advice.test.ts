import { describe, expect, test } from 'vitest';
import { priorEntropy, trainingAdvice } from '../../src/run/advice.js';
import type { EpochRecord } from '../../src/train/history.js';

const epochs = (...losses: number[]): EpochRecord[] =>
  losses.map((trainLoss, i) => ({
    epoch: i + 1,
    trainLoss,
    evalLoss: trainLoss,
    evalAccuracy: 0.5,
    imagesPerSecond: 1,
    seconds: 1,
    dataShare: 0,
  }));

test('the entropy of the class shares', () => {
  expect(priorEntropy([1, 1])).toBeCloseTo(Math.LN2, 12);
  expect(priorEntropy([213, 187])).toBeCloseTo(0.691033, 6);
  expect(priorEntropy([5, 5, 5, 5])).toBeCloseTo(Math.log(4), 12);
  expect(priorEntropy([7, 0])).toBe(0);
});

describe('a training', () => {
  const counts = [187, 213];
  const inputShape = [3, 224, 224];

  test('that stays at the entropy of the class shares gets the numbers and advice', () => {
    const notice = trainingAdvice(epochs(0.7251, 0.6934, 0.6921), counts, { inputShape });
    expect(notice).toContain('(0.6921)');
    expect(notice).toContain('(0.6910)');
    expect(notice).toMatch(
      /resnet50.*`learningRate`.*`optimizer: 'adam'` or evenly mixed batches .*`sampler: 'stratified'`/,
    );
  });

  test.each([
    ['learns in the end', epochs(0.69, 0.69, 0.4)],
    ['learned once', epochs(0.69, 0.5, 0.69)],
    ['has hardly begun', epochs(0.69)],
    ['learns a little', epochs(0.69, 0.675)],
    ['learns a little, after a bad beginning', epochs(3.2, 0.675)],
  ])('that %s is not', (_, history) => {
    expect(trainingAdvice(history, counts)).toBeNull();
  });

  test('with auxiliary heads is measured by the sum of their losses', () => {
    const history = epochs(1.6 * 0.691, 1.6 * 0.69);
    expect(trainingAdvice(history, counts, { weight: 1.6 })).not.toBeNull();
    expect(trainingAdvice(epochs(0.9, 0.8), counts, { weight: 1.6 })).toBeNull();
  });

  test('that is lost after one epoch gets advice', () => {
    expect(trainingAdvice(epochs(2.5), counts)).toMatch(/training loss \(2\.5000\) is above guessing.*0\.6910/);
  });

  test('whose accuracy is the share of the largest class gets advice', () => {
    const facts = { evalCounts: [30, 50], classNames: ['cat', 'dog'] };
    const evaluated = (evalAccuracy: number) => epochs(0.6, 0.5).map((record) => ({ ...record, evalAccuracy }));
    const notice = trainingAdvice(evaluated(0.625), counts, facts);
    expect(notice).toMatch(/accuracy \(62\.50 %\) is the share of the largest class, dog.*classWeight: 'auto'/);
    expect(trainingAdvice(evaluated(0.6375), counts, facts)).toBeNull();
    expect(trainingAdvice(evaluated(1), counts, { ...facts, evalCounts: [0, 50] })).toBeNull();
  });

  test('that knows its images by heart gets advice', () => {
    const evaluated = (train: number, evalLoss: number) =>
      epochs(0.6, train).map((record) => ({ ...record, evalLoss }));
    const notice = trainingAdvice(evaluated(0.11, 1.74), counts);
    expect(notice).toMatch(
      /validation images \(1\.7400\) is far above that on the training images \(0\.1100\).*`transforms`/,
    );
    expect(trainingAdvice(evaluated(0.11, 0.3), counts)).toBeNull();
    expect(trainingAdvice(evaluated(0.01, 0.05), counts)).toBeNull();
    expect(trainingAdvice(evaluated(0.45, 0.85), counts)).toBeNull();
  });

  test('is not advised to take what it has', () => {
    const facts = { batchNorm: true, inputShape, optimizer: 'adam' };
    const notice = trainingAdvice(epochs(0.8, 0.69), counts, facts);
    expect(notice).toMatch(/stayed at the entropy.*Try another learning rate \(`learningRate`\)\.$/);
    expect(trainingAdvice(epochs(0.69, 0.69), counts, { inputShape: [1, 28, 28] })).not.toContain('resnet');
  });

  test('that is worse than guessing gets advice, but not that of a loss that stayed there', () => {
    const notice = trainingAdvice(epochs(0.8, 0.92), counts, { batchNorm: true, inputShape });
    expect(notice).toMatch(/\(0\.92\d*\) is above guessing.*0\.6910.*lower the learning rate \(`learningRate`\)/);
    expect(notice).not.toMatch(/stayed|resnet50/);
    const clipped = trainingAdvice(epochs(0.8, 0.73), counts, { techniques: { clipGradNorm: 1 } });
    expect(clipped).toMatch(/above guessing.*lower the learning rate \(`learningRate`\) or train longer/);
  });

  test('with weighted or evenly sampled classes is compared with guessing under the same weights', () => {
    const history = epochs(0.7, 0.69);
    expect(trainingAdvice(history, [90, 10])).toContain('above guessing');
    for (const techniques of [{ classWeight: 'auto' }, { sampler: 'balanced' }, { classWeight: [1, 9] }] as const) {
      expect(trainingAdvice(history, [90, 10], { techniques })).toContain('(0.6931)');
    }
  });

  test('whose accuracy fell back gets the best epoch and advice', () => {
    const history = epochs(0.6, 0.4, 0.3).map((record, i) => ({ ...record, evalAccuracy: [0.7, 0.9125, 0.5][i] }));
    expect(trainingAdvice(history, counts)).toBe(
      'The accuracy has fallen back: 91.25 % after epoch 2, 50.00 % after epoch 3. Try a lower learning rate (`learningRate`), ' +
        "a schedule that lowers it (`schedule`) or `saveBest: 'acc'`, which keeps the best weights.",
    );
    const techniques = {
      saveBest: 'acc',
      schedule: { name: 'CosineAnnealingDecay', by: 'step', options: {} },
    } as const;
    expect(trainingAdvice(history, counts, { techniques })).toMatch(/Try a lower learning rate \(`learningRate`\)\.$/);
    const unevaluated = { ...history[0], evalAccuracy: null };
    expect(trainingAdvice([history[1], { ...history[2], evalAccuracy: 0.82 }, unevaluated], counts)).toBeNull();
  });

  test('on images of one class has nothing to learn', () => {
    expect(trainingAdvice(epochs(0.1, 0.1), [9, 0])).toBeNull();
  });
});
