import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { RandomGenerator } from '../../../src/random.js';
import { namedDatasets, type OpenedData, type OpenedSplit } from '../../../src/run/catalog/datasets.js';
import { preprocessing } from '../../../src/vision/images/preprocess.js';
import { fuzzing } from '../../fuzzing.js';
import { temporaryFolder } from '../../temporary.js';

/**
 * Random folders and tables are made from a meaning: classes, parts, and files that are no data. The data read from
 * the disk must have that meaning again. Nothing here looks at names the way the sources do: a spelling is sampled
 * from a list.
 */

const base = temporaryFolder();
const sources = join(base, 'sources');

type Role = 'train' | 'validation' | 'test';
const roles: readonly Role[] = ['train', 'validation', 'test'];

const spellings: Readonly<Record<Role, readonly string[]>> = {
  train: ['train', 'Train', 'TRAINING', 'trn', 'train_set', 'Training Data', 'train2017', '01_train', 'images-train'],
  validation: ['val', 'Validation', 'VALID', 'dev', 'eval', 'val_set', 'validation-images', 'val2017', 'Dev Set'],
  test: ['test', 'Test', 'TESTING', 'tst', 'holdout', 'hold-out', 'test_data', 'Test Set', '3_test'],
};
const plainNames = [
  'cat',
  'dog',
  'Bär',
  '0',
  '10',
  'New York',
  'a.b',
  'x-y',
  'straining',
  'contest',
  'valve',
  'recycled',
];
/** For classes that hold their pictures directly. */
const roleNames = ['train', 'Test', 'val'];
const systemFolders = ['@eaDir', '#recycle', '$RECYCLE.BIN', 'lost+found', '.git', '__MACOSX', '.Trash-1000'];
const pictureEndings = ['.jpg', '.JPG', '.jfif', '.jpe', '', '.png', '.dat', '.Jpeg', '.bmp'];
const pictures = ['a.jpeg', 'b.png', 'c.webp', 'd.gif', 'e.tiff'];
/** Contents that are never data under these endings. */
const foreign = ['bmp', 'heic', 'avif', 'wav', 'text', 'empty'];
const foreignEndings = ['.txt', '.heic', '', '.json', '.bmp', '.AVIF'];

beforeAll(async () => {
  mkdirSync(sources);
  const red = sharp({ create: { width: 4, height: 4, channels: 3, background: '#a01020' } });
  for (const name of pictures) writeFileSync(join(sources, name), await red.toFormat(formatOf(name)).toBuffer());
  const bitmap = Buffer.alloc(58);
  bitmap.write('BM');
  bitmap[14] = 40;
  const contents: Readonly<Record<string, Uint8Array>> = {
    bmp: bitmap,
    heic: Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1'),
    avif: Buffer.from('\0\0\0\x18ftypavif\0\0\0\0', 'latin1'),
    wav: Buffer.from('RIFF\x10\0\0\0WAVEfmt ', 'latin1'),
    text: Buffer.from('BM is no bitmap, P5 no map of grey'),
    empty: Buffer.alloc(0),
  };
  for (const [name, bytes] of Object.entries(contents)) writeFileSync(join(sources, name), bytes);
});

const formatOf = (name: string) => name.split('.')[1] as 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff';

/** A folder that is being made, and what it means. */
class Making {
  readonly root: string;
  readonly expected: { path: string; className: string; role: Role | null }[] = [];
  /** Number of files that are no data, without those in folders of systems. */
  passedOver = 0;
  #count = 0;

  constructor(
    readonly random: RandomGenerator,
    number: number,
  ) {
    this.root = join(base, `case-${number}`);
    mkdirSync(this.root);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.int(items.length)];
  }

  some<T>(items: readonly T[], least: number, most: number): T[] {
    const order = this.random.permutation(items.length);
    return Array.from(order.subarray(0, least + this.random.int(most - least + 1)), (i) => items[i]);
  }

  chance(share: number): boolean {
    return this.random.int(1000) < 1000 * share;
  }

  write(path: string, source: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    linkSync(join(sources, source), join(this.root, path));
  }

  picture(folder: string, endings = pictureEndings): string {
    const path = join(folder, `p${this.#count++}${this.pick(endings)}`);
    this.write(path, this.pick(pictures));
    return path;
  }

  /** Pictures of a class, some of them in deeper folders. */
  fill(folder: string, className: string, role: Role | null, least: number, nested = true): void {
    const count = least + this.random.int(4);
    for (let i = 0; i < count; i++) {
      const inside = nested && this.chance(0.3) ? join(folder, this.pick(['2019', '2020/may', 'more'])) : folder;
      this.expected.push({ path: this.picture(inside), className, role });
    }
    this.litter(folder);
  }

  /** Files that are no data. */
  litter(folder: string): void {
    while (this.chance(0.3)) {
      this.write(join(folder, `n${this.#count++}${this.pick(foreignEndings)}`), this.pick(foreign));
      this.passedOver++;
    }
    if (this.chance(0.2)) this.picture(join(folder, this.pick(systemFolders), 'thumbnails'));
    if (this.chance(0.1)) this.write(join(folder, `._${this.#count++}.jpg`), 'a.jpeg');
  }

  stray(folder: string): void {
    this.picture(folder);
    this.passedOver++;
  }

  /** An empty folder, or one with an empty one in it. */
  hollow(folder: string): void {
    mkdirSync(join(this.root, folder, ...(this.chance(0.5) ? ['deeper'] : [])), { recursive: true });
  }
}

