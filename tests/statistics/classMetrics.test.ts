import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../src/errors.js';
import {
  balancedAccuracy,
  type ClassPredictions,
  classBrierScore,
  classMetrics,
  confusionMatrix,
  confusionMetrics,
  kappa,
  likelihoodRatios,
  logLoss,
  matthews,
  metricNames,
  predictedClasses,
  prepareMetric,
} from '../../src/statistics/index.js';
import { binaryPredictions, expectNumbers, expectValue, predictionsOf, statisticsGolden } from './goldens.js';

describe.each(statisticsGolden('classes'))('scikit-learn and statsmodels: $name', (golden) => {
  const data: ClassPredictions = {
    labels: Int32Array.from(golden.labels),
    probabilities: Float64Array.from(golden.probabilities, (count) => count / 1024),
    classes: golden.classes,
  };
  const matrix = confusionMatrix(data.labels, predictedClasses(data), data.classes);
  const found = confusionMetrics(matrix);

  test('confusion matrix, accuracy, balanced accuracy and Matthews', () => {
    expect(matrix).toEqual(golden.matrix);
    expectValue(found.accuracy as { value: number }, golden.accuracy);
    expectValue(balancedAccuracy(matrix), golden.balancedAccuracy);
    expectValue(matthews(matrix), golden.matthews);
  });

  test.each(['ppv', 'sensitivity', 'f1'] as const)('%s of each class and its means', (name) => {
    expectNumbers(
      found.perClass.map((own) => own[name].value),
      golden.perClass[name],
    );
    expectNumbers(
      [found.macro[name].value, found.weighted[name].value],
      [golden.macro[name][0], golden.weighted[name][0]],
    );
    expect(found.macro[name].leftOut).toEqual(golden.perClass[name].flatMap((value, c) => (value === null ? [c] : [])));
  });

  test('likelihood ratios with their intervals', () => {
    golden.ratios.forEach(({ counts, positive, negative }, c) => {
      const { truePositives, falsePositives, falseNegatives, trueNegatives, likelihoodRatios: own } = found.perClass[c];
      expect([truePositives, falsePositives, falseNegatives, trueNegatives]).toEqual(counts);
      for (const [actual, expected] of [[own.positive, positive] as const, [own.negative, negative] as const]) {
        expectNumbers([actual.value], [expected?.value ?? null]);
        if (actual.value === null) expect(actual.reason).toMatch(/^(no|every) sample/);
        else expectNumbers(actual.interval ?? [], expected?.interval ?? []);
      }
    });
  });

  test.each(['none', 'linear', 'quadratic'] as const)('kappa with its standard error: weights %s', (weights) => {
    const actual = kappa(matrix, weights);
    if (actual.value === null) throw new Error(actual.reason);
    expectNumbers([actual.value, actual.standardError], Object.values(golden.kappa[weights]));
  });

  test('metrics of probabilities', () => {
    expectNumbers([logLoss(data), classBrierScore(data)], [golden.logLoss, golden.brierScore]);
    expectValue(prepareMetric('auc', data)(), golden.auc);
    expectValue(prepareMetric('averagePrecision', data)(), golden.averagePrecision);
  });

  test('metrics by name are the same', () => {
    const value = (name: (typeof metricNames)[number]) => prepareMetric(name, data)();
    expectValue(value('accuracy'), golden.accuracy);
    expectValue(value('balancedAccuracy'), golden.balancedAccuracy);
    expectValue(value('matthews'), golden.matthews);
    expectValue(value('kappa'), golden.kappa.none.value);
    expectValue(value('linearKappa'), golden.kappa.linear.value);
    expectValue(value('quadraticKappa'), golden.kappa.quadratic.value);
    expectValue(value('logLoss'), golden.logLoss);
    expectValue(value('brierScore'), golden.brierScore);
    const own = data.classes === 2 ? golden.perClass : golden.macro;
    const at = data.classes === 2 ? 1 : 0;
    for (const name of ['ppv', 'sensitivity', 'f1'] as const) expectValue(value(name), own[name][at]);
  });

  test('a weight counts a sample as often as it says', () => {
    const weights = Float64Array.from(data.labels, (_, i) => i % 3);
    const rows = Array.from(data.labels, (_, i) => i).flatMap((i) => new Array<number>(i % 3).fill(i));
    const repeated: ClassPredictions = {
      ...data,
      labels: Int32Array.from(rows, (i) => data.labels[i]),
      probabilities: Float64Array.from(
        rows.flatMap((i) => [...data.probabilities.slice(i * data.classes, (i + 1) * data.classes)]),
      ),
    };
    for (const name of metricNames) {
      expectNumbers([prepareMetric(name, data)(weights).value], [prepareMetric(name, repeated)().value]);
    }
  });

  test('JSON keeps all of it', () => expect(JSON.parse(JSON.stringify(found))).toEqual(found));
});

test('the positive class of several', () => {
  const data = predictionsOf(
    [0, 1, 2, 2],
    [
      [0.8, 0.1, 0.1],
      [0.1, 0.8, 0.1],
      [0.1, 0.5, 0.4],
      [0.2, 0.2, 0.6],
    ],
  );
  expect(prepareMetric('sensitivity', { ...data, positive: 2 })()).toEqual({ value: 0.5 });
  expect(prepareMetric('specificity', { ...data, positive: 1 })().value).toBeCloseTo(2 / 3, 12);
  expect(prepareMetric('auc', { ...data, positive: 2 })()).toEqual({ value: 1 });
  const swapped = binaryPredictions([0, 1, 1], [0.1, 0.2, 0.9]);
  expect(prepareMetric('sensitivity', { ...swapped, positive: 0 })()).toEqual({ value: 1 });
});

