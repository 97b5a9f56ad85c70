import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { RandomGenerator } from '../../src/random.js';
import { promotable, rungsOf, trainingsOf } from '../../src/sweep/asha.js';
import { standings } from '../../src/sweep/decide.js';
import { sweepOf } from '../../src/sweep/definition.js';
import { importances } from '../../src/sweep/importance.js';
import { compareOverSeeds } from '../../src/sweep/seedNoise.js';
import { gridOf, type Parameter, placeOf, type Range, randomValues, valueAt } from '../../src/sweep/space.js';
import { type Observation, propose } from '../../src/sweep/tpe.js';
import type { Json } from '../../src/text/json.js';

const base = { model: 'lenet', data: 'mnist', epochs: 9 };

describe('a sweep as it is asked for', () => {
  test('has plain values, ranges and settings with defaults', () => {
    const {
      base: plain,
      parameters,
      settings,
      epochs,
    } = sweepOf(
      {
        ...base,
        momentum: { range: [0.5, 0.9], when: { optimizer: 'momentum' } },
        optimizer: { choice: ['momentum', 'adam'] },
        lr: { log: [0.001, 0.1] },
        sweep: { trials: 12 },
      },
      'file',
    );
    expect(plain).toEqual(base);
    // A parameter comes behind those that its condition names.
    expect(parameters.map(({ key }) => key)).toEqual(['optimizer', 'momentum', 'lr']);
    expect(settings).toMatchObject({
      method: 'tpe',
      trials: 12,
      asha: { minEpochs: 3, reduction: 3 },
      seeds: 3,
      best: 3,
    });
    expect(epochs).toBe(9);
  });

  test.each<[string, Record<string, Json>, RegExp]>([
    ['no range', {}, /expected a key with a range/],
    ['an unknown key', { learning_rate: 1, lr: { log: [1e-3, 1] } }, /unknown key learning_rate, did you mean lr\?/],
    ['a known name of other programs', { lr: { log: [1e-3, 1] }, scheduler: 'x' }, /did you mean schedule\?/],
    [
      'an unknown setting',
      { lr: { log: [1e-3, 1] }, sweep: { trails: 3 } },
      /unknown key trails, did you mean trials\?/,
    ],
    [
      'an unknown setting of asha',
      { lr: { log: [1e-3, 1] }, sweep: { asha: { minEpoch: 3 } } },
      /sweep.asha: unknown key minEpoch, did you mean minEpochs\?/,
    ],
    [
      'asha after the end',
      { lr: { log: [1e-3, 1] }, sweep: { asha: { minEpochs: 9 } } },
      /sweep.asha.minEpochs: expected fewer than the 9 epochs/,
    ],
    ['a range that is unknown', { lr: { logg: [1e-3, 1] } }, /lr: unknown range logg, did you mean log\?/],
    ['a list for a range', { lr: [0.1, 0.2] }, /lr: /],
    [
      'an unknown method',
      { lr: { log: [1e-3, 1] }, sweep: { method: 'bayes' } },
      /sweep.method: expected .*got 'bayes'/,
    ],
    [
      'several wrong settings',
      { lr: { log: [1e-3, 1] }, sweep: { trials: 0, metric: 'auc' } },
      /sweep.trials: .*got 0; sweep.metric: expected accuracy, loss, got 'auc'/,
    ],
    ['settings that are none', { lr: { log: [1e-3, 1] }, sweep: 3 }, /sweep: /],
    ['a reversed range', { lr: { range: [0.1, 0.01] } }, /lr.range: expected the least number first/],
    ['an empty range', { lr: { range: [] } }, /lr.range: expected two numbers, .* got \[\]/],
    ['an empty choice', { optimizer: { choice: [] } }, /optimizer.choice: expected at least one value/],
    ['equal choices', { optimizer: { choice: ['sgd', 'sgd'] } }, /expected different values/],
    ['a logarithm of 0', { lr: { log: [0, 1] } }, /expected numbers above 0/],
    ['fractions of integers', { batchSize: { int: [1.5, 4] } }, /expected two integers/],
    ['an end of the wrong type', { momentum: { range: [0.5, 1.5] } }, /momentum/],
    ['an unknown choice', { optimizer: { choice: ['sgd', 'adamm'] } }, /optimizer/],
    ['an unknown network', { model: { choice: ['lenet', 'lenett'] } }, /did you mean lenet\?/],
    ['other validation images', { holdOut: { choice: [0.1, 0.2] } }, /metrics of other images cannot be compared/],
    ['a range of threads', { threads: { int: [1, 4] } }, /no part of a recipe/],
    ['a seed', { lr: { log: [1e-3, 1] }, seed: 3 }, /seed: expected none/],
    ['two kinds of range', { lr: { log: [1e-3, 1], range: [1, 2] } }, /expected range alone/],
    [
      'a condition on nothing',
      { momentum: { range: [0.1, 0.5], when: { optimizer: 'sgd' } } },
      /when: expected a key with a range/,
    ],
    [
      'a condition on no choice',
      { optimizer: { choice: ['sgd', 'adam'] }, momentum: { range: [0.1, 0.5], when: { optimizer: 'momentum' } } },
      /when.optimizer: expected one of "sgd", "adam"/,
    ],
    ['epochs with asha', { epochs: { int: [2, 4] } }, /asha compares trials after the same epochs/],
    ['evaluations that are left out', { evalEvery: 2, lr: { log: [1e-3, 1] } }, /evalEvery: expected 1/],
    ['an unknown metric', { lr: { log: [1e-3, 1] }, sweep: { metric: 'acuracy' } }, /sweep.metric/],
    ['a single seed', { lr: { log: [1e-3, 1] }, sweep: { seeds: 1 } }, /at least 2|>=2/],
  ])('refuses %s', (_, keys, message) => {
    expect(() => sweepOf({ ...base, ...keys }, 'file')).toThrow(message);
    expect(() => sweepOf({ ...base, ...keys }, 'file')).toThrow(InputError);
  });

  test.each([null, 3, 'text', []])('refuses %j in place of keys', (value) => {
    expect(() => sweepOf(value, 'file')).toThrow(InputError);
  });
});

