import { describe, expect, test } from 'vitest';
import { plateauNotice, priorEntropy } from '../../src/model/plateau.js';
import type { EpochRecord } from '../../src/model/trainer.js';

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

  test('that stays at the entropy of the class shares is told so, with the figures and what to try', () => {
    const notice = plateauNotice(epochs(0.7251, 0.6934, 0.6921), counts);
    expect(notice).toContain('(0.6921)');
    expect(notice).toContain('(0.6910)');
    expect(notice).toMatch(/resnet50.*--lr.*--optimizer adam/);
  });

  test.each([
    ['learns in the end', epochs(0.69, 0.69, 0.4)],
    ['learned once', epochs(0.69, 0.5, 0.69)],
    ['has hardly begun', epochs(0.69)],
    ['learns a little', epochs(0.69, 0.675)],
  ])('that %s is not', (_, history) => {
    expect(plateauNotice(history, counts)).toBeNull();
  });

  test('with auxiliary heads is measured by the sum of their losses', () => {
    const history = epochs(1.6 * 0.691, 1.6 * 0.69);
    expect(plateauNotice(history, counts, 1.6)).not.toBeNull();
    expect(plateauNotice(epochs(0.9, 0.8), counts, 1.6)).toBeNull();
  });

  test('on images of one class has nothing to learn', () => {
    expect(plateauNotice(epochs(0.1, 0.1), [9, 0])).toBeNull();
  });
});
