import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { FileError, InputError } from '../../../src/errors.js';
import { DataLoader } from '../../../src/io/data/dataloader.js';
import { CsvDataset } from '../../../src/vision/datasets/csvDataset.js';
import { FileFinder } from '../../../src/vision/datasets/fileFinder.js';
import { DatasetFolder, ImageFolder } from '../../../src/vision/datasets/folder.js';
import type { ImageFileDataset, ImageFilesOptions } from '../../../src/vision/datasets/reading/imageFiles.js';
import { preprocess } from '../../../src/vision/images/preprocess.js';
import { itWith } from '../../needs.js';
import { folderPerTest, writeInto } from '../../temporary.js';
import { makeWorkbook } from '../../zipWriter.js';
import { halfJpeg, jpeg } from '../pictures.js';

let folder: string;
folderPerTest((path) => {
  folder = path;
});

const options = { size: [3, 5] as const, cache: false };

async function write(...names: string[]): Promise<void> {
  for (const name of names) {
    writeInto(folder, name, name.includes('bad') ? await halfJpeg() : await jpeg(name));
  }
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

const relative = (paths: readonly { readonly path: string }[]) =>
  paths.map(({ path }) => path.slice(folder.length + 1));

describe('DatasetFolder', () => {
  it('takes folders for classes, in the order of their names', async () => {
    await write(
      'dog/1.jpg',
      'dog/more/0.JPEG',
      'cat/b.jpg',
      'cat/a.jpg',
      'stray.jpg',
      'Zebra/z.png',
      'dog/.hidden.jpg',
    );
    writeFileSync(join(folder, 'dog/notes.txt'), 'no picture');
    const dataset = await DatasetFolder.open(folder, options);
    expect(dataset.classNames).toEqual(['Zebra', 'cat', 'dog']);
    expect(relative(dataset.files)).toEqual(['Zebra/z.png', 'cat/a.jpg', 'cat/b.jpg', 'dog/1.jpg', 'dog/more/0.JPEG']);
    expect(dataset.files.map(({ label }) => label)).toEqual([0, 1, 1, 2, 2]);
    expect(dataset).toMatchObject({ length: 5, quarantine: [] });
  });

  it('gives images from −1 to 1: as promises at first, at once from memory', async () => {
    await write('a/1.jpg', 'b/2.jpg', 'b/3.jpg');
    const dataset = await DatasetFolder.open(folder, options);
    const first = dataset.readBatch([2, 0]);
    expect(first).toBeInstanceOf(Promise);
    const batch = await first;
    expect(batch.shape).toEqual([2, 3, 3, 5]);
    expect([...batch.labels]).toEqual([1, 0]);
    const { pixels } = await preprocess(join(folder, 'b/3.jpg'), options);
    expect([...batch.images.subarray(0, 45)]).toEqual(
      Array.from(pixels, (x) => Math.fround(Math.fround(x / 255) * 2) - 1).map(Math.fround),
    );
    expect(dataset.readBatch([2, 0])).toEqual(batch);
    expect(await dataset.get(2)).toEqual({ image: batch.images.slice(0, 45), shape: [3, 3, 5], label: 1 });
    const shapes = [];
    for await (const [images, labels] of new DataLoader(dataset, { batchSize: 2 }))
      shapes.push([images.shape, labels.shape]);
    expect(shapes).toEqual([
      [[2, 3, 3, 5], [2]],
      [[1, 3, 3, 5], [1]],
    ]);
    for (const index of [-1, 3, 0.5]) {
      expect(() => dataset.readBatch([index])).toThrow(`index: expected an integer from 0 to 2, got ${index}`);
    }
  });

  it('fails at a bad picture when it is read, or lists it and continues', async () => {
    await write('a/1.jpg', 'a/bad.jpg', 'b/bad.jpg', 'b/2.jpg');
    const strict = await DatasetFolder.open(folder, options);
    expect(strict.length).toBe(4);
    const error = await Promise.resolve(strict.get(1)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(/a\/bad\.jpg: .*; replace it or leave it out with `onBadImage: 'skip'`/);
    const progress: number[] = [];
    const lenient = await DatasetFolder.open(folder, {
      ...options,
      onBadImage: 'skip',
      onProgress: ({ done, total }) => progress.push(done, total),
    });
    expect(relative(lenient.files)).toEqual(['a/1.jpg', 'b/2.jpg']);
    expect(lenient.files.map(({ label }) => label)).toEqual([0, 1]);
    expect(relative(lenient.quarantine)).toEqual(['a/bad.jpg', 'b/bad.jpg']);
    expect(lenient.quarantine[0].reason).toMatch(/^expected an intact picture, got .+; replace it or leave it out$/);
    expect(progress).toEqual([1, 4, 2, 4, 3, 4, 4, 4]);
    expect(lenient.readBatch([0, 1])).not.toBeInstanceOf(Promise);
    expect(readdirSync(join(folder, 'a'))).toEqual(['1.jpg', 'bad.jpg']);
  });

  it('refuses folders that are no classes', async () => {
    await write('stray.jpg');
    expect(await failure(DatasetFolder.open(folder))).toMatch(
      /expected a folder for each class, got none but a picture directly in the folder; make a folder/,
    );
    expect(await failure(DatasetFolder.open(join(folder, 'none')))).toMatch(
      /none: expected a readable folder, got ENOENT/,
    );
    await write('a/1.jpg', 'b/bad.jpg');
    expect(await failure(DatasetFolder.open(folder, { ...options, onBadImage: 'skip' }))).toMatch(
      /expected a picture that can be read in each class, got none in b;/,
    );
    expect(await failure(DatasetFolder.open(folder, { onBadImage: 'delete' as 'skip' }))).toMatch(
      /onBadImage: expected 'fail' or 'skip', got 'delete'/,
    );
  });

  itWith('user', 'says that a folder may not be read', async () => {
    await write('a/1.jpg');
    chmodSync(join(folder, 'a'), 0);
    expect(await failure(DatasetFolder.open(folder))).toMatch(/a: expected a readable folder, got EACCES/);
    chmodSync(join(folder, 'a'), 0o755);
  });
});

describe('ImageFolder', () => {
  it('takes all pictures, without classes', async () => {
    await write('b.jpg', 'sub/a.jpg', 'bad.jpg');
    const dataset = await ImageFolder.open(folder, { ...options, onBadImage: 'skip' });
    expect(relative(dataset.files)).toEqual(['b.jpg', 'sub/a.jpg']);
    expect(relative(dataset.quarantine)).toEqual(['bad.jpg']);
    expect(dataset.classNames).toEqual([]);
    expect((await dataset.get(0)).label).toBe(-1);
  });

  it('refuses a folder without pictures, or without one that can be read', async () => {
    expect(await failure(ImageFolder.open(folder))).toMatch(/expected pictures .*, got none/);
    await write('bad.jpg');
    expect(await failure(ImageFolder.open(folder, { ...options, onBadImage: 'skip' }))).toMatch(
      /expected one that can be read, got none of 1; .*bad\.jpg: expected an intact picture/,
    );
  });
});

describe('CsvDataset', () => {
  const table = (contents: string | Uint8Array, name = 'list.csv') => {
    writeFileSync(join(folder, name), contents);
    return join(folder, name);
  };

  it('reads files and classes by the names of the columns', async () => {
    await write('x/1.jpg', '2.jpg', '3.jpg');
    const path = table('id,kind,path\n1,dog,2.jpg\n2,cat,x/1.jpg\n3,dog,3.jpg\n');
    const columns = { ...options, fileColumn: 'path', labelColumn: 'kind' };
    const dataset = await CsvDataset.open(path, columns);
    expect(dataset.classNames).toEqual(['cat', 'dog']);
    expect(relative(dataset.files)).toEqual(['2.jpg', 'x/1.jpg', '3.jpg']);
    expect(dataset.files.map(({ label }) => label)).toEqual([1, 0, 1]);
    expect((await dataset.get(1)).shape).toEqual([3, 3, 5]);
    const other = await CsvDataset.open(path, { ...columns, classNames: ['fox', 'dog', 'cat'] });
    expect(other.files.map(({ label }) => label)).toEqual([1, 2, 1]);
    const sheet = table(
      makeWorkbook([
        ['label', 'file'],
        [10, '2.jpg'],
        [9, '3.jpg'],
      ]),
      'list.xlsx',
    );
    const numbers = await CsvDataset.open(sheet, options);
    expect([numbers.classNames, numbers.files.map(({ label }) => label)]).toEqual([
      ['9', '10'],
      [1, 0],
    ]);
    const elsewhere = table('file,label\n1.jpg,a\n', 'sub.csv');
    expect((await CsvDataset.open(elsewhere, { ...options, root: join(folder, 'x') })).length).toBe(1);
  });

  it('skips bad pictures and keeps the classes', async () => {
    await write('1.jpg', 'bad.jpg');
    const path = table('file,label\nbad.jpg,a\n1.jpg,b\n');
    const dataset = await CsvDataset.open(path, { ...options, onBadImage: 'skip' });
    expect([dataset.classNames, dataset.files.map(({ label }) => label)]).toEqual([['a', 'b'], [1]]);
    expect(relative(dataset.quarantine)).toEqual(['bad.jpg']);
    expect(readFileSync(path, 'utf8')).toContain('bad.jpg');
  });

  it.each([
    ['no such column', 'what,label\n1.jpg,a\n', /one column 'file', got columns what, label; name .*`fileColumn`/],
    [
      'two such columns',
      'file,label,label\n1.jpg,a,b\n',
      /expected one column 'label', got label and label; name the columns/,
    ],
    ['no rows', 'file,label\n', /expected rows below the header, got none/],
    ['no file', 'file,label\n1.jpg,a\n,b\n', /expected a file in each row, got none in row 3; correct the table/],
    [
      'no class',
      'file,label\n1.jpg,\n2.jpg\n',
      /expected a class in each row, got none in row 2 \(1\.jpg\), 3 \(2\.jpg\)/,
    ],
    [
      'a file twice',
      'file,label\n1.jpg,a\n./1.jpg,b\n',
      /one class for each file, got 'a' in row 2 \(1\.jpg\) and 'b' in row 3 \(\.\/1\.jpg\); correct/,
    ],
    [
      'more cells than columns',
      'file,label\n1.jpg,a\n2,5.jpg,b\n',
      /expected 2 columns as .*, got more .* in row 3 \(2\)/,
    ],
    ['a web address', 'file,label\nhttps://x.org/1.jpg,a\n', /got a web address in row 2/],
    ['a folder', 'file,label\nsub,a\n', /got a missing one in row 2 \(sub\)/],
    ['a name that fits two', 'file,label\n3,a\n', /got a name that fits 3\.jpg and 3\.png in row 2 \(3\)/],
    [
      'missing files',
      'file,label\n1.jpg,a\nnone.jpg,b\n',
      /expected files in .*, got a missing one in row 3 \(none\.jpg\)/,
    ],
  ])('refuses a table with %s', async (_, contents, message) => {
    await write('1.jpg', '2.jpg', '3.jpg', '3.png', 'sub/x.jpg');
    expect(await failure(CsvDataset.open(table(contents)))).toMatch(message);
  });

  it('finds columns by usual names in any case, or without names', async () => {
    await write('1.jpg', '2.jpg');
    for (const header of ['File,Label', 'image_path,Class', 'IMG,target', 'id,label', 'Filename,category']) {
      const dataset = await CsvDataset.open(table(`${header}\n1.jpg,b\n2,a\n`), options);
      expect([relative(dataset.files), dataset.classNames]).toEqual([
        ['1.jpg', '2.jpg'],
        ['a', 'b'],
      ]);
      expect(dataset.notes).toEqual([expect.stringContaining(`files in the column ${header.split(',')[0]}`)]);
    }
    const bare = await CsvDataset.open(table('b,1.jpg\na,2.jpg\n'), options);
    expect([relative(bare.files), bare.labels]).toEqual([['1.jpg', '2.jpg'], Int32Array.of(1, 0)]);
    expect(bare.notes[0]).toMatch(/list\.csv: no names of columns; files in column 2, classes in column 1$/);
    const named = await CsvDataset.open(table('file,label,x,y\n-,-,1.jpg,a\n'), { fileColumn: 'X', labelColumn: 'y' });
    expect([relative(named.files), named.classNames]).toEqual([['1.jpg'], ['a']]);
    expect(await failure(CsvDataset.open(table('a,b,c\n'), { fileColumn: 'd' }))).toMatch(
      /one column 'd' \(fileColumn\)/,
    );
  });

  it('takes labels for numbers if all are, and says so', async () => {
    await write('1.jpg', '2.jpg', '3.jpg', '4.jpg');
    const classesOf = async (...labels: string[]) => {
      const rows = labels.map((label, i) => `${i + 1}.jpg;${label}\n`);
      const dataset = await CsvDataset.open(table(`file;label\n${rows.join('')}`), options);
      return [dataset.classNames, [...dataset.labels], dataset.notes.map((note) => note.replace(/^.*: /, ''))];
    };
    expect(await classesOf('1', '1.0', '10', '2')).toEqual([
      ['1', '2', '10'],
      [0, 0, 2, 1],
      ['labels 1 and 1.0 are one class, 1'],
    ]);
    expect(await classesOf('007', '7', '-0', '0,0')).toEqual([
      ['0', '7'],
      [1, 1, 0, 0],
      ['labels -0 and 0,0 are one class, 0', 'labels 007 and 7 are one class, 7'],
    ]);
    expect(await classesOf('007', '008')).toEqual([['007', '008'], [0, 1], []]);
    expect(await classesOf('12345678901234567890', '12345678901234567891')).toMatchObject({ 1: [0, 1] });
    expect(await classesOf('1', '1.0', 'x')).toEqual([['1', '1.0', 'x'], [0, 1, 2], []]);
    expect(await classesOf('True', 'FALSE', 'true')).toMatchObject({ 0: ['FALSE', 'true'], 1: [1, 0, 1] });
    expect(await classesOf('cafe\u0301', 'caf\u00e9', 'Bar')).toEqual([['Bar', 'caf\u00e9'], [1, 1, 0], []]);
    const known = await CsvDataset.open(table('file,label\n1.jpg,1.0\n'), { ...options, classNames: ['0', '1'] });
    expect([...known.labels]).toEqual([1]);
    expect(known.relabelled(['01', '00']).files[0].label).toBe(0);
  });

  it('finds files in other spellings', async () => {
    await write('caf\u00e9/Bu\u0308cher.jpg', 'sub/b.jpg', '=c.jpg', "'d'.jpg", 'e.x.png');
    const names = [
      'cafe\u0301/B\u00fccher.jpg',
      '.\\sub\\b.jpg',
      "'=c.jpg",
      "'d'.jpg",
      'e.x',
      ` ${folder}/sub/../sub/b `,
    ];
    const dataset = await CsvDataset.open(
      table(`file,label\n${names.map((name) => `${name},a\n`).join('')}"file://${folder}/e.x.png",a\n`),
      options,
    );
    const found = ['caf\u00e9/Bu\u0308cher.jpg', 'sub/b.jpg', '=c.jpg', "'d'.jpg", 'e.x.png'];
    expect(relative(dataset.files)).toEqual(found);
    expect(dataset.notes[0]).toMatch(/again with the same class count once: row 7 \(.*\/b\), row 8 \(file:/);
    expect(
      await failure(CsvDataset.open(table('file,label,split\ne.x,a,train\ne.x.png,a,val\n'), { splitColumn: 'split' })),
    ).toMatch(/expected one part for each file, got 'train' in row 2 \(e\.x\) and 'val' in row 3/);
  });

  it('opens files of folders that may not be listed', async () => {
    await write('sub/b.jpg');
    const list = (path: string) =>
      path.endsWith('sub')
        ? Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }))
        : readdir(path, { withFileTypes: true });
    const finder = new FileFinder(folder, list);
    expect(await finder.find('sub/b.jpg')).toEqual({ path: join(folder, 'sub/b.jpg') });
    expect(await finder.find('sub/c.jpg')).toEqual({ problem: 'a missing one' });
  });

  it('does not look for a name of thousands of folders', async () => {
    let looks = 0;
    const finder = new FileFinder(folder, async () => {
      looks++;
      return [];
    });
    expect(await finder.find('a/'.repeat(3000))).toEqual({ problem: 'a missing one' });
    expect(looks).toBe(0);
  });

  it('refuses classes that were not given, or were given twice', async () => {
    await write('1.jpg', '2.jpg');
    const path = table('file,label\n1.jpg,a\n2.jpg,b\n');
    expect(await failure(CsvDataset.open(path, { classNames: ['a'] }))).toMatch(
      /expected classes a, got b in row 3 \(2\.jpg\); correct/,
    );
    expect(await failure(CsvDataset.open(path, { classNames: ['a', 'a', 'b'] }))).toMatch(
      /each name once, got a, a, b/,
    );
  });
});

