import { describe, expect, test } from 'vitest';
import { InputError, ShapeError } from '../../../src/errors.js';
import { dividedGroups, holdOut, kFolds, type SplitTable } from '../../../src/io/index.js';

/** A table of single samples: `counts[c]` of class c. */
function single(...counts: readonly number[]): SplitTable {
  return { labels: counts.flatMap((count, label) => new Array<number>(count).fill(label)) };
}

function countOf(table: SplitTable, samples: Uint32Array, label: number): number {
  return samples.filter((sample) => table.labels[sample] === label).length;
}

describe('holdOut', () => {
  test('single samples: exact shares of sizes and classes', () => {
    const table = single(60, 40);
    const {
      train,
      validation,
      test: held,
      absent,
      mixedGroups,
    } = holdOut(table, { validation: 0.2, test: 0.1, seed: 3 });
    expect([train, validation, held].map((part) => [countOf(table, part, 0), countOf(table, part, 1)])).toEqual([
      [42, 28],
      [12, 8],
      [6, 4],
    ]);
    expect(absent).toEqual([]);
    expect(mixedGroups).toEqual([]);
  });

  test('a fifth for validation and no test set are the default', () => {
    const { train, validation, test: held } = holdOut(single(50, 50));
    expect([train.length, validation.length, held.length]).toEqual([80, 20, 0]);
  });

  test('many classes with few samples fill every part', () => {
    const { validation } = holdOut(single(...new Array<number>(100).fill(2)), { validation: 0.2 });
    expect(validation.length).toBeGreaterThan(37);
    expect(validation.length).toBeLessThan(43);
  });

  test('large groups are not all in the largest part', () => {
    const groups = Array.from({ length: 40 }, (_, i) => new Array<string>(i < 20 ? 8 : 1).fill(`patient ${i}`)).flat();
    const table = { labels: groups.map(() => 0), groups };
    let large = 0;
    for (let seed = 0; seed < 20; seed++) {
      const held = new Set(Array.from(holdOut(table, { validation: 0.25, seed }).validation, (i) => groups[i]));
      large += [...held].filter((group) => Number(group.slice(8)) < 20).length;
    }
    expect(large / 20).toBeGreaterThan(4);
    expect(large / 20).toBeLessThan(6.5);
  });

  test('each sample has the same chance to be held out', () => {
    const table = single(10, 10);
    const hits = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 400; seed++)
      for (const i of holdOut(table, { validation: 0.3, seed }).validation) hits[i]++;
    for (const count of hits) expect(Math.abs(count - 120)).toBeLessThan(45);
  });

  test('the seed decides, and nothing else', () => {
    const table = single(30, 30);
    expect(holdOut(table, { seed: 5 })).toEqual(holdOut(table, { seed: 5 }));
    expect(holdOut(table, { seed: 5 }).validation).not.toEqual(holdOut(table, { seed: 6 }).validation);
  });

  test('one group that holds half of the samples leaves no part empty', () => {
    const groups = ['a', 'a', 'a', 'a', 'b', 'c'];
    const parts = holdOut({ labels: [0, 0, 0, 0, 1, 1], groups }, { validation: 0.1, test: 0.1 });
    for (const part of [parts.train, parts.validation, parts.test]) expect(part.length).toBeGreaterThan(0);
  });

  test('a class that is absent from a part is named', () => {
    const { absent } = holdOut({ ...single(50, 1), classNames: ['normal', 'myopia'] }, { validation: 0.2 });
    expect(absent).toEqual([{ part: 'validation', label: 1, message: 'validation has no sample of class myopia' }]);
  });

  test('a person with two labels stays together, and is named', () => {
    const table = { labels: [0, 1, 0, 1, 0, 1], groups: ['p', 'p', 'q', 'q', 'r', 's'] };
    const { train, validation, mixedGroups } = holdOut(table, { validation: 0.4 });
    expect(mixedGroups).toEqual(['p', 'q']);
    const inTrain = new Set(Array.from(train, (i) => table.groups[i]));
    for (const i of validation) expect(inTrain.has(table.groups[i])).toBe(false);
  });

  test.each<[string, SplitTable, object, RegExp]>([
    ['no samples', { labels: [] }, {}, /labels: expected at least one sample/],
    ['NaN as label', { labels: [0, Number.NaN] }, {}, /label of row 2: expected a class from 0 on, got NaN/],
    ['negative label', { labels: [0, -1], files: ['a.png', 'b.png'] }, {}, /label of b\.png/],
    ['a share of 1', single(5, 5), { validation: 1 }, /validation: expected a share from 0 to below 1, got 1/],
    ['a negative share', single(5, 5), { test: -0.1 }, /test: expected a share/],
    ['NaN as share', single(5, 5), { test: Number.NaN }, /test: expected a share/],
    ['shares that leave nothing', single(5, 5), { validation: 0.5, test: 0.5 }, /sum below 1, .* got 0.5 \+ 0.5/],
    [
      'fewer samples than parts',
      single(1, 1),
      { validation: 0.3, test: 0.3 },
      /samples: expected at least 3 for 3 parts, got 2/,
    ],
    ['one group', { labels: [0, 1, 1], groups: ['a', 'a', 'a'] }, {}, /groups: expected at least 2 for 2 parts, got 1/],
    [
      'rows without a group',
      { labels: [0, 1, 0, 1, 1], groups: ['a', '', undefined, ' ', null], files: ['1', '2', '3', '4', '5'] },
      {},
      /groups: expected one for each of 5 samples, got none for 4: 2, 3, 4 and 1 more/,
    ],
  ])('refuses %s', (_, table, options, message) => {
    expect(() => holdOut(table, options)).toThrow(message);
    expect(() => holdOut(table, options)).toThrow(InputError);
  });

  test('refuses columns of other lengths', () => {
    expect(() => holdOut({ labels: [0, 1], groups: ['a'] })).toThrow(ShapeError);
    expect(() => holdOut({ labels: [0, 1], files: ['a'] })).toThrow(/files: expected 2, one for each label, got 1/);
  });
});

