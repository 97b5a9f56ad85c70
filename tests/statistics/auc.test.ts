import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../src/errors.js';
import { compareAucs, predictiveValuesAt, rocAuc, wilsonInterval } from '../../src/statistics/index.js';
import { expectNumbers, statisticsGolden } from './goldens.js';

const golden = statisticsGolden('roc');

const scoresOf = ({ labels, a, b }: (typeof golden.pairs)[number] | (typeof golden.groups)[number]) => {
  return { labels: Uint8Array.from(labels), scores: [a, b].map((values) => Float64Array.from(values)) };
};

describe.each(golden.pairs)('pROC: $name', (expected) => {
  const { labels, scores } = scoresOf(expected);

  test("areas and DeLong's standard errors", () => {
    const found = scores.map((own) => rocAuc({ labels, scores: own }));
    expectNumbers(
      found.map(({ value }) => value),
      expected.areas,
    );
    expectNumbers(
      found.map((auc) => (auc.value === null ? null : auc.standardError)),
      expected.standardErrors,
    );
  });

  test('paired test', () => {
    const found = compareAucs({ labels, scores: scores[0] }, scores[1]);
    if (found.value === null) throw new Error(found.reason);
    const [a, b] = expected.standardErrors;
    expectNumbers(
      [...found.areas, found.standardError ** 2, found.z, found.pValue, ...found.interval],
      [...expected.areas, a ** 2 + b ** 2 - 2 * expected.covariance, expected.z, expected.pValue, ...expected.interval],
    );
  });
});

describe.each(golden.groups)("groups, from survival's concordance: $name", (expected) => {
  const { labels, scores } = scoresOf(expected);
  const { groups } = expected;

  test('standard errors of areas, and intervals on the logit scale', () => {
    scores.forEach((own, i) => {
      const found = rocAuc({ labels, scores: own }, { groups });
      if (found.value === null) throw new Error(found.reason);
      const [area, error] = [expected.areas[i], expected.standardErrors[i]];
      expectNumbers([found.value, found.standardError], [area, error]);
      const around = (sign: number) =>
        1 / (1 + Math.exp(-Math.log(area / (1 - area)) - (sign * 1.959963984540054 * error) / (area * (1 - area))));
      expectNumbers(found.interval, [around(-1), around(1)]);
      expect(found.method).toBe('obuchowski-logit');
    });
  });

  test('standard error of the difference', () => {
    const found = compareAucs({ labels, scores: scores[0] }, scores[1], { groups });
    if (found.value === null) throw new Error(found.reason);
    expectNumbers(
      [found.value, found.standardError, found.z],
      [expected.areas[0] - expected.areas[1], expected.difference, found.value / expected.difference],
    );
  });
});

test('single samples as groups change nothing, copies of samples in groups neither', () => {
  const [{ a, b, labels }] = golden.pairs;
  const data = (times: number) => {
    const repeat = (values: readonly number[]) => values.flatMap((value) => Array<number>(times).fill(value));
    const first = { labels: Uint8Array.from(repeat(labels)), scores: Float64Array.from(repeat(a)) };
    return { first, second: Float64Array.from(repeat(b)), groups: repeat(labels.map((_, i) => i)) };
  };
  const plain = data(1);
  const alone = rocAuc(plain.first);
  const pair = compareAucs(plain.first, plain.second);
  if (alone.value === null || alone.standardError === null || pair.value === null) throw new Error('no value');
  for (const times of [1, 3]) {
    const { first, second, groups } = data(times);
    const found = rocAuc(first, { groups });
    const compared = compareAucs(first, second, { groups });
    if (found.value === null || compared.value === null) throw new Error('no value');
    expectNumbers(
      [found.value, found.standardError, ...found.interval],
      [alone.value, alone.standardError, ...alone.interval],
    );
    expectNumbers(
      [compared.value, compared.standardError, compared.pValue],
      [pair.value, pair.standardError, pair.pValue],
    );
  }
});

test.each(statisticsGolden('areas').intervals)(
  'PyCM: interval of area $auc of $positives and $negatives',
  (expected) => {
    const { auc, positives, negatives, interval } = expected;
    const labels = Uint8Array.from({ length: positives + negatives }, (_, i) => (i < positives ? 1 : 0));
    const found = rocAuc({ labels, scores: Float64Array.from(labels, (label) => (label === auc ? 1 : 0)) });
    expect(found).toMatchObject({ value: auc, method: 'newcombe' });
    if (found.value !== null) expectNumbers([...found.interval], interval);
  },
);

test('too few groups, and groups without a variance', () => {
  const labels = Uint8Array.of(0, 0, 1, 1);
  const mixed = Float64Array.of(0.1, 0.6, 0.5, 0.9);
  const apart = Float64Array.of(0.1, 0.2, 0.8, 0.9);
  const onePerson = rocAuc({ labels, scores: mixed }, { groups: ['a', 'b', 'c', 'c'] });
  expect(onePerson).toMatchObject({ value: 0.75, standardError: null, method: 'newcombe' });
  const separated = rocAuc({ labels, scores: apart }, { groups: ['a', 'a', 'c', 'd'] });
  expect(separated).toMatchObject({ value: 1, method: 'newcombe' });
  // Fewer independent samples: a wider interval.
  const plain = rocAuc({ labels, scores: apart });
  if (plain.value === null || separated.value === null) throw new Error('no value');
  expect(separated.interval[0]).toBeLessThan(plain.interval[0]);
  expect(compareAucs({ labels, scores: mixed }, apart, { groups: ['a', 'b', 'c', 'c'] })).toEqual({
    value: null,
    reason: 'the test needs two groups with each class, got 2 with class 0 and 1 with class 1',
  });
});

test('bad groups are refused', () => {
  const data = { labels: Uint8Array.of(0, 1), scores: Float64Array.of(0.1, 0.9) };
  expect(() => rocAuc(data, { groups: [1] })).toThrow(ShapeError);
  expect(() => rocAuc(data, { groups: ['a', ''] })).toThrow(InputError);
  expect(() => compareAucs(data, data.scores, { groups: [1, Number.NaN] })).toThrow(/compareAucs.*none for sample 1/);
});

test.each(golden.predictive)('R: predictive values at prevalence $prevalence', ({ counts, prevalence, ppv, npv }) => {
  const [hits, positives, rejected, negatives] = counts;
  const share = (h: number, total: number) => {
    return { hits: h, total, value: h / total, interval: wilsonInterval(h, total) };
  };
  const found = predictiveValuesAt(
    { sensitivity: share(hits, positives), specificity: share(rejected, negatives) },
    prevalence,
  );
  for (const [own, expected] of [
    [found.ppv, ppv],
    [found.npv, npv],
  ] as const) {
    if (own.value === null || own.interval === null) throw new Error('no value');
    expectNumbers([own.value, ...own.interval], [expected.value, ...(expected.interval ?? [])]);
  }
});
