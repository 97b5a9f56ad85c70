import { describe, expect, it } from 'vitest';
import { BatchPlan } from '../../src/train/batchPlan.js';
import type { TrainOptions } from '../../src/train/options.js';

/** 25 samples in batches of 4: seven batches, the last with one sample. */
const plan = (options: Partial<TrainOptions> = {}) =>
  new BatchPlan({ trainLoader: { length: 7, batchSize: 4, samples: 25 }, epochs: 3, ...options } as TrainOptions);

describe('the batches of a training', () => {
  it('make whole epochs', () => {
    const whole = plan();
    expect([whole.epochs, whole.batchesIn(3), whole.samplesIn(3), whole.smallestBatch(3)]).toEqual([3, 7, 25, 1]);
    expect([whole.stepsLeft(1, 0), whole.stepsLeft(2, 3), whole.stepsLeft(3, 7)]).toEqual([21, 11, 0]);
    expect([0, 1, 6].map((batch) => whole.shareOfStep(1, batch, 4))).toEqual([1, 1, 1]);
  });

  it('end with an incomplete epoch after a number of batches', () => {
    const short = plan({ numIters: 10, initialEpoch: 2 });
    expect([short.epochs, short.batchesIn(3), short.batchesIn(4)]).toEqual([4, 7, 3]);
    expect([short.samplesIn(4), short.smallestBatch(4)]).toEqual([12, 4]);
    expect([short.stepsLeft(3, 0), short.stepsLeft(4, 1)]).toEqual([10, 2]);
  });

  it('make steps of several, of which the last of an epoch is smaller', () => {
    const steps = plan({ accumulateGradBatches: 3 });
    expect([1, 2, 3, 4, 5, 6, 7].filter((batch) => steps.endsStep(1, batch))).toEqual([3, 6, 7]);
    expect(steps.stepsLeft(1, 0)).toBe(9);
    expect(steps.shareOfStep(1, 0, 4)).toBeCloseTo(4 / 12, 12);
    expect(steps.shareOfStep(1, 6, 1)).toBe(1);
  });
});
