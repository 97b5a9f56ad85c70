import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../src/errors.js';
import {
  brierScore,
  type Calibrator,
  type CalibratorFit,
  calibrate,
  calibration,
  calibrationLine,
  fitCalibrator,
  type LogitSet,
  logLoss,
  logOddsOf,
  topLabelCalibration,
} from '../../src/statistics/index.js';
import { binaryPredictions, expectNumbers, statisticsGolden } from './goldens.js';

const { several, two } = statisticsGolden('calibration');

/** Logits of two classes with these log-odds. */
function logitsOf(logOdds: readonly number[]): Float64Array {
  return Float64Array.from(logOdds.flatMap((odds) => [-odds / 2, odds / 2]));
}

function binary(labels: readonly number[], logOdds: readonly number[]): LogitSet {
  return { labels: Uint8Array.from(labels), logits: logitsOf(logOdds), classes: 2 };
}

function fitted(fit: CalibratorFit): Calibrator {
  if ('reason' in fit) throw new Error(fit.reason);
  return fit;
}

describe.each(several)('SciPy and scikit-learn: temperature of $name', (golden) => {
  const data: LogitSet = {
    labels: Int32Array.from(golden.labels),
    logits: Float64Array.from(golden.logits),
    classes: golden.classes,
  };
  const calibrator = fitted(fitCalibrator('temperature', data));
  const after = { ...data, probabilities: calibrate(calibrator, data.logits, data.classes) };

  test('the temperature, the log loss after it, and the error of the top label', () => {
    expectNumbers(
      [calibrator.method === 'temperature' ? calibrator.temperature : Number.NaN, logLoss(after)],
      [golden.temperature, golden.logLoss],
    );
    expectNumbers([topLabelCalibration(after).expectedCalibrationError], [golden.topLabelError]);
  });

  test('the loss is no higher than before, and at nearby temperatures', () => {
    const lossAt = (temperature: number) =>
      logLoss({
        ...data,
        probabilities: calibrate({ method: 'temperature', temperature }, data.logits, data.classes),
      });
    for (const other of [1, golden.temperature * 1.01, golden.temperature * 0.99]) {
      expect(logLoss(after)).toBeLessThanOrEqual(lossAt(other));
    }
  });
});

describe.each(two)('statsmodels and scikit-learn: $name', (golden) => {
  const data = binary(golden.labels, golden.logOdds);

  test("Platt's scaling", () => {
    const calibrator = fitted(fitCalibrator('platt', data));
    if (calibrator.method !== 'platt') throw new Error(calibrator.method);
    expectNumbers([calibrator.intercept, calibrator.slope], [golden.platt.intercept, golden.platt.slope]);
    const [p] = calibrate(calibrator, logitsOf([2]), 2).slice(1);
    expect(p).toBeCloseTo(1 / (1 + Math.exp(-golden.platt.intercept - 2 * golden.platt.slope)), 6);
  });

  test('isotonic regression, also outside of the fitted range', () => {
    const calibrator = fitted(fitCalibrator('isotonic', data));
    const probabilities = calibrate(calibrator, logitsOf(golden.isotonic.at), 2);
    expectNumbers(
      probabilities.filter((_, i) => i % 2 === 1),
      golden.isotonic.values,
    );
  });

  test('slope, intercept and calibration in the large, with standard errors', () => {
    const line = calibrationLine({ labels: data.labels, logOdds: Float64Array.from(golden.logOdds) });
    if ('reason' in line) throw new Error(line.reason);
    const { slope, intercept, inTheLarge } = line;
    expectNumbers([intercept.value, slope.value], golden.line.values);
    expectNumbers([intercept.standardError, slope.standardError], golden.line.standardErrors);
    expectNumbers(
      [inTheLarge.value, inTheLarge.standardError],
      [golden.inTheLarge.value, golden.inTheLarge.standardError],
    );
    expect(slope.interval[1] - slope.interval[0]).toBeCloseTo(2 * 1.96 * slope.standardError, 4);
  });

  test("on the fitted samples Platt's scaling and isotonic regression improve the Brier score", () => {
    const scoreOf = (probabilities: Float64Array) =>
      brierScore({ labels: data.labels, scores: probabilities.filter((_, i) => i % 2 === 1) });
    const before = scoreOf(calibrate({ method: 'temperature', temperature: 1 }, data.logits, 2));
    for (const method of ['platt', 'isotonic', 'temperature'] as const) {
      const calibrator = fitted(fitCalibrator(method, data));
      expect(scoreOf(calibrate(calibrator, data.logits, 2))).toBeLessThan(before);
      expect(JSON.parse(JSON.stringify(calibrator))).toEqual(calibrator);
    }
  });
});