test('decisions of the caller come before the highest probability', () => {
  const data = { ...binaryPredictions([0, 1], [0.3, 0.4]), predicted: Uint8Array.of(0, 1) };
  expect(prepareMetric('accuracy', data)()).toEqual({ value: 1 });
});

describe('missing values have a reason', () => {
  test('one class only', () => {
    const data = binaryPredictions([1, 1, 1], [0.9, 0.8, 0.7]);
    const reason = (name: (typeof metricNames)[number]) => {
      const value = prepareMetric(name, data)();
      return value.value === null ? value.reason : value.value;
    };
    expect(reason('auc')).toBe('all samples are of the class');
    expect(reason('specificity')).toBe('no sample is of another class');
    expect(reason('npv')).toBe('no sample is called another class');
    expect(reason('kappa')).toMatch(/^all samples are of one class/);
    expect(reason('matthews')).toBe('all samples are of one class');
    expect(reason('balancedAccuracy')).toBe('no sample is of class 0');
    expect(reason('averagePrecision')).toBe(1);
    expect(reason('accuracy')).toBe(1);
    expect(prepareMetric('averagePrecision', { ...data, positive: 0 })()).toEqual({
      value: null,
      reason: 'no sample is of the class',
    });
  });

  test('all predictions equal', () => {
    const data = binaryPredictions([0, 1, 1], [0.2, 0.2, 0.2]);
    expect(prepareMetric('auc', data)()).toEqual({ value: 0.5 });
    expect(prepareMetric('ppv', data)()).toEqual({ value: null, reason: 'no sample is called the class' });
    expect(prepareMetric('matthews', data)()).toEqual({ value: null, reason: 'all samples are called one class' });
    expect(prepareMetric('kappa', data)()).toEqual({ value: 0 });
  });

  test('likelihood ratios', () => {
    const counts = { truePositives: 5, falsePositives: 0, falseNegatives: 0, trueNegatives: 5 };
    const { positive, negative } = likelihoodRatios(counts);
    expect(positive).toEqual({ value: null, reason: 'no sample of another class is called the class' });
    expect(negative).toEqual({ value: 0, interval: null });
    expect(likelihoodRatios({ ...counts, trueNegatives: 0 }).positive.value).toBeNull();
    expect(classMetrics({ ...counts, trueNegatives: 0 }).specificity).toMatchObject({
      value: null,
      reason: 'no sample is of another class',
    });
  });
});

describe('bad input', () => {
  const good = binaryPredictions([0, 1], [0.2, 0.9]);

  test.each<[string, Partial<ClassPredictions>, RegExp]>([
    ['no samples', { labels: new Int32Array(0), probabilities: new Float64Array(0) }, /labels: expected at least one/],
    ['a label that is no class', { labels: Int32Array.of(0, 2) }, /label 1: expected a class from 0 to 1, got 2/],
    ['a negative label', { labels: Int32Array.of(-1, 1) }, /label 0: expected a class from 0 to 1, got -1/],
    ['NaN', { probabilities: Float64Array.of(0.5, 0.5, Number.NaN, 0.5) }, /class 0 for sample 1: .* got NaN/],
    ['logits', { probabilities: Float64Array.of(3, -2, 0.5, 0.5) }, /got 3; apply softmax/],
    [
      'rows that do not add up to 1',
      { probabilities: Float64Array.of(0.5, 0.4, 0.5, 0.5) },
      /sample 0: expected a sum of 1/,
    ],
    ['one class', { classes: 1 }, /classes: expected a whole number of at least 2/],
    ['a decision that is no class', { predicted: Int32Array.of(0, 5) }, /predicted class 1: expected a class/],
  ])('%s', (_, change, message) => {
    expect(() => prepareMetric('accuracy', { ...good, ...change })).toThrow(InputError);
    expect(() => logLoss({ ...good, ...change })).toThrow(message);
  });

  test('arrays that do not fit together', () => {
    expect(() => logLoss({ ...good, classes: 3 })).toThrow(ShapeError);
    expect(() => classBrierScore({ ...good, predicted: Int32Array.of(0) })).toThrow(ShapeError);
    expect(() => confusionMatrix([0, 1], [0], 2)).toThrow(ShapeError);
    expect(() => confusionMatrix([0, 1], [0, 1], 2, [1])).toThrow(ShapeError);
    expect(() => confusionMatrix([0, 1], [0, 2], 2)).toThrow(/predicted class 1/);
  });

  test('names and classes that do not exist', () => {
    expect(() => prepareMetric('toString' as 'auc', good)).toThrow(/expected one of accuracy, .*, got toString/);
    expect(() => prepareMetric('auc', { ...good, positive: 2 })).toThrow(/positive 0: expected a class/);
  });

  test.each<[number[][], RegExp]>([
    [[], /got 0 rows of no columns/],
    [[[1, 2]], /got 1 rows of 2 columns/],
    [[[1, 2], [3]], /got 2 rows of 2 or 1 columns/],
    [
      [
        [1, -2],
        [3, 4],
      ],
      /got -2/,
    ],
    [
      [
        [1, Number.NaN],
        [3, 4],
      ],
      /got NaN/,
    ],
    [
      [
        [0, 0],
        [0, 0],
      ],
      /expected at least one sample/,
    ],
  ])('matrix %j', (matrix, message) => {
    for (const call of [confusionMetrics, kappa, matthews, balancedAccuracy]) {
      expect(() => call(matrix)).toThrow(message);
    }
  });
});
