import { expect, test } from 'vitest';
import { RandomGenerator } from '../../src/random.js';
import type { OpenedData } from '../../src/run/catalog/datasets.js';
import { FoldPlan } from '../../src/run/folds/plan.js';

interface Row {
  readonly file: string;
  readonly label: number;
  readonly group: string | null;
}

/** Data of which the first pictures are for training, and the last one for the test. */
function data(rows: readonly Row[], tested: readonly Row[] = []): OpenedData {
  const half = Math.ceil(rows.length / 2);
  const parts = { train: rows.slice(0, half), validation: rows.slice(half), test: tested };
  return {
    classNames: ['a', 'b', 'rare'],
    hasTest: tested.length > 0,
    open: async (split: keyof typeof parts) => ({
      files: parts[split].map(({ file, label }) => ({ path: `/${file}`, label })),
      nameOf: (i: number) => parts[split][i].file,
      groupOf: (i: number) => parts[split][i].group,
      unreadable: [],
    }),
  } as unknown as OpenedData;
}

const about = { name: 'folder', folds: 3, seed: 1, group: undefined };

test('no group of random tables is on both sides of a fold, and each picture is held out once', async () => {
  const generator = new RandomGenerator(3);
  for (let round = 0; round < 40; round++) {
    const rows = Array.from({ length: 12 + generator.int(60) }, (_, i) => ({
      file: `${i}.png`,
      label: generator.int(3),
      group: `P${generator.int(10)}`,
    }));
    const folds = 2 + generator.int(3);
    if (new Set(rows.map(({ group }) => group)).size < folds) continue;
    const plan = await FoldPlan.divide(data(rows), { ...about, folds, seed: round });
    const heldOut = new Map<string, number>();
    for (let number = 1; number <= folds; number++) {
      const roles = new Map<string | null, Set<string>>();
      for (const [file, { role, group }] of plan.fold(number).pictures) {
        roles.set(group, (roles.get(group) ?? new Set()).add(role));
        if (role === 'validation') heldOut.set(file, (heldOut.get(file) ?? 0) + 1);
      }
      expect([...roles.values()].every(({ size }) => size === 1)).toBe(true);
    }
    expect(heldOut.size).toBe(rows.length);
    expect([...heldOut.values()].every((times) => times === 1)).toBe(true);
    // The table reads back as the same plan.
    const read = await FoldPlan.read('folds.csv', plan.record, plan.table);
    expect(read.rows).toEqual(plan.rows);
  }
});

test('a class that a fold lacks, and a group of several classes, are named', async () => {
  const rows = Array.from({ length: 12 }, (_, i) => ({ file: `=${i}.png`, label: i % 2, group: `P${i >> 1}` }));
  rows[0] = { ...rows[0], label: 2 };
  const { notes } = await FoldPlan.divide(data(rows), about);
  expect(notes.filter((note) => note.includes('has no sample of class rare'))).toHaveLength(2);
  expect(notes.at(-1)).toContain('groups with pictures of several classes stay together: P0, ');
});

test('test pictures are in no fold', async () => {
  const rows = Array.from({ length: 9 }, (_, i) => ({ file: `${i}.png`, label: i % 3, group: null }));
  const plan = await FoldPlan.divide(data(rows, [{ file: 'test.png', label: 0, group: null }]), about);
  expect(plan.table).toContain('test.png,test,,a');
  for (const number of [1, 2, 3]) expect(plan.fold(number).pictures.get('test.png')?.role).toBe('test');
});

test.each([
  ['a group that is missing in some rows', { group: null }, about, 'got none for 1: 4.png'],
  ['fewer groups than folds', {}, { ...about, folds: 7 }, 'expected at least 7 for 7 folds, got 6'],
  ['data with parts of their own', {}, { ...about, name: 'mnist' }, 'expected folder:DIR, csv:FILE or palm:DIR'],
])('a division with %s is refused', async (_, change, options, message) => {
  const rows: Row[] = Array.from({ length: 12 }, (_, i) => ({ file: `${i}.png`, label: i % 2, group: `P${i >> 1}` }));
  rows[4] = { ...rows[4], ...change };
  await expect(FoldPlan.divide(data(rows), options)).rejects.toThrow(message);
});