describe('values of ranges', () => {
  const ranges: Range[] = [
    { kind: 'range', low: -1, high: 3 },
    { kind: 'log', low: 1e-4, high: 10 },
    { kind: 'int', low: 2, high: 5 },
    { kind: 'logInt', low: 1, high: 64 },
  ];
  test.each(ranges)('of $kind stay in it, reach both ends, and keep their places', (range) => {
    for (let place = 0; place <= 1; place += 0.05) {
      const value = valueAt(range, place);
      expect(value).toBeGreaterThanOrEqual((range as { low: number }).low);
      expect(value).toBeLessThanOrEqual((range as { high: number }).high);
      const again = placeOf(range, value);
      expect(valueAt(range, again)).toBe(value);
    }
    expect([valueAt(range, 0), valueAt(range, 1)]).toEqual([
      (range as { low: number }).low,
      (range as { high: number }).high,
    ]);
  });

  const parameters: Parameter[] = [
    { key: 'optimizer', range: { kind: 'choice', values: ['momentum', 'adam'] }, when: null },
    { key: 'momentum', range: { kind: 'range', low: 0.1, high: 0.9 }, when: { optimizer: ['momentum'] } },
    { key: 'batchSize', range: { kind: 'int', low: 1, high: 2 }, when: null },
  ];

  test('in a grid are all combinations that exist', () => {
    const grid = gridOf(parameters, 3);
    expect(grid).toHaveLength((3 + 1) * 2);
    expect(grid.filter(({ optimizer }) => optimizer === 'adam').every((values) => !('momentum' in values))).toBe(true);
    expect(new Set(grid.map((values) => JSON.stringify(values))).size).toBe(grid.length);
  });

  test('at random follow from the generator', () => {
    const values = (seed: number) => randomValues(parameters, new RandomGenerator(seed));
    expect(values(3)).toEqual(values(3));
    expect(new Set(Array.from({ length: 20 }, (_, seed) => JSON.stringify(values(seed)))).size).toBeGreaterThan(10);
  });
});