const open = (root: string) =>
  namedDatasets.folder.open({
    location: root,
    images: preprocessing({ size: 4 }),
    holdOut: { share: 0.25, seed: 1 },
    imageLoading: { cache: false },
  });

const found = (split: OpenedSplit, { classNames }: OpenedData, root: string) =>
  split.files.map(({ path, label }) => `${path.slice(root.length + 1)} ${classNames[label as number]}`).sort();

/** Compares the data read from the folder with its meaning. */
async function compare({ root, expected, passedOver }: Making, data: OpenedData): Promise<void> {
  const wanted = (role: Role | null) =>
    expected.filter((file) => file.role === role).map(({ path, className }) => `${path} ${className}`);
  const present = roles.filter((role) => wanted(role).length > 0);
  const learnt = expected.filter(({ role }) => present.length === 0 || role === 'train');
  expect(data.classNames).toEqual([...new Set(learnt.map(({ className }) => className))].sort());
  expect(data.parts.map(({ role, images }) => [role, images])).toEqual(
    present.map((role) => [role, wanted(role).length]),
  );
  const [train, evaluated, all] = [await data.open('train'), await data.open('validation'), await data.open('all')];
  const [learning, validating] = [found(train, data, root), found(evaluated, data, root)];
  if (present.includes('validation')) {
    expect(learning).toEqual(wanted('train').sort());
    expect(validating).toEqual(wanted('validation').sort());
  } else {
    expect([...learning, ...validating].sort()).toEqual(wanted(present.length === 0 ? null : 'train').sort());
    for (const label of data.classNames.keys()) {
      const count = train.classCounts[label] + evaluated.classCounts[label];
      expect(evaluated.classCounts[label]).toBe(Math.min(count - 1, Math.max(1, Math.round(0.25 * count))));
    }
  }
  if (present.includes('test')) expect(found(await data.open('test'), data, root)).toEqual(wanted('test').sort());
  expect(found(all, data, root)).toEqual(expected.map(({ path, className }) => `${path} ${className}`).sort());
  const files = data.passedOver.filter(({ what }) => !/folders without|hidden or system/.test(what));
  expect(files.reduce((sum, { count }) => sum + count, 0)).toBe(passedOver);
}

/** Makes a folder of one kind. @returns the message of the error that is due, or null */
const kinds: Readonly<Record<string, (making: Making) => RegExp | null>> = {
  classes(making) {
    const names = [...making.some(plainNames, 1, 4), ...making.some(roleNames, 0, 2)];
    for (const name of names) making.fill(name, name, null, 2, !roleNames.includes(name));
    if (names.length === 1) return /got one class/;
    for (const name of making.some(['hollow1', 'hollow2', 'dev'], 0, 2)) making.hollow(name);
    if (making.chance(0.3)) making.stray('.');
    making.litter('.');
    return null;
  },
  parts(making) {
    const classes = making.some(plainNames, 2, 4);
    const present = ['train', ...making.some(['validation', 'test'], 0, 2)] as Role[];
    const folders = present.map((role) => [role, making.pick(spellings[role])] as const);
    for (const [role, folder] of folders) {
      const own = role === 'train' ? classes : making.some(classes, 1, classes.length);
      for (const name of own) making.fill(join(folder, name), name, role, 2);
      for (const name of making.some(['hollow1', 'hollow2'], 0, 1)) making.hollow(join(folder, name));
      making.litter(folder);
    }
    if (folders.length > 1) {
      if (making.chance(0.3)) making.stray(folders[0][1]);
      if (making.chance(0.3)) making.stray('unlabelled');
    }
    // As in competitions: pictures for a test, without classes.
    if (!present.includes('test') && making.chance(0.3)) making.stray('test');
    making.litter('.');
    return null;
  },
  partsInClasses(making) {
    const spelled = roles.map((role) => [role, making.pick(spellings[role])] as const);
    for (const name of making.some(plainNames, 2, 3)) {
      for (const [role, folder] of spelled) making.fill(join(name, folder), name, role, 2);
    }
    return null;
  },
  tooFarUp(making) {
    const [outer, inner] = [making.pick(['photos', 'data set', 'x']), making.chance(0.5) ? ['y'] : []];
    const classes = making.some(plainNames, 2, 3);
    for (const name of classes) making.fill(join(outer, ...inner, name), outer, null, 1);
    const advice = join(making.root, outer, ...inner);
    return new RegExp(`got one class, ${outer}, whose pictures are in its folders .*; give folder:${advice}$`);
  },
  unknownClass(making) {
    const [first, second, third] = making.some(plainNames, 3, 3);
    const [train, other] = [making.pick(spellings.train), making.pick([...spellings.validation, ...spellings.test])];
    for (const name of [first, second]) making.fill(join(train, name), name, 'train', 2);
    for (const name of [first, third]) making.fill(join(other, name), name, 'validation', 1);
    return new RegExp(`got ${third} in the pictures for (validation|test), which training has not`);
  },
  twoFoldersForOnePart(making) {
    const role = making.pick(roles);
    const classes = making.some(plainNames, 2, 2);
    for (const folder of making.some(spellings[role], 2, 2)) {
      for (const name of classes) making.fill(join(folder, name), name, role, 1);
    }
    return new RegExp(`expected one folder for ${role}, got `);
  },
  classOrPart(making) {
    const folder = making.pick(spellings[making.pick(roles)]);
    for (const name of making.some(plainNames, 2, 3)) making.fill(join(folder, name), name, null, 1);
    making.fill(making.pick(['bus', 'car']), 'other', null, 1);
    return /if .* is a class, put its pictures directly into it or rename it/;
  },
  foreignClass(making) {
    const [first, second, third] = making.some(plainNames, 3, 3);
    for (const name of [first, second]) making.fill(name, name, null, 2);
    making.write(join(third, 'x.jpg'), 'heic');
    making.litter(third);
    return /expected pictures that can be read, got \d+ of the format (HEIC|BMP|AVIF)/;
  },
};

