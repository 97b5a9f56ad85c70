import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../src/errors.js';
import {
  abstentionCurve,
  atCoverage,
  bootstrap,
  chooseOperatingPoint,
  decisionCurve,
  predictiveValuesAt,
  prepareNetBenefit,
  samplesForAuc,
  samplesForShare,
  samplesForStudy,
  thresholdMetrics,
  wilsonInterval,
} from '../../src/statistics/index.js';
import { binaryPredictions, expectNumbers, statisticsGolden } from './goldens.js';

const golden = statisticsGolden('curves');
const data = { labels: Uint8Array.from(golden.labels), scores: Float64Array.from(golden.scores) };

describe('decision curve', () => {
  test.each(golden.decision)('dcurves, prevalence $prevalence', ({ prevalence, model, all }) => {
    const points = decisionCurve(data, {
      thresholds: golden.thresholds,
      ...(prevalence === null ? {} : { prevalence }),
    });
    expectNumbers(
      points.map((point) => point.model.value),
      model,
    );
    expectNumbers(
      points.map((point) => point.all.value),
      all,
    );
    points.forEach(({ interventionsAvoided }, i) => {
      const odds = golden.thresholds[i] / (1 - golden.thresholds[i]);
      expectNumbers([interventionsAvoided.value], [(model[i] - all[i]) / odds]);
    });
  });

  test('99 thresholds are the default', () => {
    const points = decisionCurve(data);
    expect(points.map(({ threshold }) => threshold)).toHaveLength(99);
    expect(points[98].threshold).toBe(0.99);
  });

  test('a net benefit has a bootstrap interval', () => {
    const found = bootstrap(prepareNetBenefit(data, 0.3, 0.1), { samples: 200, resamples: 400 });
    expect(found.interval?.[0]).toBeLessThan(found.value ?? Number.NaN);
    expect(found.interval?.[1]).toBeGreaterThan(found.value ?? Number.NaN);
  });

  test('one class only: none at another prevalence', () => {
    const only = { labels: Uint8Array.of(1, 1), scores: Float64Array.of(0.2, 0.8) };
    const [point] = decisionCurve(only, { thresholds: [0.5], prevalence: 0.1 });
    for (const value of [point.model, point.all, point.interventionsAvoided]) {
      expect(value).toEqual({ value: null, reason: expect.stringMatching(/^no sample is of class 0/) });
    }
    expect(decisionCurve(only, { thresholds: [0.5] })[0].model).toEqual({ value: 0.5 });
  });

  test.each([0, 1, -0.5, Number.NaN])('threshold %d is refused', (threshold) => {
    expect(() => decisionCurve(data, { thresholds: [threshold] })).toThrow(/threshold: expected a probability/);
  });

  test.each([-0.1, 1.1, Number.NaN])('prevalence %d is refused', (prevalence) => {
    expect(() => decisionCurve(data, { prevalence })).toThrow(/prevalence: expected a share from 0 to 1/);
  });

  test('logits are refused', () => {
    expect(() => decisionCurve({ labels: Uint8Array.of(0), scores: Float64Array.of(3) })).toThrow(InputError);
  });
});

describe('predictive values at a prevalence', () => {
  const measured = thresholdMetrics(data, 0.5);

  test('at the prevalence of the set they are those of the set', () => {
    const positives = golden.labels.filter((label) => label === 1).length;
    const { ppv, npv } = predictiveValuesAt(measured, positives / golden.labels.length);
    expectNumbers([ppv.value, npv.value], [measured.ppv.value, measured.npv.value]);
  });

  test('intervals of the delta method, computed by hand', () => {
    // Sensitivity 0.9 of 100, specificity 0.8 of 200, prevalence 0.1: odds of PPV 0.09/0.18, variance 0.1/90 + 0.8/40.
    const { ppv, npv } = predictiveValuesAt(
      {
        sensitivity: { hits: 90, total: 100, value: 0.9, interval: null },
        specificity: { hits: 160, total: 200, value: 0.8, interval: null },
      },
      0.1,
    );
    const around = (logit: number, variance: number) =>
      [-1, 1].map((sign) => 1 / (1 + Math.exp(-logit - sign * 1.959963984540054 * Math.sqrt(variance))));
    expectNumbers('interval' in ppv ? (ppv.interval ?? []) : [], around(Math.log(0.5), 10 / 9000 + 4 / 200));
    expectNumbers('interval' in npv ? (npv.interval ?? []) : [], around(Math.log(72), 9 / 100 + 1 / 4 / 200));
  });

  test('no interval at the ends, and none without both classes', () => {
    const all = thresholdMetrics({ labels: Uint8Array.of(0, 1), scores: Float64Array.of(0.1, 0.9) });
    expect(predictiveValuesAt(all, 0.2)).toEqual({
      ppv: { value: 1, interval: null },
      npv: { value: 1, interval: null },
    });
    const never = thresholdMetrics({ labels: Uint8Array.of(0, 1), scores: Float64Array.of(0.1, 0.2) });
    expect(predictiveValuesAt(never, 0.2).ppv).toEqual({ value: null, reason: 'no sample would be called positive' });
    const one = thresholdMetrics({ labels: Uint8Array.of(1), scores: Float64Array.of(0.9) });
    expect(predictiveValuesAt(one, 0.2).npv).toEqual({ value: null, reason: 'there is no specificity' });
    expect(predictiveValuesAt(measured, 0).ppv).toEqual({ value: 0, interval: null });
  });

  test.each([-0.01, 1.5, Number.NaN])('prevalence %d is refused', (prevalence) => {
    expect(() => predictiveValuesAt(measured, prevalence)).toThrow(/prevalence: expected a share from 0 to 1/);
  });
});

