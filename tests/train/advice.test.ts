import { describe, expect, test } from 'vitest';
import {
  countsAsSeen,
  priorEntropy,
  type Remedies,
  type TrainingFacts,
  trainingAdvice,
} from '../../src/train/advice.js';
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

const counts = [187, 213];

/** Everything can still be tried. */
const remedies: Remedies = {
  learningRate: 'LR',
  weightDecay: 'DECAY',
  epochs: 'EPOCHS',
  adam: 'ADAM',
  normalized: 'RESNET',
  clipGradNorm: 'CLIP',
  schedule: 'SCHEDULE',
  transforms: 'TRANSFORMS',
  classWeight: 'WEIGHTS',
  balanced: 'BALANCED',
  stratified: 'STRATIFIED',
  bestAccuracy: 'BEST ACCURACY',
  bestLoss: 'BEST LOSS',
};

const without = (...names: (keyof Remedies)[]): Remedies =>
  Object.fromEntries(Object.entries(remedies).filter(([name]) => !names.includes(name as keyof Remedies))) as never;

const adviceFor = (history: readonly EpochRecord[], facts: Partial<TrainingFacts> = {}) =>
  trainingAdvice(history, { classCounts: counts, remedies, ...facts });

test('the entropy of the class shares', () => {
  expect(priorEntropy([1, 1])).toBeCloseTo(Math.LN2, 12);
  expect(priorEntropy([213, 187])).toBeCloseTo(0.691033, 6);
  expect(priorEntropy([5, 5, 5, 5])).toBeCloseTo(Math.log(4), 12);
  expect(priorEntropy([7, 0])).toBe(0);
});

describe('a training', () => {
  test('that stays at the entropy of the class shares gets the numbers and advice', () => {
    expect(adviceFor(epochs(0.7251, 0.6934, 0.6921))).toBe(
      'The training loss (0.6921) has stayed at the entropy of the class shares (0.6910), where guessing without looking at the ' +
        'images is: the network has learned nothing. Try RESNET, another learning rate (LR), ADAM or evenly mixed batches for ' +
        'many epochs (STRATIFIED).',
    );
  });

  test.each([
    ['learns in the end', epochs(0.69, 0.69, 0.4)],
    ['learned once', epochs(0.69, 0.5, 0.69)],
    ['has hardly begun', epochs(0.69)],
    ['learns a little', epochs(0.69, 0.675)],
    ['learns a little, after a bad beginning', epochs(3.2, 0.675)],
  ])('that %s is not', (_, history) => {
    expect(adviceFor(history)).toBeNull();
  });

  test('with auxiliary heads is measured by the sum of their losses', () => {
    const history = epochs(1.6 * 0.691, 1.6 * 0.69);
    expect(adviceFor(history, { weight: 1.6 })).not.toBeNull();
    expect(adviceFor(epochs(0.9, 0.8), { weight: 1.6 })).toBeNull();
  });

  test('that is lost after one epoch gets advice', () => {
    expect(adviceFor(epochs(2.5))).toMatch(/training loss \(2\.5000\) is above guessing.*0\.6910/);
  });

  test('whose accuracy is the share of the largest class gets advice', () => {
    const facts = { evalCounts: [30, 50], classNames: ['cat', 'dog'] };
    const evaluated = (evalAccuracy: number) => epochs(0.6, 0.5).map((record) => ({ ...record, evalAccuracy }));
    expect(adviceFor(evaluated(0.625), facts)).toMatch(
      /accuracy \(62\.50 %\) is the share of the largest class, dog.*WEIGHTS.*BALANCED.*LR/,
    );
    expect(adviceFor(evaluated(0.625), { evalCounts: [30, 50] })).toContain('the largest class, 1:');
    expect(adviceFor(evaluated(0.6375), facts)).toBeNull();
    expect(adviceFor(evaluated(1), { ...facts, evalCounts: [0, 50] })).toBeNull();
  });

  test('that knows its images by heart gets advice', () => {
    const evaluated = (train: number, evalLoss: number) =>
      epochs(0.6, train).map((record) => ({ ...record, evalLoss }));
    expect(adviceFor(evaluated(0.11, 1.74))).toMatch(
      /validation images \(1\.7400\) is far above that on the training images \(0\.1100\).*TRANSFORMS.*DECAY.*BEST LOSS/,
    );
    expect(adviceFor(evaluated(0.11, 0.3))).toBeNull();
    expect(adviceFor(evaluated(0.01, 0.05))).toBeNull();
    expect(adviceFor(evaluated(0.45, 0.85))).toBeNull();
  });

  test('is not advised to take what it has', () => {
    expect(adviceFor(epochs(0.8, 0.69), { remedies: without('normalized', 'adam') })).toMatch(
      /stayed at the entropy.*Try another learning rate \(LR\)\.$/,
    );
    const clipped = adviceFor(epochs(0.8, 0.73), { remedies: without('clipGradNorm') });
    expect(clipped).toMatch(/above guessing.*lower the learning rate \(LR\) or train longer \(EPOCHS\)\.$/);
  });

  test('that is worse than guessing gets advice, but not that of a loss that stayed there', () => {
    const notice = adviceFor(epochs(0.8, 0.92));
    expect(notice).toMatch(
      /\(0\.92\d*\) is above guessing.*0\.6910.*lower the learning rate \(LR\), clip gradients \(CLIP\)/,
    );
    expect(notice).not.toMatch(/stayed|RESNET/);
  });

  test('with weighted or evenly sampled classes is compared with guessing under the same weights', () => {
    const history = epochs(0.7, 0.69);
    const facts = { classCounts: [90, 10] };
    expect(adviceFor(history, facts)).toContain('above guessing');
    for (const how of [{ classWeight: 'auto' }, { sampler: 'balanced' }, { classWeight: [1, 9] }] as const) {
      expect(adviceFor(history, { ...facts, seenCounts: countsAsSeen([90, 10], how) })).toContain('(0.6931)');
    }
  });

  test('whose accuracy fell back gets the best epoch and advice', () => {
    const history = epochs(0.6, 0.4, 0.3).map((record, i) => ({ ...record, evalAccuracy: [0.7, 0.9125, 0.5][i] }));
    expect(adviceFor(history)).toBe(
      'The accuracy has fallen back: 91.25 % after epoch 2, 50.00 % after epoch 3. Try a lower learning rate (LR), ' +
        'a schedule that lowers it (SCHEDULE) or BEST ACCURACY, which keeps the best weights.',
    );
    expect(adviceFor(history, { remedies: without('schedule', 'bestAccuracy') })).toMatch(
      /Try a lower learning rate \(LR\)\.$/,
    );
    const unevaluated = { ...history[0], evalAccuracy: null };
    expect(adviceFor([history[1], { ...history[2], evalAccuracy: 0.82 }, unevaluated])).toBeNull();
  });

  test('on images of one class has nothing to learn', () => {
    expect(adviceFor(epochs(0.1, 0.1), { classCounts: [9, 0] })).toBeNull();
  });

  test('with a loss of another kind is compared by its accuracy alone', () => {
    const history = epochs(9, 9, 9).map((record, i) => ({ ...record, evalLoss: 99, evalAccuracy: [0.9, 0.9, 0.5][i] }));
    expect(adviceFor(history, { classCounts: null })).toMatch(/^The accuracy has fallen back/);
    expect(adviceFor(history.slice(0, 2), { classCounts: null })).toBeNull();
  });
});