const folders = fuzzing('folders', 60);

it(
  'random folders are read as they were meant',
  async () => {
    const names = Object.keys(kinds);
    for (let i = 0; i < folders.numRuns; i++) {
      const making = new Making(new RandomGenerator(folders.seed).fork(`folder ${i}`), i);
      // Half of the cases are the two usual kinds.
      const kind = making.chance(0.5) ? making.pick(['classes', 'parts']) : making.pick(names);
      try {
        const due = kinds[kind](making);
        const outcome = await open(making.root).then(
          (data) => data,
          (error: Error) => error,
        );
        const message = outcome instanceof Error ? outcome.message : outcome.obstacle;
        if (due !== null) expect(message).toMatch(due);
        else if (outcome instanceof Error) throw outcome;
        else {
          expect(message).toBeNull();
          await compare(making, outcome);
        }
      } catch (error) {
        throw new Error(`case ${i} of seed ${folders.seed}, ${kind}: ${(error as Error).message}`, { cause: error });
      }
      rmSync(making.root, { recursive: true });
    }
  },
  folders.timeout,
);

const tables = fuzzing('tables', 40);

it(
  'random tables are read as they were meant',
  async () => {
    for (let i = 0; i < tables.numRuns; i++) {
      const making = new Making(new RandomGenerator(tables.seed).fork(`table ${i}`), i);
      const classes = making.some(plainNames, 2, 4);
      const present: readonly (Role | null)[] = making.chance(0.3)
        ? [null]
        : (['train', ...making.some(['validation', 'test'], 0, 2)] as Role[]);
      for (const role of present) {
        const own = role === null || role === 'train' ? classes : making.some(classes, 1, classes.length);
        // Each file has a name of its own, since a table may leave endings out.
        for (const name of own) {
          for (let n = 0; n < 2 + making.random.int(3); n++) {
            making.expected.push({ path: making.picture('files', ['.jpg']), className: name, role });
          }
        }
      }
      const order = Array.from(making.random.permutation(making.expected.length), (at) => making.expected[at]);
      const header = ['file', 'label', ...(present[0] === null ? [] : [making.pick(['split', 'Split', 'SPLIT'])])];
      const lines = order.map(({ path, className, role }) =>
        [path, className, ...(role === null ? [] : [making.pick(spellings[role])])].join(','),
      );
      const location = join(making.root, 'list.csv');
      writeFileSync(location, `${[header.join(','), ...lines].join('\n')}\n`);
      const data = await namedDatasets.csv.open({
        location,
        images: preprocessing({ size: 4 }),
        holdOut: { share: 0.25, seed: 1 },
        imageLoading: { cache: false },
      });
      await compare(making, data).catch((error: Error) => {
        throw new Error(`case ${i} of seed ${tables.seed}: ${error.message}\n${lines.join('\n')}`, { cause: error });
      });
      rmSync(making.root, { recursive: true });
    }
  },
  tables.timeout,
);
