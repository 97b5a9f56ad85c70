import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../src/errors.js';
import {
  averagePrecision,
  type BinaryScores,
  brierScore,
  calibration,
  chooseOperatingPoint,
  precisionRecallCurve,
  predictiveValues,
  rocAuc,
  rocCurve,
  screeningMetrics,
  thresholdMetrics,
  wilsonInterval,
} from '../../src/statistics/index.js';
import { closeTo, loadGolden } from '../goldens/load.js';

/** The golden file has ten decimals. */
const tolerance = 1e-10;

const goldens = loadGolden('screening').cases.map((golden) => ({
  ...golden,
  data: { labels: Int32Array.from(golden.labels.data), scores: Float32Array.from(golden.scores.data) },
}));
const bothClasses = goldens.filter(({ roc }) => roc !== null);

/** Thresholds of curves stand in the golden file as float32's decimals. */
function exact<T extends { readonly thresholds: readonly (number | null)[] }>(curve: T | null): T | null {
  const thresholds = curve?.thresholds.map((value) => (value === null ? null : Math.fround(value)));
  return curve && { ...curve, thresholds };
}

/** All numbers within, in order; texts and nulls are compared as they are. */
function expectClose(actual: unknown, expected: unknown): void {
  const numbers: [number[], number[]] = [[], []];
  const skeleton = (value: unknown, i: 0 | 1) =>
    JSON.parse(JSON.stringify(value), (_, item) => (typeof item === 'number' ? numbers[i].push(item) && 0 : item));
  expect(skeleton(actual, 0)).toEqual(skeleton(expected, 1));
  closeTo(numbers[0], numbers[1], 0, tolerance);
}

/** The golden file has values alone. */
const withoutReasons = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (key, item) => (key === 'reason' ? undefined : item)));

function binary(labels: readonly number[], scores: readonly number[]): BinaryScores {
  return { labels: Uint8Array.from(labels), scores: Float64Array.from(scores) };
}

describe.each(goldens)('scikit-learn: $name', (golden) => {
  const { data } = golden;

  test('area under the ROC curve with its interval', () => {
    const found = rocAuc(data);
    if (golden.auc === null) expect(found).toEqual({ value: null, reason: expect.stringMatching(/^all 4 samples/) });
    else expectClose(found, golden.auc);
  });

  const scored = (...scores: number[]) => ({ labels: Int32Array.of(0, 1), scores: Float64Array.from(scores) });

  test('a score on an edge belongs to the bin below it, however the edge is rounded', () => {
    for (const bins of [3, 7, 10, 49, 100, 1000]) {
      for (let edge = 0; edge <= bins; edge++) {
        const score = edge / bins;
        const { bins: found } = calibration(scored(score, score), { bins });
        expect(found.findIndex(({ positives }) => positives.total === 2)).toBe(Math.max(0, edge - 1));
      }
    }
    const above = calibration(scored(0.55, 0.5500001), { bins: 100 }).bins;
    expect([above[54].positives.total, above[55].positives.total]).toEqual([1, 1]);
  });

  test('calibration and Brier score', () => {
    const { counts, positives, means, expectedCalibrationError } = golden.calibration;
    const found = calibration(data);
    expect(found.bins.map((bin) => bin.positives.total)).toEqual(counts);
    expect(found.bins.map((bin) => bin.positives.hits)).toEqual(positives);
    expectClose(
      found.bins.map((bin) => bin.meanScore),
      means,
    );
    expectClose([found.expectedCalibrationError, brierScore(data)], [expectedCalibrationError, golden.brierScore]);
    expect(found.bins[2]).toMatchObject({ low: 0.2, high: 0.3 });
  });

  test('confusion matrix and shares with intervals at 0.5', () => {
    expectClose(withoutReasons(thresholdMetrics(data)), golden.atHalf);
  });

  test('all metrics at once are the same, and survive JSON', () => {
    const { roc, precisionRecall, ...metrics } = screeningMetrics(data);
    expectClose(
      [roc, precisionRecall, metrics.averagePrecision],
      [exact(golden.roc), exact(golden.precisionRecall), golden.averagePrecision],
    );
    expect(metrics.samples).toBe(golden.labels.data.length);
    expect(metrics.prevalence.hits).toBe(golden.labels.data.filter((label) => label === 1).length);
    expect(metrics.auc).toEqual(rocAuc(data));
    expect(metrics.atThreshold).toEqual(thresholdMetrics(data));
    expect(metrics.atOperatingPoint).toBeNull();
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  });
});

test.each(bothClasses)('operating points: $name', ({ data, points }) => {
  for (const { rule, chosenOn } of points) {
    const point = chooseOperatingPoint(data, rule);
    expect(point.threshold).toBe(chosenOn.threshold);
    expectClose(withoutReasons(point.chosenOn), chosenOn);
  }
});

test('an operating point is applied unchanged to another set', () => {
  const [first, second] = goldens;
  const operatingPoint = chooseOperatingPoint(first.data, { sensitivity: 0.95 });
  const metrics = screeningMetrics({ ...second.data, threshold: 0.7, operatingPoint });
  expect(metrics.operatingPoint).toEqual(operatingPoint);
  expect(metrics.atOperatingPoint).toEqual(thresholdMetrics(second.data, operatingPoint.threshold));
  expect(metrics.atThreshold.threshold).toBe(0.7);
});