describe('photographs', () => {
  it('have their channels in the order red, green, blue, unless another one is asked for', async () => {
    const background = { r: 255, g: 128, b: 0 };
    const picture = await sharp({ create: { width: 4, height: 4, channels: 3, background } })
      .png()
      .toBuffer();
    for (const name of ['orange/1.png', 'orange/2.png']) writeInto(folder, name, picture);
    writeFileSync(join(folder, 'labels.csv'), 'file,label\norange/1.png,orange\norange/2.png,orange\n');
    const open = (more: ImageFilesOptions = {}) => {
      const given = { size: 1, cache: false, ...more };
      return [
        DatasetFolder.open(folder, given),
        ImageFolder.open(folder, given),
        CsvDataset.open(join(folder, 'labels.csv'), given),
      ];
    };
    const expected = [1, (128 / 255) * 2 - 1, -1];
    const channelsOf = async (dataset: ImageFileDataset) =>
      Array.from((await dataset.readBatch([0])).images, (value) => value.toFixed(4));
    const texts = (values: readonly number[]) => values.map((value) => value.toFixed(4));
    for (const dataset of await Promise.all(open())) expect(await channelsOf(dataset)).toEqual(texts(expected));
    for (const dataset of await Promise.all(open({ order: 'BGR' }))) {
      expect(await channelsOf(dataset)).toEqual(texts(expected.toReversed()));
    }
  });
});