describe('abstention curve', () => {
  const predictions = binaryPredictions([1, 0, 1, 0, 1], [0.9, 0.2, 0.3, 0.3, 0.6]);

  test('errors among the surest samples', () => {
    const { points, area } = abstentionCurve(predictions);
    expect(points.map(({ coverage, errors }) => [coverage, errors.hits, errors.total])).toEqual([
      [0.2, 0, 1],
      [0.4, 0, 2],
      [0.8, 1, 4],
      [1, 1, 5],
    ]);
    expect(points.map(({ threshold }) => threshold)).toEqual([0.9, 0.8, 0.7, 0.6]);
    expect(area).toBeCloseTo((0 + 0 + 2 * 0.25 + 0.2) / 5, 12);
  });

  test.each(statisticsGolden('abstention'))('torch-uncertainty: $classes classes', (expected) => {
    const { classes, labels, probabilities } = expected;
    const { points, area } = abstentionCurve({
      classes,
      labels: Int32Array.from(labels),
      probabilities: Float64Array.from(probabilities),
    });
    expectNumbers(
      points.map(({ errors }) => errors.value),
      expected.errors,
    );
    expectNumbers([area], [expected.area]);
  });

  test('without an order the area is the share of errors', () => {
    expect(abstentionCurve(predictions, new Float64Array(5).fill(1))).toMatchObject({
      area: 0.2,
      points: [{ coverage: 1 }],
    });
  });

  test('a confidence of the caller comes first', () => {
    const { points } = abstentionCurve(predictions, [1, 2, 9, 3, 4]);
    expect(points[0]).toMatchObject({ threshold: 9, errors: { hits: 1, total: 1 } });
  });

  test('the point at a coverage', () => {
    const curve = abstentionCurve(predictions);
    expect(atCoverage(curve, 0.5).coverage).toBe(0.8);
    expect(atCoverage(curve, 0.4).coverage).toBe(0.4);
    for (const coverage of [0, 1.1, -1, Number.NaN]) expect(() => atCoverage(curve, coverage)).toThrow(InputError);
  });

  test('bad input', () => {
    expect(() => abstentionCurve(predictions, [1])).toThrow(ShapeError);
    expect(() => abstentionCurve(predictions, [1, 2, Number.NaN, 3, 4])).toThrow(/confidence 2: expected a finite/);
  });
});

