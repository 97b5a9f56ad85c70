import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.js';
import {
  namedDatasets,
  type OpenedData,
  type OpenedSplit,
  type OpenOptions,
} from '../../../src/run/catalog/datasets.js';
import type { ImageFileDataset } from '../../../src/vision/datasets/reading/imageFiles.js';
import { preprocessing } from '../../../src/vision/images/preprocess.js';
import { folderPerTest, writeInto } from '../../temporary.js';
import { cifar10Files, pickledBatch, testBatch } from '../../vision/datasets/cifarFiles.js';
import { mnistFiles } from '../../vision/datasets/idx.js';
import { halfJpeg, jpeg } from '../../vision/pictures.js';

let root: string;
folderPerTest((path) => {
  root = path;
});

async function write(...names: string[]): Promise<void> {
  for (const name of names) {
    writeInto(root, name, name.includes('bad') ? await halfJpeg() : await jpeg(name));
  }
}

const open = (kind: string, options: Partial<OpenOptions> = {}) =>
  namedDatasets[kind].open({
    location: root,
    images: preprocessing({ size: 4 }),
    holdOut: { share: 0.25, seed: 1 },
    imageLoading: { cache: false },
    ...options,
  });

const namesIn = ({ dataset }: OpenedSplit) => (dataset as ImageFileDataset).files.map(({ path }) => basename(path));
const labelsOf = ({ dataset }: OpenedSplit) => (dataset as ImageFileDataset).files.map(({ label }) => label);

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