describe('tree-structured Parzen estimators', () => {
  const parameters: Parameter[] = [
    { key: 'x', range: { kind: 'range', low: 0, high: 1 }, when: null },
    { key: 'kind', range: { kind: 'choice', values: ['good', 'bad', 'worse'] }, when: null },
    { key: 'y', range: { kind: 'log', low: 1e-4, high: 1 }, when: { kind: ['good'] } },
  ];
  const cost = (values: Readonly<Record<string, Json>>) => {
    const kind = ['good', 'bad', 'worse'].indexOf(String(values.kind));
    const y = typeof values.y === 'number' ? Math.abs(Math.log10(values.y) + 2) : 1;
    return (Number(values.x) - 0.7) ** 2 + kind + 0.3 * y;
  };
  const search = (
    seed: number,
    next: (seen: readonly Observation[], generator: RandomGenerator) => Observation['values'],
  ) => {
    const seen: Observation[] = [];
    for (let i = 0; i < 40; i++) {
      const values = next(seen, new RandomGenerator(seed).fork(`${i}`));
      seen.push({ values, cost: cost(values) });
    }
    return Math.min(...seen.map((one) => one.cost));
  };

  test('find better values than random search of the same number of trials', () => {
    const seeds = Array.from({ length: 12 }, (_, i) => i);
    const sum = (of: (seed: number) => number) => seeds.reduce((total, seed) => total + of(seed), 0);
    const tpe = sum((seed) => search(seed, (seen, generator) => propose(parameters, seen, generator)));
    const random = sum((seed) => search(seed, (_, generator) => randomValues(parameters, generator)));
    expect(tpe).toBeLessThan(0.6 * random);
  });

  test('propose the same again, also with trials that failed', () => {
    const seen = Array.from({ length: 12 }, (_, i) => ({
      values: randomValues(parameters, new RandomGenerator(i)),
      cost: i % 3 === 0 ? Number.POSITIVE_INFINITY : i,
    }));
    expect(propose(parameters, seen, new RandomGenerator(1))).toEqual(
      propose(parameters, seen, new RandomGenerator(1)),
    );
  });
});

test('successive halving continues the best third of each rung, and stops none that runs', () => {
  expect(rungsOf(9, { minEpochs: 1, reduction: 3 })).toEqual([1, 3, 9]);
  expect(rungsOf(5, { minEpochs: 2, reduction: 2 })).toEqual([2, 4, 5]);
  expect(rungsOf(5, null)).toEqual([5]);
  const trial = (id: number, costs: number[], isOut = false) => ({ id, costs, isOut });
  expect(promotable([trial(1, [0.3]), trial(2, [0.1])], 3, 3)).toBeNull();
  const six = [trial(1, [0.3]), trial(2, [0.1]), trial(3, [0.2]), trial(4, [0.4]), trial(5, [0.5]), trial(6, [0.6])];
  expect(promotable(six, 3, 3)).toBe(2);
  expect(promotable([trial(2, [0.1], true), ...six.filter(({ id }) => id !== 2)], 3, 3)).toBe(3);
  expect(
    promotable(
      six.map((one) => ({ ...one, costs: [Number.POSITIVE_INFINITY] })),
      3,
      3,
    ),
  ).toBeNull();
});

test('trials are compared at the highest rung that both have reached, and those that failed are worst', () => {
  // The first two continued; the second one turned out bad, but was better than the third one before.
  const costs = [[0.2, 0.1], [0.3, 0.9], [0.4], [0.5], [0.1, Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY]];
  const found = standings(costs);
  expect(found.map((share) => 5 * share)).toEqual([0, 1, 2, 3, 4.5, 4.5]);
  expect(standings([[0.3], [0.3], [0.2]]).map((share) => 2 * share)).toEqual([1.5, 1.5, 0]);
  expect(standings([[0.3]])).toEqual([0]);
  expect(standings([])).toEqual([]);
});