test('log-odds are the difference of two logits', () => {
  expect([...logOddsOf(Float64Array.of(1, 3, -1, -4))]).toEqual([2, -3]);
});

test('the scale of the log-odds changes nothing but the slope', () => {
  const { labels, logOdds } = two[0];
  const line = (factor: number, shift: number) => {
    const found = calibrationLine({
      labels: Uint8Array.from(labels),
      logOdds: Float64Array.from(logOdds, (odds) => odds * factor + shift),
    });
    if ('reason' in found) throw new Error(found.reason);
    return found.slope;
  };
  expect(line(1e4, 5e5).value * 1e4).toBeCloseTo(line(1, 0).value, 8);
  expect(line(1e-4, 0).standardError * 1e-4).toBeCloseTo(line(1, 0).standardError, 8);
});

describe('none, with the reason', () => {
  const reasonOf = (value: object) => ('reason' in value ? value.reason : value);

  test.each<[string, Calibrator['method'], number[], number[], RegExp]>([
    ['one class only', 'platt', [1, 1, 1], [1, 2, 3], /^all samples are of class 1$/],
    ['one class only', 'isotonic', [0, 0, 0], [1, 2, 3], /^all samples are of class 0$/],
    ['all predictions equal', 'platt', [0, 1, 1], [2, 2, 2], /^all log-odds are equal$/],
    ['all predictions equal', 'isotonic', [0, 1, 1], [2, 2, 2], /constant/],
    ['all predictions equal', 'temperature', [0, 1, 0], [0, 0, 0], /no better than equal probabilities/],
    ['separated classes', 'temperature', [0, 1, 1], [-1, 2, 3], /highest logit at its true class/],
    ['worse than chance', 'temperature', [0, 1, 1], [1, -2, -3], /no better than equal probabilities$/],
    ['falling', 'isotonic', [1, 1, 0], [1, 2, 3], /constant/],
  ])('%s: %s', (_, method, labels, logOdds, reason) => {
    expect(reasonOf(fitCalibrator(method, binary(labels, logOdds)))).toMatch(reason);
  });

  test("Platt's scaling of separated classes has an end", () => {
    const calibrator = fitted(fitCalibrator('platt', binary([0, 0, 1, 1], [-1, -0.5, 0.5, 1])));
    const [low, high] = [calibrate(calibrator, logitsOf([-1]), 2)[1], calibrate(calibrator, logitsOf([1]), 2)[1]];
    expect(low).toBeGreaterThan(0.05);
    expect(high).toBeLessThan(0.95);
    expect(high).toBeGreaterThan(0.7);
  });

  test.each<[string, number[], number[], RegExp]>([
    ['one class only', [1, 1], [0.3, 0.4], /^all 2 samples are of class 1$/],
    ['all log-odds equal', [0, 1], [0.4, 0.4], /^all log-odds are equal$/],
    ['separated classes', [0, 0, 1, 1], [-3, -1, 1, 2], /separate the classes completely$/],
  ])('calibration line: %s', (_, labels, logOdds, reason) => {
    const line = calibrationLine({ labels: Uint8Array.from(labels), logOdds: Float64Array.from(logOdds) });
    expect(reasonOf(line)).toMatch(reason);
  });
});