describe('kFolds', () => {
  test('single samples: folds of equal size with equal classes', () => {
    const table = single(25, 15);
    const { folds, absent } = kFolds(table, { folds: 5, seed: 2 });
    for (const { train, heldOut } of folds) {
      expect([countOf(table, heldOut, 0), countOf(table, heldOut, 1), train.length]).toEqual([5, 3, 32]);
    }
    expect(absent).toEqual([]);
  });

  test('a class with fewer samples than folds is absent from some, which are named', () => {
    const { absent } = kFolds(single(20, 2), { folds: 4 });
    expect(absent.length).toBe(2);
    expect(absent[0].message).toMatch(/^fold \d has no sample of class 1$/);
  });

  test.each([1, 0, 2.5, Number.NaN])('refuses %d folds', (folds) => {
    expect(() => kFolds(single(5, 5), { folds })).toThrow(/folds: expected a whole number of at least 2/);
  });

  test('refuses more folds than groups', () => {
    const table = { labels: [0, 1, 0, 1], groups: ['a', 'a', 'b', 'b'] };
    expect(() => kFolds(table, { folds: 3 })).toThrow(/groups: expected at least 3 for 3 folds, got 2/);
    expect(() => kFolds(single(1, 1), { folds: 3 })).toThrow(/samples: expected at least 3/);
  });
});

test('dividedGroups names groups with samples in several parts', () => {
  expect(dividedGroups(['a', 'b', 'a', 'c', 'b'], ['train', 'test', 'test', 'train', 'test'])).toEqual(['a']);
  expect(dividedGroups([], [])).toEqual([]);
  expect(() => dividedGroups(['a'], [])).toThrow(InputError);
});
