import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../src/errors.js';
import { RandomGenerator } from '../../src/random.js';
import { bcaInterval } from '../../src/statistics/bca.js';
import { betaCdf, normalCdf, normalQuantile, twoSidedP } from '../../src/statistics/distributions.js';
import {
  bootstrap,
  bootstrapAll,
  clopperPearsonInterval,
  prepareMetric,
  type WeightedMetric,
  wilsonInterval,
} from '../../src/statistics/index.js';
import { binaryPredictions, expectNumbers, statisticsGolden } from './goldens.js';

const golden = statisticsGolden('intervals');

/** Equal to 11 digits, also where values are tiny. */
function expectRelative(actual: number, expected: number): void {
  if (Number.isFinite(expected) && expected !== 0) expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-11);
  else expect(actual).toBeCloseTo(expected, 13);
}

describe('SciPy: distributions', () => {
  test('normal', () => {
    for (const [i, x] of golden.normal.points.entries()) expectRelative(normalCdf(x), golden.normal.cdf[i]);
    const { shares, values } = golden.quantiles;
    for (const [i, share] of shares.entries()) expectRelative(normalQuantile(share), values[i]);
    expect(normalCdf(Number.NaN)).toBeNaN();
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect([twoSidedP(0), twoSidedP(Number.POSITIVE_INFINITY)]).toEqual([1, 0]);
  });

  test.each(golden.beta)('beta($a, $b) at $x', ({ a, b, x, cdf }) => expectRelative(betaCdf(x, a, b), cdf));
});

describe('statsmodels: intervals of shares', () => {
  test.each(golden.clopperPearson)('Clopper-Pearson, $hits of $total', ({ hits, total, interval }) => {
    expectNumbers(clopperPearsonInterval(hits, total), interval);
  });

  test.each(golden.wilson)('Wilson, $hits of $total', ({ hits, total, interval }) => {
    expectNumbers(wilsonInterval(hits, total), interval);
  });

  test.each([
    [0, 0],
    [3, 2],
    [-1, 2],
    [Number.NaN, 2],
    [1, Number.NaN],
  ])('%d of %d is refused', (hits, total) => {
    expect(() => clopperPearsonInterval(hits, total)).toThrow(InputError);
    expect(() => wilsonInterval(hits, total)).toThrow(/expected hits from 0 to a total above 0/);
  });
});

describe.each(golden.bootstrap)(
  'SciPy: bootstrap of the $name',
  ({ value, replicates, jackknife, bca, percentile }) => {
    test('BCa from the same resamples', () => {
      const found = bcaInterval(value, replicates, jackknife);
      expect(found.method).toBe('bca');
      expectNumbers(found.interval ?? [], bca);
    });

    test('percentiles where a group cannot be left out', () => {
      const found = bcaInterval(value, replicates, [Number.NaN, ...jackknife.slice(1)]);
      expect(found).toMatchObject({
        method: 'percentile',
        reason: expect.stringMatching(/^without one of the groups/),
      });
      expectNumbers(found.interval ?? [], percentile);
    });
  },
);

describe('bcaInterval says why it falls back', () => {
  const spread = Array.from({ length: 200 }, (_, i) => i / 200);
  const leftOut = [0.4, 0.5, 0.7];

  test.each<[string, number, readonly number[], readonly number[], RegExp]>([
    ['all on one side', 2, spread, leftOut, /^all resamples are on one side/],
    ['the same without each group', 0.5, spread, [0.5, 0.5, 0.5], /^without each single group/],
    ['all equal', 0.5, [0.5, 0.5], leftOut, /^the value is the same on all resamples/],
    ['none at all', 0.5, [], leftOut, /^no resample has a value/],
  ])('%s', (_, value, replicates, jackknife, reason) => {
    const found = bcaInterval(value, replicates, jackknife);
    expect(found.method).not.toBe('bca');
    expect(found).toHaveProperty('reason', expect.stringMatching(reason));
  });
});

