import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  averagePrecision,
  type BinaryScores,
  brierScore,
  calibration,
  chooseOperatingPoint,
  rocAuc,
  rocCurve,
  screeningMetrics,
  thresholdMetrics,
} from '../../src/statistics/index.js';
import { fuzzing } from '../fuzzing.js';

/** Sets with samples of both classes; coarse scores give ties. */
const sets: fc.Arbitrary<BinaryScores> = fc
  .record({
    scores: fc.oneof(
      fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 2, maxLength: 40 }).map((list) => list.map((x) => x / 8)),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 40 }),
    ),
    bits: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
  })
  .map(({ scores, bits }) => ({
    labels: Uint8Array.from(scores, (_, i) => (i < 2 ? i : Number(bits[i]))),
    scores: Float64Array.from(scores),
  }));

function areaOf(data: BinaryScores) {
  const auc = rocAuc(data);
  if (auc.value === null) throw new Error(auc.reason);
  return auc;
}

/** Twice the area by comparing every pair: a whole number of pairs. */
function countPairs({ labels, scores }: BinaryScores): [twice: number, pairs: number] {
  let twice = 0;
  let pairs = 0;
  labels.forEach((a, i) => {
    labels.forEach((b, j) => {
      if (a !== 1 || b !== 0) return;
      pairs++;
      twice += 1 + Math.sign(scores[i] - scores[j]);
    });
  });
  return [twice, pairs];
}

const cases = fuzzing('screening', 300, { seed: 20260103 });
const check = (property: (data: BinaryScores) => void) => fc.assert(fc.property(sets, property), cases);

test('the area is the share of pairs in the right order, and the area under the curve', () =>
  check((data) => {
    const [twice, pairs] = countPairs(data);
    const { value } = areaOf(data);
    expect(value).toBeCloseTo(twice / 2 / pairs, 12);
    const { falsePositiveRate: x, truePositiveRate: y } = rocCurve(data);
    const trapezoids = x.slice(1).map((right, i) => ((right - x[i]) * (y[i + 1] + y[i])) / 2);
    expect(trapezoids.reduce((sum, area) => sum + area)).toBeCloseTo(value, 12);
  }));

test('the interval holds the area and stays within 0 and 1', () =>
  check((data) => {
    const { value, interval } = areaOf(data);
    expect(interval[0]).toBeGreaterThanOrEqual(0);
    expect(interval[0]).toBeLessThanOrEqual(value);
    expect(interval[1]).toBeGreaterThanOrEqual(value);
    expect(interval[1]).toBeLessThanOrEqual(1);
    expect(interval[1] - interval[0]).toBeGreaterThan(0);
  }));

test('only the order of the scores counts for the area and the average precision', () =>
  check(({ labels, scores }) => {
    // Ranks keep the order and the ties exactly, which a formula on floats may not.
    const distinct = [...new Set(scores)].sort((a, b) => a - b);
    const moved = { labels, scores: scores.map((score) => (distinct.indexOf(score) + 1) ** 2 / 2000) };
    expect(rocAuc(moved)).toEqual(rocAuc({ labels, scores }));
    expect(averagePrecision(moved)).toBe(averagePrecision({ labels, scores }));
  }));

test('the order of the samples does not count', () =>
  check(({ labels, scores }) => {
    const reversed = { labels: labels.toReversed(), scores: scores.toReversed() };
    expect(areaOf(reversed).value).toBe(areaOf({ labels, scores }).value);
    expect(areaOf(reversed).standardError ?? -1).toBeCloseTo(areaOf({ labels, scores }).standardError ?? -1, 12);
    expect(rocCurve(reversed)).toEqual(rocCurve({ labels, scores }));
    expect(brierScore(reversed)).toBeCloseTo(brierScore({ labels, scores }), 12);
  }));

test('swapping the classes mirrors the area and its interval', () =>
  check(({ labels, scores }) => {
    const { value, interval } = areaOf({ labels, scores });
    const mirrored = areaOf({ labels: labels.map((label) => 1 - label), scores });
    expect(mirrored.value).toBeCloseTo(1 - value, 12);
    expect(mirrored.interval[0]).toBeCloseTo(1 - interval[1], 9);
    expect(mirrored.interval[1]).toBeCloseTo(1 - interval[0], 9);
  }));

test('an operating point keeps its promise, and the next threshold would not', () =>
  fc.assert(
    fc.property(sets, fc.double({ min: 0.01, max: 1, noNaN: true }), (data, wanted) => {
      const at = (threshold: number) => thresholdMetrics(data, threshold);
      const distinct = [...new Set(data.scores)].sort((a, b) => a - b);
      const sensitive = chooseOperatingPoint(data, { sensitivity: wanted });
      expect(sensitive.chosenOn.sensitivity.value).toBeGreaterThanOrEqual(wanted);
      const higher = distinct.find((score) => score > sensitive.threshold);
      if (higher !== undefined) expect(at(higher).sensitivity.value).toBeLessThan(wanted);
      const specific = chooseOperatingPoint(data, { specificity: wanted });
      expect(specific.chosenOn.specificity.value).toBeGreaterThanOrEqual(wanted);
      const lower = distinct.findLast((score) => score < specific.threshold);
      if (lower !== undefined) expect(at(lower).specificity.value).toBeLessThan(wanted);
      const sum = ({ sensitivity, specificity }: ReturnType<typeof at>) =>
        (sensitivity.value ?? 0) + (specificity.value ?? 0);
      const best = Math.max(...distinct.map((score) => sum(at(score))));
      expect(sum(chooseOperatingPoint(data, 'youden').chosenOn)).toBeCloseTo(best, 12);
    }),
    cases,
  ));

test('bins hold every sample once, and the calibration error is between 0 and 1', () =>
  fc.assert(
    fc.property(sets, fc.integer({ min: 1, max: 20 }), (data, bins) => {
      const { bins: found, expectedCalibrationError } = calibration(data, { bins });
      expect(found.reduce((sum, { positives }) => sum + positives.total, 0)).toBe(data.labels.length);
      for (const { low, high, meanScore } of found) {
        if (meanScore === null) continue;
        expect(meanScore).toBeGreaterThan(low - 1e-12);
        expect(meanScore).toBeLessThan(high + 1e-12);
      }
      expect(expectedCalibrationError).toBeGreaterThanOrEqual(0);
      expect(expectedCalibrationError).toBeLessThanOrEqual(1);
    }),
  ));

test('the metrics hold nothing that JSON loses', () =>
  check((data) => {
    const metrics = screeningMetrics({ ...data, operatingPoint: chooseOperatingPoint(data, { specificity: 0.9 }) });
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  }));
