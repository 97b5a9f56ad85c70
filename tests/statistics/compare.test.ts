import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../src/errors.js';
import { RandomGenerator } from '../../src/random.js';
import {
  compareAucs,
  compareModels,
  holm,
  type MetricInput,
  mcnemar,
  undistinguished,
} from '../../src/statistics/index.js';
import { mcnemarOfCounts } from '../../src/statistics/mcnemar.js';
import { binaryPredictions, expectNumbers, statisticsGolden } from './goldens.js';

const golden = statisticsGolden('comparisons');

test.each(golden.delong)("DeLong's paired test: $name", (expected) => {
  const labels = Uint8Array.from(expected.labels);
  const found = compareAucs({ labels, scores: Float64Array.from(expected.a) }, Float64Array.from(expected.b));
  if (found.value === null) throw new Error(found.reason);
  expectNumbers(found.areas, expected.areas);
  expectNumbers(
    [found.value, found.standardError, found.z, found.pValue, ...found.interval],
    [expected.difference, expected.standardError, expected.z, expected.pValue, ...expected.interval],
  );
});

test.each(golden.mcnemar)(
  'statsmodels: McNemar of $onlyA and $onlyB',
  ({ onlyA, onlyB, exact, statistic, corrected }) => {
    const found = mcnemarOfCounts(onlyA, onlyB);
    expectNumbers([found.exact, found.statistic, found.corrected], [exact, statistic, corrected]);
  },
);

test.each(golden.holm)('statsmodels: Holm of $values', ({ values, adjusted }) => {
  expectNumbers(holm(values), adjusted);
});

test('McNemar counts samples', () => {
  const found = mcnemar({ labels: [0, 1, 2, 0, 1], a: [0, 1, 2, 1, 1], b: [0, 0, 2, 2, 0] });
  expect(found).toMatchObject({ both: 2, onlyA: 2, onlyB: 0, neither: 1 });
  expect(found.exact).toBeCloseTo(0.5, 12);
  expect(mcnemar({ labels: [0, 1], a: [0, 0], b: [0, 0] })).toMatchObject({
    exact: 1,
    statistic: null,
    corrected: null,
  });
});

test('McNemar refuses bad input', () => {
  expect(() => mcnemar({ labels: [], a: [], b: [] })).toThrow(/labels: expected at least one sample/);
  expect(() => mcnemar({ labels: [0, 1], a: [0, 1], b: [0] })).toThrow(ShapeError);
  expect(() => mcnemar({ labels: [0, 1], a: [0, Number.NaN], b: [0, 1] })).toThrow(/a 1: expected a class/);
});

test("DeLong's paired test has none where there is no variance", () => {
  const labels = Uint8Array.of(0, 1, 0, 1, 1);
  const scores = Float64Array.of(0.1, 0.8, 0.5, 0.4, 0.9);
  expect(compareAucs({ labels, scores }, scores)).toMatchObject({
    value: null,
    reason: expect.stringMatching(/same order/),
  });
  const constant = new Float64Array(5).fill(0.5);
  expect(compareAucs({ labels, scores: constant }, constant).value).toBeNull();
  const single = compareAucs({ labels: Uint8Array.of(0, 0, 1), scores: scores.slice(0, 3) }, constant.slice(0, 3));
  expect(single).toMatchObject({ value: null, reason: expect.stringMatching(/got 2 of class 0 and 1 of class 1/) });
  expect(() => compareAucs({ labels, scores }, scores.slice(1))).toThrow(ShapeError);
  expect(() => compareAucs({ labels, scores }, Float64Array.of(0.1, 0.2, 0.3, 0.4, Number.NaN))).toThrow(/got NaN/);
});

test.each([[[Number.NaN]], [[0.2, 1.1]], [[-0.1]]])('Holm refuses %j', (values) => {
  expect(() => holm(values)).toThrow(InputError);
});

test('Holm of nothing is nothing', () => expect(holm([])).toEqual([]));

