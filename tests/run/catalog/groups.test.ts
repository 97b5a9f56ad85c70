import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RandomGenerator } from '../../../src/random.js';
import { csv } from '../../../src/run/catalog/datasets/csv.js';
import { folder } from '../../../src/run/catalog/datasets/folder.js';
import type { HoldOut, OpenedData, OpenOptions } from '../../../src/run/catalog/datasets/namedDataset.js';
import { preprocessing } from '../../../src/vision/images/preprocess.js';
import { temporaryFolder } from '../../temporary.js';

const root = temporaryFolder();
const images = preprocessing({ size: 8 });
const parts = ['train', 'validation', 'test'] as const;

/** A table of pictures, which are never decoded here. */
function table(name: string, rows: readonly (readonly string[])[], header = 'file,label,patient'): string {
  const place = join(root, name);
  mkdirSync(place, { recursive: true });
  for (const [file] of rows) writeFileSync(join(place, file), '');
  const path = join(place, 'table.csv');
  writeFileSync(path, [header, ...rows.map((row) => row.join(','))].join('\n'));
  return path;
}

const open = (location: string, holdOut: HoldOut, options: Partial<OpenOptions> = {}) =>
  csv.open({ location, images, holdOut, group: 'patient', ...options });

/** Names and groups of the pictures of each part. */
async function contents(data: OpenedData) {
  const wanted = parts.filter((part) => part !== 'test' || data.hasTest);
  const found = await Promise.all(wanted.map((part) => data.open(part)));
  return found.map((split) =>
    Array.from({ length: split.dataset.length }, (_, i) => ({ name: split.nameOf(i), group: split.groupOf(i) })),
  );
}

describe('a split by groups', () => {
  it('never has a group on two sides, has each picture once, and follows from its seed', async () => {
    const generator = new RandomGenerator(7);
    for (let round = 0; round < 40; round++) {
      const patients = 6 + generator.int(20);
      const rows = Array.from({ length: patients }, (_, patient) =>
        Array.from({ length: 1 + generator.int(4) }, (_, eye) => [
          `${patient}-${eye}.png`,
          patient < 4 ? ['a', 'b'][patient % 2] : ['a', 'b'][generator.int(2)],
          `P${patient}`,
        ]),
      ).flat();
      const path = table(`round${round}`, rows);
      const holdOut = { share: 0.1 + generator.int(30) / 100, ...(round % 2 === 0 && { test: 0.2 }), seed: round };
      const found = await contents(await open(path, holdOut));
      expect(found).toHaveLength(round % 2 === 0 ? 3 : 2);
      const groups = found.map((part) => new Set(part.map(({ group }) => group)));
      for (const own of groups) expect(own.size).toBeGreaterThan(0);
      expect(new Set(groups.flatMap((own) => [...own])).size).toBe(groups.reduce((sum, { size }) => sum + size, 0));
      expect(
        found
          .flat()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(rows.map(([file]) => file).sort());
      expect(await contents(await open(path, holdOut))).toEqual(found);
    }
  });

  const rows = Array.from({ length: 12 }, (_, i) => [`${i}.png`, i % 4 < 2 ? 'a' : 'b', `P${i >> 1}`]);

  it('that was made before comes back, without pictures that it does not have', async () => {
    const path = table('before', rows);
    const first = await contents(await open(path, { share: 0.3, test: 0.2, seed: 1 }));
    const pictures = new Map(
      first.flatMap((part, i) => part.map(({ name, group }) => [name, { role: parts[i], group }] as const)),
    );
    table('before', [...rows, ['new.png', 'a', 'P0']]);
    const other = { share: 0.4, seed: 9 };
    const again = await open(path, other, { group: undefined, split: { pictures, unreadable: [], mayDiffer: false } });
    expect(await contents(again)).toEqual(first);
    expect(again.notes.join()).toContain('that the split of the run does not have are left out: new.png');
    const differing = await open(path, other, {
      group: undefined,
      split: { pictures, unreadable: [], mayDiffer: true },
    });
    expect((await contents(differing)).flat()).toHaveLength(13);
  });

  it('keeps pictures of a patient with two classes together, and says so', async () => {
    const data = await open(table('mixed', [...rows, ['odd.png', 'b', 'P0']]), { share: 0.3, seed: 1 });
    expect(data.notes.join()).toContain('groups with pictures of several classes stay together all the same: P0');
  });

  it('is refused for a row without a group, one group, no such column, and groups that a column of parts divides', async () => {
    const holdOut = { share: 0.3, seed: 1 };
    const missing = table('missing', [...rows, ['none.png', 'a', '']]);
    await expect(open(missing, holdOut)).rejects.toThrow(
      'expected a group in each row of the column patient, got none in row 14 (none.png)',
    );
    const single = await open(
      table(
        'single',
        rows.map(([file, label]) => [file, label, 'P']),
      ),
      holdOut,
    );
    await expect(single.open('train')).rejects.toThrow('groups: expected at least 2 for 2 parts, got 1');
    await expect(open(table('plain', rows), holdOut, { group: 'eye' })).rejects.toThrow("expected one column 'eye'");
    const divided = table(
      'divided',
      rows.map((row, i) => [...row, i < 7 ? 'train' : 'val']),
      'file,label,patient,split',
    );
    await expect(open(divided, holdOut)).rejects.toThrow(
      'groups: expected each in one part of the data, got pictures of P3',
    );
    await expect(open(divided, { ...holdOut, test: 0.2 }, { group: undefined })).rejects.toThrow(
      'expected one share, since the data have parts of their own',
    );
  });

  it('finds groups of a folder by an expression', async () => {
    const location = join(root, 'folder');
    for (const name of ['a', 'b']) {
      mkdirSync(join(location, name), { recursive: true });
      for (let i = 0; i < 8; i++) writeFileSync(join(location, name, `p${i >> 1}_${i % 2}.png`), 'x');
    }
    const holdOut = { share: 0.3, seed: 2 };
    const found = await contents(await folder.open({ location, images, holdOut, group: '/(p\\d+)_' }));
    const [train, validation] = found.map((part) => new Set(part.map(({ group }) => group)));
    expect([...train].filter((group) => validation.has(group))).toEqual([]);
    expect(new Set([...train, ...validation])).toEqual(new Set(['p0', 'p1', 'p2', 'p3']));
    const refused = (group: string) => folder.open({ location, images, holdOut, group });
    await expect(refused('(')).rejects.toThrow('[folder] group: expected a regular expression');
    await expect(refused('/(p[12])_')).rejects.toThrow('finds a group in each path, got none in a/p0_0.png');
  });
});
