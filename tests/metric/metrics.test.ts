import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../src/errors.js';
import { Accuracy, Auc, type Metric, Precision, Recall } from '../../src/metric/index.js';
import { RandomGenerator } from '../../src/random.js';

const copy = (metric: Metric) => JSON.parse(JSON.stringify(metric.stateDict?.()));

describe('Accuracy', () => {
  test('counts over batches, for each k', () => {
    const metric = new Accuracy({ topk: [1, 2] });
    expect(metric.names).toEqual(['acc_top1', 'acc_top2']);
    expect(metric.accumulate()).toEqual([Number.NaN, Number.NaN]);
    metric.update(Float32Array.of(0.1, 0.7, 0.2, 0.5, 0.3, 0.2), [1, 1]);
    expect(metric.accumulate()).toEqual([0.5, 1]);
    // Among equal scores the lower class is the first.
    metric.update(Float32Array.of(0.4, 0.4, 0.2, Number.NaN, 0.1, 0.2), [1, 0]);
    expect(metric.accumulate()).toEqual([0.25, 0.75]);
    const other = new Accuracy({ topk: [1, 2] });
    other.setStateDict(copy(metric));
    expect(other.accumulate()).toEqual(metric.accumulate());
    metric.reset();
    expect(metric.accumulate()[0]).toBeNaN();
  });

  test('refuses what it cannot count', () => {
    expect(() => new Accuracy({ topk: [0] })).toThrow(InputError);
    expect(() => new Accuracy().update(new Float32Array(5), [0, 1])).toThrow(ShapeError);
  });
});

// Predicted positive: 0.5 and more.
const scores = Float32Array.of(0.9, 0.5, 0.4, 0.6, 0.1, 0.2);
const labels = [1, 1, 1, 0, 0, 0];
const both = Float32Array.from([...scores].flatMap((p) => [1 - p, p]));

describe.each([
  ['Precision', new Precision(), 2 / 3, 0],
  ['Recall', new Recall(), 2 / 3, 0],
  ['Auc', new Auc(), 7 / 9, Number.NaN],
] as const)('%s', (_, metric, expected, empty) => {
  test('takes probabilities of class 1 or of both classes, batch by batch', () => {
    metric.reset();
    expect(metric.accumulate()).toEqual([empty]);
    metric.update(scores.subarray(0, 4), labels.slice(0, 4));
    const saved = copy(metric);
    metric.update(scores.subarray(4), labels.slice(4));
    expect(metric.accumulate()[0]).toBeCloseTo(expected, 12);
    metric.setStateDict(saved);
    metric.update(both.subarray(8), labels.slice(4));
    expect(metric.accumulate()[0]).toBeCloseTo(expected, 6);
    expect(() => metric.update(new Float32Array(6), [0, 1])).toThrow(ShapeError);
  });
});

test('Auc distinguishes scores that share a bucket of Paddle', () => {
  const metric = new Auc();
  metric.update(Float32Array.of(0.50001, 0.50002), [0, 1]);
  expect(metric.accumulate()).toEqual([1]);
  metric.reset();
  metric.update(Float32Array.of(0.3, 0.4), [1, 1]);
  expect(metric.accumulate()[0]).toBeNaN();
  // Against the definition: the share of pairs in which the positive one scores higher.
  const generator = new RandomGenerator(3);
  const values = Float32Array.from({ length: 200 }, () => generator.int(50) / 50);
  const truth = Array.from(values, (value) => (generator.uniform() < value ? 1 : 0));
  let won = 0;
  let pairs = 0;
  for (const [i, a] of values.entries()) {
    for (const [j, b] of values.entries()) {
      if (truth[i] !== 1 || truth[j] !== 0) continue;
      pairs++;
      won += a > b ? 1 : a === b ? 0.5 : 0;
    }
  }
  metric.reset();
  metric.update(values, truth);
  expect(metric.accumulate()[0]).toBeCloseTo(won / pairs, 12);
});