describe('bad input', () => {
  const good = binary([0, 1, 1], [0.5, 1, -1]);

  test.each<[string, Partial<LogitSet>, RegExp]>([
    ['no samples', { labels: new Uint8Array(0), logits: new Float64Array(0) }, /at least one sample/],
    ['NaN', { logits: Float64Array.of(0, 1, Number.NaN, 0, 1, 2) }, /logit 2: expected a finite number, got NaN/],
    ['infinity', { logits: Float64Array.of(0, 1, 0, 0, 1, Number.POSITIVE_INFINITY) }, /got Infinity/],
    ['a label that is no class', { labels: Uint8Array.of(0, 1, 2) }, /label 2: expected a class from 0 to 1, got 2/],
  ])('%s', (_, change, message) => {
    expect(() => fitCalibrator('temperature', { ...good, ...change })).toThrow(message);
    expect(() => fitCalibrator('isotonic', { ...good, ...change })).toThrow(InputError);
  });

  test('shapes, methods and calibrators', () => {
    expect(() => fitCalibrator('platt', { ...good, classes: 3 })).toThrow(ShapeError);
    const three = { labels: Uint8Array.of(0, 1), logits: new Float64Array(6), classes: 3 };
    expect(() => fitCalibrator('platt', three)).toThrow(/expected temperature for 3 classes, got platt/);
    expect(() => fitCalibrator('beta' as 'platt', good)).toThrow(/expected temperature, platt or isotonic, got beta/);
    expect(() => calibrate({ method: 'temperature', temperature: 0 }, good.logits, 2)).toThrow(/temperature: expected/);
    expect(() => calibrate({ method: 'temperature', temperature: 1 }, Float64Array.of(1), 2)).toThrow(ShapeError);
    expect(() => calibrate({ method: 'platt', slope: 1, intercept: 0 }, new Float64Array(3), 3)).toThrow(InputError);
    const logOdds = Float64Array.of(1, Number.POSITIVE_INFINITY);
    expect(() => calibrationLine({ labels: Uint8Array.of(0, 1), logOdds })).toThrow(/give logits/);
    expect(() => calibrationLine({ labels: Uint8Array.of(0), logOdds })).toThrow(ShapeError);
  });
});

describe('bins of equal mass', () => {
  const scores = [0.1, 0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 1];
  const labels = Uint8Array.from(scores, (score) => Number(score > 0.45));
  const data = { labels, scores: Float64Array.from(scores) };

  test('hold about the same number of samples, and never divide equal scores', () => {
    const { bins, expectedCalibrationError } = calibration(data, { bins: 5, binning: 'mass' });
    expect(bins.map(({ positives }) => positives.total)).toEqual([3, 1, 2, 2, 2]);
    expect(bins.map(({ low, high }) => [low, high])).toEqual([
      [0, 0.1],
      [0.1, 0.2],
      [0.2, 0.4],
      [0.4, 0.6],
      [0.6, 1],
    ]);
    expect(expectedCalibrationError).toBeCloseTo((0.3 + 0.2 + 0.7 + 0.9 + 0.1) / 10, 12);
  });

  test('one bin if all scores are equal', () => {
    const { bins } = calibration({ labels, scores: new Float64Array(10).fill(0.5) }, { binning: 'mass' });
    expect(bins).toHaveLength(1);
    expect(bins[0]).toMatchObject({ low: 0, high: 1, meanScore: 0.5 });
  });
});

test('the top label of two classes, right and wrong', () => {
  const { bins, expectedCalibrationError } = topLabelCalibration(binaryPredictions([0, 1, 1], [0.25, 0.25, 0.75]), {
    bins: 2,
  });
  expect(bins[1].positives).toMatchObject({ hits: 2, total: 3 });
  expect(expectedCalibrationError).toBeCloseTo(0.75 - 2 / 3, 12);
});
