import { describe, expect, test } from 'vitest';
import type { RunConfig } from '../../src/run/config.js';
import { appliedChoice, describeFit, lackingCalibration } from '../../src/run/decisions/applied.js';
import { calibratedEvaluation } from '../../src/run/decisions/calibrated.js';
import { type ChoosingSamples, chooseDecision } from '../../src/run/decisions/choose.js';
import { optimismNote } from '../../src/run/results/selection.js';
import { calibrate, calibrationLine, calibrationSummary } from '../../src/statistics/index.js';
import { evaluationOf } from '../../src/train/evaluate.js';

const about = { weights: 'last', weightsSha256: 'a'.repeat(64), part: 'validation' } as const;

/** As much of a record as the choice reads. */
function config(changes: Partial<RunConfig> = {}, classNames = ['healthy', 'sick']): RunConfig {
  const two = classNames.length === 2;
  return {
    data: { classNames, name: 'folder' },
    recipe: {},
    operatingRule: two ? { sensitivity: 0.75 } : null,
    ...(two && { positive: 'sick' }),
    ...changes,
  } as RunConfig;
}

/** Samples of a network with one logit more for class 1. */
function samples(labels: readonly number[], odds: readonly number[]): ChoosingSamples {
  const logits = Float32Array.from(odds.flatMap((value) => [0, value]));
  const probabilities = Float32Array.from(calibrate({ method: 'temperature', temperature: 1 }, logits, 2));
  return { labels: Int32Array.from(labels), probabilities, logits };
}

const overlapping = samples([0, 0, 0, 0, 1, 1, 1, 1], [-9, -6, -4, 5, -1, 3, 6, 9]);