describe('bootstrap', () => {
  const random = new RandomGenerator(4);
  const labels = Array.from({ length: 80 }, (_, i) => Number(i % 4 === 0));
  const scores = labels.map((label) => 0.2 + 0.3 * label + 0.4 * random.uniform());
  const data = binaryPredictions(labels, scores);
  const metric = prepareMetric('auc', data);

  test('has the metric inside, and is repeatable', () => {
    const found = bootstrap(metric, { samples: 80, seed: 1 });
    if (found.interval === null) throw new Error(found.reason);
    expect(found).toMatchObject({ method: 'bca', resamples: 2000, undefinedResamples: 0, groups: 80 });
    expect(found.value).toBe(metric().value);
    expect(found.interval[0]).toBeLessThan(found.value ?? 0);
    expect(found.interval[1]).toBeGreaterThan(found.value ?? 1);
    expect(bootstrap(metric, { samples: 80, seed: 1 })).toEqual(found);
    expect(bootstrap(metric, { samples: 80, seed: 2 }).interval).not.toEqual(found.interval);
  });

  test('several metrics on the same resamples are the same as one by one', () => {
    const metrics = (['auc', 'accuracy', 'logLoss'] as const).map((name) => prepareMetric(name, data));
    const options = { samples: 80, seed: 3, resamples: 300 };
    expect(bootstrapAll(metrics, options)).toEqual(metrics.map((own) => bootstrap(own, options)));
  });

  test('a mean has the interval of its standard error', () => {
    const values = Float64Array.from({ length: 400 }, () => random.normal());
    const mean: WeightedMetric = (weights) => {
      let [sum, total] = [0, 0];
      values.forEach((value, i) => {
        sum += value * (weights?.[i] ?? 1);
        total += weights?.[i] ?? 1;
      });
      return { value: sum / total };
    };
    const { value, interval } = bootstrap(mean, { samples: 400 });
    expect(interval?.[0]).toBeCloseTo((value ?? 0) - 1.96 / 20, 1.7);
    expect(interval?.[1]).toBeCloseTo((value ?? 0) + 1.96 / 20, 1.7);
  });

  test('copies of samples in groups do not shorten the interval', () => {
    const twice = binaryPredictions([...labels, ...labels], [...scores, ...scores]);
    const groups = [...labels, ...labels].map((_, i) => `patient ${i % 80}`);
    const options = { samples: 160, groups, seed: 1 };
    expect(bootstrap(prepareMetric('auc', twice), options)).toEqual(bootstrap(metric, { samples: 80, seed: 1 }));
    const width = ({ interval }: { interval: readonly number[] | null }) => (interval?.[1] ?? 0) - (interval?.[0] ?? 0);
    const ignoring = bootstrap(prepareMetric('auc', twice), { samples: 160, seed: 1 });
    expect(width(ignoring)).toBeLessThan(0.85 * width(bootstrap(metric, { samples: 80, seed: 1 })));
  });

  test('resamples without a value are left out and counted', () => {
    const rare = binaryPredictions([1, 1, 1, ...new Array<number>(27).fill(0)], scores.slice(0, 30));
    const found = bootstrap(prepareMetric('auc', rare), { samples: 30 });
    expect(found.undefinedResamples).toBeGreaterThan(20);
    expect(found.undefinedResamples).toBeLessThan(200);
    expect(found.interval).not.toBeNull();
  });

  test('none where many resamples have no value, such as those without the only positive group', () => {
    const few = binaryPredictions(
      [1, 1, 1, ...new Array<number>(9).fill(0)],
      [0.9, 0.6, 0.4, 0.7, 0.3, 0.2, 0.2, 0.4, 0.1, 0.1, 0.2, 0.3],
    );
    const groups = [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    // The group is missing on (1 − 1/10)^10 = 35 % of the resamples.
    expect(bootstrap(prepareMetric('auc', few), { samples: 12, groups })).toMatchObject({
      interval: null,
      reason: expect.stringMatching(/^the metric has no value on 3\d % of the resamples$/),
    });
    expect(bootstrap(prepareMetric('ppv', few), { samples: 12, groups }).value).toBeCloseTo(2 / 3, 12);
  });

  test.each<[string, number[], number[], RegExp]>([
    ['no value on the whole set', [1, 1, 1], [0.2, 0.3, 0.4], /^all samples are of the class/],
    ['all predictions equal', [0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], /./],
    ['one sample', [1], [0.5], /./],
  ])('none: %s', (_, own, given, reason) => {
    const found = bootstrap(prepareMetric('auc', binaryPredictions(own, given)), { samples: own.length });
    expect(found.interval).toBeNull();
    expect(found).toHaveProperty('reason', expect.stringMatching(reason));
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  test('a single group has no interval', () => {
    const found = bootstrap(metric, { samples: 80, groups: labels.map(() => 'one') });
    expect(found).toMatchObject({ interval: null, reason: 'a single group has nothing to resample', groups: 1 });
    expect(found.value).toBe(metric().value);
  });

  test('bad input', () => {
    expect(() => bootstrap(metric, { samples: 0 })).toThrow(/samples: expected at least one, got 0/);
    expect(() => bootstrap(metric, { samples: 80, groups: [1] })).toThrow(ShapeError);
    expect(() => bootstrap(metric, { samples: 80, groups: labels.map((_, i) => (i === 7 ? '' : 'a')) })).toThrow(
      /groups: expected one for each sample, got none for sample 7/,
    );
    for (const resamples of [99, 0, 1000.5, Number.NaN]) {
      expect(() => bootstrap(metric, { samples: 80, resamples })).toThrow(
        /resamples: expected a whole number of at least 100/,
      );
    }
  });
});
