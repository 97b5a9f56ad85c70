import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dividedGroups, holdOut, kFolds, type SplitTable } from '../../../src/io/index.js';
import { fuzzing } from '../../fuzzing.js';

interface GroupedTable extends SplitTable {
  readonly labels: readonly number[];
  readonly groups: readonly string[];
}

/** Tables with 12 to 80 groups of one to five samples in any order; some groups have several labels. */
const tables: fc.Arbitrary<GroupedTable> = fc
  .record({
    groups: fc.array(
      fc.record({
        size: fc.integer({ min: 1, max: 5 }),
        label: fc.integer({ min: 0, max: 3 }),
        other: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 6 }),
      }),
      { minLength: 12, maxLength: 80 },
    ),
    order: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 400, maxLength: 400 }),
  })
  .map(({ groups, order }) => {
    const rows = groups.flatMap(({ size, label, other }, g) =>
      Array.from({ length: size }, (_, i) => ({ label: i === 0 ? label : (other ?? label), group: `patient ${g}` })),
    );
    rows.sort((a, b) => order[rows.indexOf(a)] - order[rows.indexOf(b)]);
    return { labels: rows.map(({ label }) => label), groups: rows.map(({ group }) => group) };
  });

const seeds = fc.integer({ min: 0, max: 1000 });
const cases = fuzzing('splits', 300, { seed: 20260107 });

function partsOf(table: GroupedTable, parts: readonly Uint32Array[]): string[] {
  const part = new Array<string>(table.labels.length).fill('');
  parts.forEach((samples, p) => {
    for (const i of samples) part[i] += `part ${p}`;
  });
  return part;
}

/** A group may overshoot the size of its part; so may the last sample of each class. */
function expectNear(table: GroupedTable, samples: Uint32Array, share: number): void {
  const largest = 5;
  expect(Math.abs(samples.length - share * table.labels.length)).toBeLessThanOrEqual(largest + 1);
  for (const label of new Set(table.labels)) {
    const all = table.labels.filter((own) => own === label).length;
    const own = samples.filter((i) => table.labels[i] === label).length;
    expect(Math.abs(own - share * all)).toBeLessThanOrEqual(2 * largest);
  }
}

test('hold-out: every sample once, no group on both sides, sizes and classes near their targets', () =>
  fc.assert(
    fc.property(
      tables,
      seeds,
      fc.constantFrom([0.2, 0], [0.2, 0.2], [0.15, 0.25]),
      (table, seed, [validation, held]) => {
        const split = holdOut(table, { validation, test: held, seed });
        const parts = partsOf(table, [split.train, split.validation, split.test]);
        expect(parts.every((part) => /^part \d$/.test(part))).toBe(true);
        expect(dividedGroups(table.groups, parts)).toEqual([]);
        expectNear(table, split.train, 1 - validation - held);
        expectNear(table, split.validation, validation);
        expectNear(table, split.test, held);
        for (const { part, label } of split.absent) {
          const samples = split[part as 'train' | 'validation' | 'test'];
          expect(samples.every((i) => table.labels[i] !== label)).toBe(true);
        }
      },
    ),
    cases,
  ));

test('folds: every sample is held out once, no group on both sides, sizes and classes near their targets', () =>
  fc.assert(
    fc.property(tables, seeds, fc.integer({ min: 2, max: 10 }), (table, seed, count) => {
      const { folds, absent } = kFolds(table, { folds: count, seed });
      const heldOut = partsOf(
        table,
        folds.map((fold) => fold.heldOut),
      );
      expect(heldOut.every((part) => /^part \d$/.test(part))).toBe(true);
      expect(dividedGroups(table.groups, heldOut)).toEqual([]);
      for (const fold of folds) {
        const sides = partsOf(table, [fold.train, fold.heldOut]);
        expect(sides.every((side) => /^part \d$/.test(side))).toBe(true);
        expect(dividedGroups(table.groups, sides)).toEqual([]);
        expectNear(table, fold.heldOut, 1 / count);
      }
      const labels = [...new Set(table.labels)];
      const missing = folds.flatMap(({ heldOut }, i) =>
        labels
          .filter((label) => !heldOut.some((s) => table.labels[s] === label))
          .map((label) => `fold ${i + 1}: ${label}`),
      );
      expect(absent.map(({ part, label }) => `${part}: ${label}`).sort()).toEqual(missing.sort());
    }),
    cases,
  ));

test('without groups sizes are off by little more than rounding', () =>
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 10, maxLength: 200 }), seeds, (labels, seed) => {
      const { train, validation } = holdOut({ labels }, { validation: 0.3, seed });
      expect(train.length + validation.length).toBe(labels.length);
      expect(Math.abs(validation.length - 0.3 * labels.length)).toBeLessThanOrEqual(2.5);
      for (const label of new Set(labels)) {
        const all = labels.filter((own) => own === label).length;
        const own = validation.filter((i) => labels[i] === label).length;
        expect(Math.abs(own - 0.3 * all)).toBeLessThanOrEqual(2.5);
      }
    }),
    cases,
  ));