describe('a choice on the validation images', () => {
  test.each(['temperature', 'platt', 'isotonic'] as const)('calibrates by %s before the threshold', (method) => {
    const choice = chooseDecision(config({ calibration: method }), overlapping, about);
    const { calibrator, operatingPoint, lacking } = appliedChoice(choice, true);
    if (calibrator === null || operatingPoint === null) throw new Error(`nothing was chosen: ${lacking}`);
    const calibrated = calibrate(calibrator, overlapping.logits, 2);
    const called = Array.from({ length: 8 }, (_, i) => Math.fround(calibrated[2 * i + 1]) >= operatingPoint.threshold);
    // Three of four sick ones.
    expect(called.slice(4).filter(Boolean).length).toBeGreaterThanOrEqual(3);
    const { before, after } = choice.calibration as { before: { logLoss: number }; after: { logLoss: number } };
    expect(after.logLoss).toBeLessThan(before.logLoss);
    expect(describeFit(calibrator, choice)).toMatch(/^\w+ (scaling|regression) \(.*\), fitted on 8 validation images$/);
  });

  test('of the other class as the positive one has a mirrored line', () => {
    const data = { labels: overlapping.labels, logits: overlapping.logits, classes: 2 };
    const [one, other] = [1, 0].map((positive) => calibrationSummary(data, null, positive as 0 | 1));
    const odds = Float64Array.from({ length: 8 }, (_, i) => overlapping.logits[2 * i + 1]);
    expect(one.line).toEqual(calibrationLine({ labels: overlapping.labels, logOdds: odds }));
    if (one.line === null || other.line === null || 'reason' in one.line || 'reason' in other.line)
      throw new Error('none');
    expect(other.line.slope.value).toBeCloseTo(one.line.slope.value, 9);
    expect(other.line.inTheLarge.value).toBeCloseTo(-one.line.inTheLarge.value, 9);
    expect(other.brierScore).toBeCloseTo(one.brierScore, 12);
  });

  test('with temperature has its line by the formula, where float64 probabilities would be 1', () => {
    const logits = Float32Array.of(0, -80, 0, 80, 0, -70, 0, 90);
    const data = { labels: Int32Array.of(0, 0, 1, 1), logits, classes: 2 };
    const { line } = calibrationSummary(data, { method: 'temperature', temperature: 1 });
    expect(line).toMatchObject({ slope: { value: expect.any(Number) } });
    const isotonic = { method: 'isotonic', logOdds: [-1, 1], probabilities: [0, 1] } as const;
    expect(calibrationSummary(data, isotonic).line).toEqual({
      value: null,
      reason: 'some probabilities are exactly 0 or 1, whose log-odds are infinite',
    });
  });

  test('of three classes takes temperature, and has no threshold', () => {
    const three = config({ calibration: 'temperature' }, ['a', 'b', 'c']);
    const logits = Float32Array.of(9, 0, 0, 0, 9, 0, 0, 0, 9, 9, 0, 0);
    const probabilities = Float32Array.from(calibrate({ method: 'temperature', temperature: 1 }, logits, 3));
    const choice = chooseDecision(three, { labels: Int32Array.of(0, 1, 2, 1), probabilities, logits }, about);
    expect(choice.operatingPoint).toBe(null);
    expect(choice.calibration).toMatchObject({ calibrator: { method: 'temperature' }, before: { line: null } });
  });

  test.each([
    ['one class', samples([0, 0], [1, 2]), 'all 2 images are of the class healthy', /temperature|equal|class healthy/],
    [
      'equal probabilities',
      samples([0, 1], [0, 0]),
      'all images have the same probability, so',
      /no better than equal/,
    ],
  ])('of %s gives none, with the reason', (_, data, point, calibration) => {
    const choice = chooseDecision(config({ calibration: 'temperature' }), data, about);
    const { operatingPoint, calibrator, lacking } = appliedChoice(choice, true);
    expect(operatingPoint).toBe(null);
    expect(lacking).toContain(point);
    if (calibrator === null) expect(lackingCalibration(choice)).toMatch(calibration);
  });

  test('of outputs that are not finite gives none, with the reason', () => {
    const bad = {
      labels: Int32Array.of(0, 1),
      logits: Float32Array.of(0, Number.NaN, 0, 1),
      probabilities: Float32Array.of(Number.NaN, Number.NaN, 0.3, 0.7),
    };
    const choice = chooseDecision(config({ calibration: 'platt' }), bad, about);
    expect(appliedChoice(choice, true).lacking).toBe('some outputs of the network are no finite numbers');
    expect(lackingCalibration(choice)).toBe('some outputs of the network are no finite numbers');
  });

  test('a choice that was not made has a reason', () => {
    expect(appliedChoice(null, true).lacking).toBe('none was chosen for these weights');
    expect(appliedChoice(null, false).lacking).toBe(null);
  });
});

test('a calibrated evaluation counts its own predictions, and keeps the loss of the network', () => {
  const { labels, probabilities, logits } = overlapping;
  const outputs = logits.filter((_, i) => i % 2 === 1);
  const raw = { ...evaluationOf({ labels, outputs, probabilities }, 0.5), metrics: {} };
  expect(calibratedEvaluation(raw, null)).toBe(raw);
  // Everything becomes class 1.
  const { accuracy, confusion, loss, mistakes } = calibratedEvaluation(raw, {
    method: 'platt',
    slope: 0.01,
    intercept: 5,
  });
  expect({ accuracy, confusion, loss }).toEqual({
    accuracy: 0.5,
    loss: 0.5,
    confusion: [
      [0, 4],
      [0, 4],
    ],
  });
  expect(mistakes).toHaveLength(4);
  expect(mistakes[0].probabilities[1]).toBeGreaterThan(0.99);
});

test('metrics at the operating point are optimistic on the images that chose it', () => {
  expect(optimismNote(config())).toMatch(/^Metrics at the operating point are optimistic: the same validation images/);
  expect(optimismNote(config({ calibration: 'platt' }))).toContain('chose the operating point and the calibration.');
  expect(optimismNote(config({ operatingRule: null }))).toContain('Nothing in this training was chosen');
});