test('the work of a search is that of all trials, and between the best third and all of them with successive halving', () => {
  expect(trainingsOf(9, [9], 3)).toEqual({ epochs: 81, trainings: 9 });
  expect(trainingsOf(2, [1, 3], 3)).toEqual({ epochs: 2, trainings: 2 });
  const { epochs, trainings } = trainingsOf(9, [1, 3, 9], 3);
  expect(epochs).toBeGreaterThanOrEqual(9 * 1 + 3 * 2 + 1 * 6);
  expect(epochs).toBeLessThan(9 * 5);
  expect(trainings).toBeGreaterThanOrEqual(9 + 3 + 1);
  const large = trainingsOf(10_000, [1, 3, 9], 3);
  expect(large.epochs).toBeGreaterThan(10_000 * (1 + 2 / 3));
  expect(large.epochs).toBeLessThan(10_000 * 5);
});

test('importance is high for the parameter that decides, low for another, and unknown with few trials', () => {
  const parameters: Parameter[] = [
    { key: 'a', range: { kind: 'range', low: 0, high: 1 }, when: null },
    { key: 'b', range: { kind: 'range', low: 0, high: 1 }, when: null },
    { key: 'c', range: { kind: 'choice', values: [1, 2, 3] }, when: null },
  ];
  const generator = new RandomGenerator(5);
  const trials = Array.from({ length: 40 }, () => {
    const values = randomValues(parameters, generator);
    return { values, cost: (Number(values.a) - 0.4) ** 2 + 0.001 * generator.normal() };
  });
  const [a, b, c] = importances(parameters, trials, new RandomGenerator(1));
  expect(a.share).toBeGreaterThan(0.7);
  expect(a.interval?.[0]).toBeGreaterThan(0.5);
  expect(b.share).toBeLessThan(0.3);
  expect(c.share).toBeLessThan(0.3);
  expect(
    importances(parameters, trials.slice(0, 5), generator).every(
      ({ share, interval }) => share === null && interval === null,
    ),
  ).toBe(true);
});

describe('the difference of two recipes over seeds', () => {
  test('is significant beyond the noise of the images and of the seeds, and not beyond one of them', () => {
    const clear = compareOverSeeds([0.95, 0.951, 0.949], [0.93, 0.931, 0.929], [0.015, 0.025]);
    expect(clear.value).toBeCloseTo(0.02, 12);
    expect(clear.pValue).toBeLessThan(0.001);
    // The images alone would say that the first one is better.
    const noisy = compareOverSeeds([0.97, 0.95, 0.93], [0.93, 0.94, 0.92], [0.018, 0.028]);
    expect(noisy.pValue).toBeGreaterThan(0.05);
    expect(noisy.interval[0]).toBeLessThan(0);
    const fewImages = compareOverSeeds([0.95, 0.951, 0.949], [0.93, 0.931, 0.929], [-0.03, 0.07]);
    expect(fewImages.pValue).toBeGreaterThan(0.05);
  });

  test('is the paired t-test without noise of images, and the normal one without noise of seeds', () => {
    // t.test(c(3, 1, 2)) of R: p = 0.07418, interval −0.4841377 to 4.4841377.
    const paired = compareOverSeeds([3, 1, 2], [0, 0, 0], [2, 2]);
    expect(paired.pValue).toBeCloseTo(0.07418, 5);
    expect(paired.interval[0]).toBeCloseTo(-0.4841377, 6);
    expect(paired.interval[1]).toBeCloseTo(4.4841377, 6);
    const normal = compareOverSeeds([2, 2], [1, 1], [1 - 1.959964, 1 + 1.959964]);
    expect(normal.pValue).toBeCloseTo(0.317311, 5);
    expect(compareOverSeeds([1, 1], [1, 1], [0, 0])).toEqual({ value: 0, interval: [0, 0], pValue: 1 });
  });
});