test('a score of exactly the threshold is positive', () => {
  const metrics = thresholdMetrics(binary([1, 0, 1, 0], [0.5, 0.5, 0.49, 0.2]));
  expect(metrics).toMatchObject({ truePositives: 1, falsePositives: 1, trueNegatives: 1, falseNegatives: 1 });
});

test('where the highest scores are all negatives, full specificity takes a threshold above them', () => {
  const { threshold, chosenOn } = chooseOperatingPoint(binary([0, 1], [1, 1]), { specificity: 1 });
  expect(threshold).toBe(1 + Number.EPSILON);
  expect(chosenOn.specificity.value).toBe(1);
  expect(chosenOn.ppv).toEqual({
    hits: 0,
    total: 0,
    value: null,
    interval: null,
    reason: 'no sample is called positive',
  });
  expect(chooseOperatingPoint(binary([0, 1], [0, 0]), { specificity: 1 }).threshold).toBe(Number.MIN_VALUE);
});

test('predictive values at another prevalence', () => {
  // 1,000 people, 20 of them ill: 18 found, 98 false alarms.
  const { ppv, npv } = predictiveValues({ sensitivity: 0.9, specificity: 0.9, prevalence: 0.02 });
  expect(ppv).toBeCloseTo(18 / (18 + 98), 12);
  expect(npv).toBeCloseTo(882 / (882 + 2), 12);
  expect(predictiveValues({ sensitivity: 0, specificity: 1, prevalence: 0.5 })).toEqual({ ppv: null, npv: 0.5 });
});

test.each([
  // From the closed form, and as published: 81/263 (Newcombe 1998, table I), 0/20.
  [81, 263, 0.2553, 0.3662],
  [0, 20, 0, 0.1611],
  [20, 20, 0.8389, 1],
])('Wilson interval of %i of %i', (hits, total, low, high) => {
  const interval = wilsonInterval(hits, total);
  expect(interval[0]).toBeCloseTo(low, 4);
  expect(interval[1]).toBeCloseTo(high, 4);
});

describe('bad input', () => {
  const good = binary([0, 1], [0.2, 0.8]);

  test.each([
    ['as many', binary([0, 1, 1], [0.2, 0.8]), ShapeError, 'scores: expected one for each of 3 labels, got 2'],
    ['some', binary([], []), InputError, 'labels: expected at least one sample, got none'],
    ['classes', binary([0, 2], [0.2, 0.8]), InputError, 'label 1: expected 0 or 1, got 2'],
    ['logits', binary([0, 1], [0.2, 1.8]), InputError, 'score 1: expected a probability from 0 to 1, got 1.8; apply'],
    ['negative', binary([0, 1], [-0.2, 0.8]), InputError, 'score 0: expected a probability from 0 to 1, got -0.2'],
    ['NaN', binary([0, 1], [0.2, Number.NaN]), InputError, 'score 1: expected a probability from 0 to 1, got NaN'],
  ])('%s', (_, data, kind, message) => {
    const calls = {
      rocAuc,
      rocCurve,
      precisionRecallCurve,
      brierScore,
      calibration,
      thresholdMetrics,
      chooseOperatingPoint: (bad: BinaryScores) => chooseOperatingPoint(bad, 'youden'),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect(() => call(data)).toThrow(`[${name}] ${message}`);
      expect(() => call(data)).toThrow(kind);
    }
    expect(() => averagePrecision(data)).toThrow(kind);
    expect(() => screeningMetrics(data)).toThrow(kind);
  });

  test.each([
    [() => rocCurve(binary([1, 1], [0.2, 0.8])), 'both classes, got 0 of class 0 and 2 of class 1'],
    [() => precisionRecallCurve(binary([0], [0.2])), 'at least one sample of class 1, got none'],
    [() => chooseOperatingPoint(binary([0], [0.2]), { sensitivity: 0.9 }), 'samples of class 1'],
    [() => chooseOperatingPoint(binary([1], [0.2]), { specificity: 0.9 }), 'samples of class 0'],
    [() => chooseOperatingPoint(binary([1], [0.2]), 'youden'), 'samples of class 0'],
    [() => chooseOperatingPoint(good, { sensitivity: 95 }), 'sensitivity: expected a share from 0 to 1, got 95'],
    [() => chooseOperatingPoint(good, { specificity: Number.NaN }), 'specificity: expected a share from 0 to 1'],
    [() => thresholdMetrics(good, Number.NaN), 'threshold: expected a finite number, got NaN'],
    [() => calibration(good, { bins: 0 }), 'bins: expected an integer from 1 to 1000000, got 0'],
    [() => predictiveValues({ sensitivity: 1, specificity: 1, prevalence: 2 }), 'prevalence: expected a share'],
    [() => wilsonInterval(0, 0), 'expected hits from 0 to a total above 0, got 0 of 0'],
    [() => wilsonInterval(3, 2), 'got 3 of 2'],
  ])('%s', (call, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(InputError);
  });
});