describe('undistinguished', () => {
  const differing =
    (...pairs: readonly [number, number][]) =>
    (i: number, j: number) =>
      pairs.some(([a, b]) => a === i && b === j);

  test('overlapping groups of a chain', () => {
    expect(undistinguished(4, differing([0, 2], [0, 3], [1, 3]))).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  test('all alike, all different, one, none', () => {
    expect(undistinguished(3, () => false)).toEqual([[0, 1, 2]]);
    expect(undistinguished(3, () => true)).toEqual([[0], [1], [2]]);
    expect(undistinguished(1, () => true)).toEqual([[0]]);
    expect(undistinguished(0, () => true)).toEqual([]);
  });
});

describe('compareModels', () => {
  const random = new RandomGenerator(8);
  const labels = Array.from({ length: 300 }, (_, i) => Number(i % 3 === 0));
  const noise = labels.map(() => random.normal());
  const model = (skill: number, own = 0.3): MetricInput => {
    const scores = labels.map(
      (label, i) => 1 / (1 + Math.exp(-(skill * label + noise[i] + own * random.normal() - 1))),
    );
    return binaryPredictions(labels, scores);
  };
  const [good, alike, bad] = [model(2.4), model(2.35), model(0.6)];

  test('DeLong for AUCs, McNemar for accuracies, the bootstrap for others; with groups DeLong of groups and the bootstrap', () => {
    const pair = (metric: 'auc' | 'accuracy' | 'f1', groups?: number[]) => {
      const [found] = compareModels([good, bad], metric, { resamples: 500, groups }).pairs;
      return found;
    };
    const auc = pair('auc');
    const scores = (m: MetricInput) => Float64Array.from(labels, (_, i) => m.probabilities[2 * i + 1]);
    const direct = compareAucs({ labels: Uint8Array.from(labels), scores: scores(good) }, scores(bad));
    expect(auc.test).toBe('delong');
    expect(auc.pValue.value).toBe(direct.value === null ? null : direct.pValue);
    expect(auc.difference.value).toBeCloseTo(direct.value ?? Number.NaN, 12);
    expect(pair('accuracy').test).toBe('mcnemar');
    expect(pair('f1').test).toBe('bootstrap');
    const groups = labels.map((_, i) => Math.floor(i / 3));
    const grouped = pair('auc', groups);
    const clustered = compareAucs({ labels: Uint8Array.from(labels), scores: scores(good) }, scores(bad), { groups });
    expect(grouped.test).toBe('delong');
    expect(grouped.pValue.value).toBe(clustered.value === null ? null : clustered.pValue);
    expect(grouped.pValue.value).not.toBe(auc.pValue.value);
    expect(pair('accuracy', groups).test).toBe('bootstrap');
    expect(grouped.difference.groups).toBe(100);
  });

  test('finds the difference that is there, and groups the models that are alike', () => {
    const found = compareModels([good, bad, alike], 'auc', { resamples: 500 });
    expect(found.undistinguished).toEqual([[0, 2], [1]]);
    expect(found.pairs.map(({ a, b }) => [a, b])).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
    ]);
    const adjusted = found.pairs.map((pair) => pair.adjusted ?? 1);
    expectNumbers(adjusted, holm(found.pairs.map(({ pValue }) => pValue.value ?? 1)));
    expect(found.models.map(({ value }) => value)).toHaveLength(3);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  test('the interval of the difference is that of paired resamples, shorter than of unpaired ones', () => {
    const { pairs, models } = compareModels([good, alike], 'auc', { resamples: 500 });
    const width = (interval: readonly number[] | null) => (interval?.[1] ?? 0) - (interval?.[0] ?? 0);
    expect(width(pairs[0].difference.interval)).toBeLessThan(0.7 * width(models[0].interval));
  });

  test('models that are the same are not distinguished', () => {
    for (const metric of ['auc', 'brierScore', 'accuracy'] as const) {
      const found = compareModels([good, good], metric, { resamples: 200 });
      expect(found.undistinguished).toEqual([[0, 1]]);
      expect(found.pairs[0].difference).toMatchObject({ value: 0, interval: null });
    }
  });

  test('a metric without a value has the reason', () => {
    const only = binaryPredictions([1, 1], [0.3, 0.4]);
    const { pairs } = compareModels([only, only], 'specificity', { resamples: 100 });
    expect(pairs[0].pValue).toEqual({ value: null, reason: 'no sample is of another class' });
    expect(pairs[0].adjusted).toBeNull();
    expect(pairs[0].difference).toMatchObject({ value: null, interval: null });
  });

  test('bad input', () => {
    const other = binaryPredictions([0, 1], [0.1, 0.2]);
    expect(() => compareModels([good], 'auc')).toThrow(/models: expected at least two, got 1/);
    expect(() => compareModels([good, other], 'auc')).toThrow(/samples of model 1: expected the 300 of model 0, got 2/);
    const flipped = { ...good, labels: good.labels.map((label, i) => (i === 4 ? 1 - label : label)) };
    expect(() => compareModels([good, flipped], 'auc')).toThrow(
      /label 4 of model 1: expected 0, as for model 0, got 1/,
    );
    expect(() => compareModels([good, { ...bad, positive: 0 }], 'auc')).toThrow(/positive of model 1/);
    expect(() => compareModels([good, bad], 'auc', { significance: 0 })).toThrow(/significance/);
    expect(() => compareModels([good, bad], 'auc', { groups: [1] })).toThrow(ShapeError);
  });
});