describe('folder:DIR', () => {
  const many = (folder: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${folder}/${folder}${i}.jpg`);

  it('keeps a share of each class back, the same one for the same seed', async () => {
    await write(...many('cat', 8), ...many('dog', 5));
    const data = await open('folder');
    expect(data).toMatchObject({ classNames: ['cat', 'dog'], imageShape: [3, 4, 4], synthetic: false });
    expect(data.holdOut).toEqual({ share: 0.25, seed: 1 });
    const [train, evaluated, all] = [await data.open('train'), await data.open('validation'), await data.open('all')];
    expect(train.classCounts).toEqual([6, 4]);
    expect(evaluated.classCounts).toEqual([2, 1]);
    expect([...namesIn(train), ...namesIn(evaluated)].sort()).toEqual(namesIn(all).sort());
    expect(namesIn(await (await open('folder')).open('validation'))).toEqual(namesIn(evaluated));
    const seeds = await Promise.all(
      [2, 3, 4].map(async (seed) => {
        const other = await open('folder', { holdOut: { share: 0.25, seed } });
        return namesIn(await other.open('validation')).join();
      }),
    );
    expect(new Set([...seeds, namesIn(evaluated).join()]).size).toBeGreaterThan(1);
  });

  it('takes train and validation as they are, and numbers classes by name', async () => {
    await write('train/a/1.jpg', 'train/b/2.jpg', 'train/b/3.jpg', 'val/b/4.jpg');
    const data = await open('folder');
    expect(data.holdOut).toBeNull();
    const evaluated = await data.open('validation');
    expect(namesIn(await data.open('train'))).toEqual(['1.jpg', '2.jpg', '3.jpg']);
    expect(namesIn(evaluated)).toEqual(['4.jpg']);
    expect(labelsOf(evaluated)).toEqual([1]);
    expect(evaluated.classCounts).toEqual([0, 1]);
  });

  it('is evaluated in the order of the classes that a network knows', async () => {
    await write('b/1.jpg', 'c/2.jpg');
    const all = await (await open('folder', { classNames: ['c', 'a', 'b'] })).open('all');
    expect(labelsOf(all)).toEqual([2, 0]);
    expect(all.classCounts).toEqual([1, 0, 1]);
    expect(await failure(open('folder', { classNames: ['a', 'b'] }))).toBe(
      `[folder ${root}] classes: expected a, b, got c as well; rename or leave them out`,
    );
  });

  it('leaves out what cannot be read, if that is wanted', async () => {
    await write('a/1.jpg', 'a/2.jpg', 'b/3.jpg', 'b/4.jpg', 'b/bad.jpg');
    const data = await open('folder', { imageLoading: { cache: false, onBadImage: 'skip' } });
    const all = await data.open('all');
    expect(all.classCounts).toEqual([2, 2]);
    expect(all.unreadable.map(({ path }) => basename(path))).toEqual(['bad.jpg']);
  });

  it('counts each unreadable picture once, with its own part', async () => {
    const imageLoading = { cache: false, onBadImage: 'skip' } as const;
    const unreadable = async (data: OpenedData) =>
      Promise.all(
        (['train', 'validation'] as const).map(async (split) =>
          (await data.open(split)).unreadable.map(({ path }) => basename(path)),
        ),
      );
    await write('a/1.jpg', 'a/2.jpg', 'b/3.jpg', 'b/4.jpg', 'b/bad.jpg');
    expect(await unreadable(await open('folder', { imageLoading }))).toEqual([['bad.jpg'], []]);
    const rows = ['a/1.jpg,a,train', 'b/3.jpg,b,train', 'a/2.jpg,a,val', 'b/4.jpg,b,val'];
    const location = join(root, 'list.csv');
    for (const [part, expected] of [
      ['train', [['bad.jpg'], []]],
      ['val', [[], ['bad.jpg']]],
    ] as const) {
      writeFileSync(location, ['file,label,split', ...rows, `b/bad.jpg,b,${part}`].join('\n'));
      expect(await unreadable(await open('csv', { location, imageLoading }))).toEqual(expected);
    }
  });

  it('takes two spellings of one name for one class, and names what cannot be read', async () => {
    await write('caf\u00e9/1.jpg', 'cafe\u0301/2.jpg', 'b/3.jpg', 'b/4.jpg');
    writeFileSync(Buffer.concat([Buffer.from(`${root}/b/`), Buffer.of(0xfc), Buffer.from('.jpg')]), await jpeg('5'));
    expect(await failure(open('folder'))).toMatch(
      /\/b: expected names in UTF-8, got \\xfc\.jpg; rename it or leave it out with `onBadImage: 'skip'`/,
    );
    const data = await open('folder', { imageLoading: { cache: false, onBadImage: 'skip' } });
    expect(data.classNames).toEqual(['b', 'caf\u00e9']);
    expect((await data.open('all')).classCounts).toEqual([2, 2]);
    expect(data.passedOver).toEqual([
      { what: 'names not in UTF-8', count: 1, examples: ['b/\\xfc.jpg'], isLoss: true },
    ]);
    expect(
      (await open('folder', { imageLoading: { onBadImage: 'skip' }, classNames: ['cafe\u0301', 'b'] })).classNames[0],
    ).toBe('cafe\u0301');
  });

  it('refuses a class with one picture, a share beyond all', async () => {
    await write('a/1.jpg', 'b/2.jpg', 'b/3.jpg');
    const data = await open('folder');
    expect(await failure(data.open('train'))).toMatch(/expected at least 2 pictures of a, .* got 1/);
    const share = await open('folder', { holdOut: { share: 1, seed: 0 } });
    expect(await failure(share.open('train'))).toContain('[hold-out] share: expected a number between 0 and 1, got 1');
  });
});

describe('csv:FILE', () => {
  const table = (...lines: string[]) => writeFileSync(join(root, 'list.csv'), `${lines.join('\n')}\n`);
  const location = () => join(root, 'list.csv');

  it('is divided by the column split', async () => {
    await write('1.jpg', '2.jpg', '3.jpg');
    table('file,label,Split', '1.jpg,b,train', '2.jpg,a,Validation', '3.jpg,a,train');
    const data = await open('csv', { location: location() });
    expect(data).toMatchObject({ classNames: ['a', 'b'], holdOut: null });
    expect(namesIn(await data.open('train'))).toEqual(['1.jpg', '3.jpg']);
    expect(namesIn(await data.open('validation'))).toEqual(['2.jpg']);
    expect((await data.open('all')).classCounts).toEqual([2, 1]);
  });

  it('keeps some back without one', async () => {
    await write('1.jpg', '2.jpg', '3.jpg', '4.jpg');
    table('file,label', '1.jpg,b', '2.jpg,a', '3.jpg,a', '4.jpg,b');
    const data = await open('csv', { location: location() });
    expect((await data.open('train')).classCounts).toEqual([1, 1]);
    expect((await data.open('validation')).classCounts).toEqual([1, 1]);
  });

  it('takes names of columns and a root, which other kinds refuse', async () => {
    await write('x/1.jpg', 'x/2.jpg', 'x/3.jpg');
    table('a;b;c', '1;9;train', '2;9.0;val', '3;8;train');
    const columns = { fileColumn: 'a', labelColumn: 'b', splitColumn: 'c', root: join(root, 'x') };
    const data = await open('csv', { location: location(), imageLoading: { cache: false, table: columns } });
    expect([data.classNames, data.notes]).toEqual([['8', '9'], [expect.stringContaining('9 and 9.0 are one class')]]);
    expect(namesIn(await data.open('validation'))).toEqual(['2.jpg']);
    expect(await failure(open('folder', { imageLoading: { table: { root: 'x' } } }))).toBe(
      '[data] root: expected with a table (csv:FILE) only, got folder of pictures; leave it out',
    );
  });

  it('notes labels that have several names', async () => {
    await write('1.jpg', '2.jpg', '3.jpg');
    table('file,label', '1.jpg,cat', '2.jpg,cat|dog', '3.jpg,a|b');
    const { classNames, notes } = await open('csv', { location: location() });
    expect(classNames).toEqual(['a|b', 'cat', 'cat|dog']);
    expect(notes).toEqual([expect.stringMatching(/each picture has one class: cat\|dog$/)]);
  });

  it('refuses other words in it, and a part without pictures', async () => {
    await write('1.jpg', '2.jpg');
    table('file,label,split', '1.jpg,b,train', '2.jpg,a,tset');
    expect(await failure(open('csv', { location: location() }))).toMatch(
      /expected train, validation .* or test in the column split, got 'tset' for .*2\.jpg/,
    );
    table('file,label,split', '1.jpg,b,train', '2.jpg,a,train');
    const data = await open('csv', { location: location() });
    expect(await failure(data.open('test'))).toContain('pictures for test: expected some, got only those for train');
  });
});

describe('data sets that say themselves which images are for validation', () => {
  const files = (contents: Readonly<Record<string, Uint8Array>>) => {
    for (const [name, content] of Object.entries(contents)) writeFileSync(join(root, name), content);
  };

  it('cifar10:DIR', async () => {
    files(cifar10Files());
    const data = await open('cifar10');
    expect(data).toMatchObject({ title: 'CIFAR-10', imageShape: [3, 32, 32], holdOut: null, images: null });
    const [train, test] = [await data.open('train'), await data.open('validation')];
    expect(train.classCounts).toEqual([0, 1, 1, 1, 2, 2, 1, 1, 1, 0]);
    expect(train.files.map(({ path }) => basename(path))).toEqual([1, 2, 3, 4, 5].map((i) => `data_batch_${i}`));
    expect(test.dataset.length).toBe(3);
    expect(test.source).toBe(`${root}/test_batch`);
    await expect(data.open('all')).rejects.toThrow(
      '[cifar10] split: expected train or validation, got all; choose one',
    );
  });

  it('cifar100:DIR', async () => {
    files({ train: pickledBatch({ ...testBatch, labels: [0, 98, 99] }, { key: 'fine_labels' }) });
    const data = await open('cifar100');
    expect(data.classNames).toHaveLength(100);
    expect((await data.open('train')).classCounts.slice(98)).toEqual([1, 1]);
  });

  it('fashionmnist:DIR', async () => {
    const { images, labels } = mnistFiles(20);
    files({ 't10k-images-idx3-ubyte': images, 't10k-labels-idx1-ubyte': labels });
    const data = await open('fashionmnist');
    expect(data).toMatchObject({ title: 'Fashion-MNIST', imageShape: [1, 28, 28] });
    const test = await data.open('validation');
    expect(test.classCounts).toEqual(Array(10).fill(2));
    expect(test.source).toBe(`folder ${root}`);
    expect(data.classNames[9]).toBe('ankle boot');
  });

  it('make pictures into what their networks take', async () => {
    const white = { r: 255, g: 255, b: 255 };
    const drawn = sharp({ create: { width: 60, height: 30, channels: 3, background: white } }).composite([
      { input: { create: { width: 20, height: 20, channels: 3, background: '#800000' } }, left: 20, top: 5 },
    ]);
    const path = join(root, 'shirt.png');
    writeFileSync(path, await drawn.png().toBuffer());
    const shirt = await namedDatasets.fashionmnist.readImage(path, preprocessing());
    expect(shirt).toMatchObject({ shape: [1, 28, 28], note: '60×30 to 28×28, light background: inverted' });
    // Around it the inverted white and what makes it square; in the middle 255 less the grey of dark red.
    expect([shirt.image[0], shirt.image[14], shirt.image[14 * 28]]).toEqual([0, 0, 0]);
    expect(shirt.image[14 * 28 + 14]).toBeCloseTo((255 - 38) / 255, 5);
    const small = await namedDatasets.cifar10.readImage(path, preprocessing());
    expect(small).toMatchObject({ shape: [3, 32, 32], note: '60×30 to 32×32' });
    const middle = 16 * 32 + 16;
    expect([0, 1, 2].map((c) => small.image[c * 1024 + middle])).toEqual([Math.fround(128 / 255), 0, 0]);
    const png = await namedDatasets.cifar10.picture({ ...small, label: 0 }, preprocessing());
    expect(await sharp(png).metadata()).toMatchObject({ width: 32, height: 32, channels: 3 });
  });
});