describe('sample sizes', () => {
  test.each(golden.sizes)('statsmodels: share $share ± $halfWidth', ({ share, halfWidth, samples }) => {
    expect(samplesForShare(share, halfWidth)).toBe(samples);
    const [low, high] = wilsonInterval(share * samples, samples);
    expect(high - low).toBeLessThanOrEqual(2 * halfWidth);
  });

  test('of a study by its prevalence', () => {
    const wanted = { sensitivity: 0.9, specificity: 0.9, prevalence: 0.1, halfWidth: 0.05 };
    const { positives, negatives, samples } = samplesForStudy(wanted);
    expect(positives).toBe(samplesForShare(0.9, 0.05));
    expect(negatives).toBe(positives);
    expect(samples).toBe(10 * positives);
    expect(samplesForStudy({ ...wanted, prevalence: 0.5 }).samples).toBe(2 * positives);
  });

  test.each(statisticsGolden('areas').sizes)('PyCM: area $auc ± $halfWidth at $prevalence', (expected) => {
    const { auc, prevalence, halfWidth, positives, negatives } = expected;
    const found = samplesForAuc({ auc, prevalence, halfWidth });
    expect(found).toEqual({ positives, negatives, samples: positives + negatives });
  });

  test('area 0.893 of 51 and 58 samples has a standard error of 0.032 (Hanley & McNeil 1982, table II)', () => {
    const published = samplesForAuc({ auc: 0.893, prevalence: 51 / 109, halfWidth: 1.959964 * 0.032 });
    expect(Math.abs(published.samples - 109)).toBeLessThanOrEqual(4);
  });

  test.each([0, 0.5, -1, Number.NaN])('half-width %d is refused', (halfWidth) => {
    expect(() => samplesForShare(0.9, halfWidth)).toThrow(/halfWidth: expected a number between 0 and 0.5/);
    expect(() => samplesForAuc({ auc: 0.9, prevalence: 0.5, halfWidth })).toThrow(InputError);
  });

  test('shares, areas and prevalences out of range are refused', () => {
    const wanted = { sensitivity: 0.9, specificity: 0.9, prevalence: 0.1, halfWidth: 0.05 };
    for (const prevalence of [0, 1, 2, Number.NaN]) {
      expect(() => samplesForStudy({ ...wanted, prevalence })).toThrow(/prevalence: expected a share between 0 and 1/);
    }
    expect(() => samplesForStudy({ ...wanted, sensitivity: 1.1 })).toThrow(/share: expected a share from 0 to 1/);
    for (const auc of [0, 1, Number.NaN]) {
      expect(() => samplesForAuc({ auc, prevalence: 0.5, halfWidth: 0.1 })).toThrow(/auc: expected an area/);
    }
    expect(() => samplesForShare(0.5, 1e-6)).toThrow(/a billion samples/);
  });
});

describe('operating point of the lowest cost', () => {
  const costAt = (threshold: number, missedCost: number, prevalence: number) => {
    const { sensitivity, specificity } = thresholdMetrics(data, threshold);
    return prevalence * missedCost * (1 - (sensitivity.value ?? 0)) + (1 - prevalence) * (1 - (specificity.value ?? 0));
  };

  test.each([
    [1, 0.45],
    [10, 0.05],
    [0.2, 0.3],
    [100, 0.5],
    [0.001, 0.5],
  ])('a miss costs %d false alarms, prevalence %d: no threshold is cheaper', (missedCost, prevalence) => {
    const { threshold, rule } = chooseOperatingPoint(data, { missedCost, prevalence });
    const cost = costAt(threshold, missedCost, prevalence);
    for (const other of [...golden.scores, 1.1]) {
      expect(cost).toBeLessThanOrEqual(costAt(other, missedCost, prevalence) + 1e-12);
    }
    expect(rule).toEqual({ missedCost, prevalence });
  });

  test('the prevalence of the set is the default', () => {
    const prevalence = golden.labels.filter((label) => label === 1).length / golden.labels.length;
    const { threshold } = chooseOperatingPoint(data, { missedCost: 3 });
    expect(threshold).toBe(chooseOperatingPoint(data, { missedCost: 3, prevalence }).threshold);
  });

  test('calls nothing positive where misses cost next to nothing', () => {
    const { chosenOn } = chooseOperatingPoint(
      { labels: Uint8Array.of(0, 1, 0), scores: Float64Array.of(0.9, 0.5, 0.1) },
      { missedCost: 0.01 },
    );
    expect(chosenOn.truePositives + chosenOn.falsePositives).toBe(0);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('cost %d is refused', (missedCost) => {
    expect(() => chooseOperatingPoint(data, { missedCost })).toThrow(/missedCost: expected a number above 0/);
  });

  test('prevalences out of range and sets of one class are refused', () => {
    for (const prevalence of [0, 1, -1, Number.NaN]) {
      expect(() => chooseOperatingPoint(data, { missedCost: 1, prevalence })).toThrow(/prevalence: expected/);
    }
    const only = { labels: Uint8Array.of(1, 1), scores: Float64Array.of(0.2, 0.8) };
    expect(() => chooseOperatingPoint(only, { missedCost: 1 })).toThrow(/expected samples of class 0/);
  });
});
