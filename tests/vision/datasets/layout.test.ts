import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.js';
import { namedDatasets, type OpenedData, type OpenOptions } from '../../../src/run/catalog/datasets.js';
import { DatasetFolder } from '../../../src/vision/datasets/folder.js';
import { splitRole } from '../../../src/vision/datasets/splits.js';
import type { TableOptions } from '../../../src/vision/datasets/tableColumns.js';
import { pictureFormat } from '../../../src/vision/images/formats.js';
import { preprocessing } from '../../../src/vision/images/preprocess.js';
import { folderPerTest, writeInto } from '../../temporary.js';
import { jpeg } from '../pictures.js';

let root: string;
folderPerTest((path) => {
  root = path;
});

async function write(...names: string[]): Promise<void> {
  for (const name of names) {
    writeInto(root, name, await jpeg(name));
  }
}

const open = (kind: 'folder' | 'csv', options: Partial<OpenOptions> = {}): Promise<OpenedData> =>
  namedDatasets[kind].open({
    location: root,
    images: preprocessing({ size: 4 }),
    holdOut: { share: 0.5, seed: 1 },
    imageLoading: { cache: false },
    ...options,
  });

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

const countsOf = async (data: OpenedData) => ({
  train: (await data.open('train')).classCounts,
  eval: (await data.open('validation')).classCounts,
});

describe('names of parts', () => {
  it.each([
    [
      'train',
      [
        'train',
        'Train',
        'TRAINING',
        'trn',
        'training_set',
        'Training Data',
        'train2017',
        'img_train',
        '1.train',
        '训练',
        '训练集',
        'Entraînement',
        'entrenamiento',
        '訓練',
      ],
    ],
    [
      'validation',
      ['val', 'VALID', 'Validation', 'dev', 'eval', 'val-images', 'validation set', 'val2017', '验证集', 'Validación'],
    ],
    [
      'test',
      ['test', 'Testing', 'TST', 'holdout', 'Hold-Out', 'held out', 'test_set', '测试集', '测试_图片', 'PrivateTest'],
    ],
    [
      null,
      [
        'trains',
        'straining',
        'contest',
        'valve',
        'trainval',
        'tests',
        'cat',
        '',
        'data',
        '2017',
        'devil',
        'tr',
        'te',
        'va',
      ],
    ],
  ])('%s is meant by %j', (role, names) => {
    for (const name of names) expect([name, splitRole(name)]).toEqual([name, role]);
  });
});

describe('parts of a folder', () => {
  it('validation chooses, and the test is left alone', async () => {
    const names = ['Train/cat/1.jpg', 'Train/dog/2.jpg', 'VAL/cat/3.jpg', 'Test_Set/cat/4.jpg', 'Test_Set/dog/5.jpg'];
    await write(...names, 'Train/dog/deep/6.jpg');
    const data = await open('folder');
    expect(data).toMatchObject({ classNames: ['cat', 'dog'], holdOut: null, obstacle: null });
    expect(data.parts).toEqual([
      { role: 'train', from: 'Train', images: 3 },
      { role: 'validation', from: 'VAL', images: 1 },
      { role: 'test', from: 'Test_Set', images: 2 },
    ]);
    expect(await countsOf(data)).toEqual({ train: [1, 2], eval: [1, 0] });
    expect((await data.open('test')).classCounts).toEqual([1, 1]);
    expect((await data.open('all')).classCounts).toEqual([3, 3]);
  });

  it('without validation some training pictures are held out; an older run was evaluated on the test', async () => {
    await write('train/a/1.jpg', 'train/a/2.jpg', 'train/b/3.jpg', 'train/b/4.jpg', 'test/a/5.jpg');
    const data = await open('folder');
    expect(data.holdOut).toEqual({ share: 0.5, seed: 1 });
    expect(await countsOf(data)).toEqual({ train: [1, 1], eval: [1, 1] });
    const older = await open('folder', { holdOut: null });
    expect(older.holdOut).toBeNull();
    expect(await countsOf(older)).toEqual({ train: [2, 2], eval: [1, 0] });
  });

  it('abbreviations are parts beside other parts alone', async () => {
    await write('tr/a/1.jpg', 'tr/b/2.jpg', 'va/a/3.jpg', 'va/b/4.jpg', 'te/a/5.jpg');
    expect((await open('folder')).parts).toEqual([
      { role: 'train', from: 'tr', images: 2 },
      { role: 'validation', from: 'va', images: 2 },
      { role: 'test', from: 'te', images: 1 },
    ]);
    await write('en/a/6.jpg');
    expect((await open('folder')).classNames).toEqual(['en', 'te', 'tr', 'va']);
  });

  it('a class may be called te', async () => {
    await write('te/1.jpg', 'tr/2.jpg');
    expect((await open('folder')).classNames).toEqual(['te', 'tr']);
  });

  it('numbered parts with the same classes in each are no classes', async () => {
    await write('fold1/a/1.jpg', 'fold1/b/2.jpg', 'fold2/a/3.jpg', 'fold2/b/4.jpg');
    expect(await failure(open('folder'))).toContain(
      'got fold1 and fold2 with the folders a and b in each, which look like parts of one data set; put them together',
    );
    await write('fold2/c/5.jpg');
    expect((await open('folder')).classNames).toEqual(['fold1', 'fold2']);
  });

  it('classes one folder deeper in each part are named', async () => {
    await write('train/images/a/1.jpg', 'train/images/b/2.jpg', 'val/images/a/3.jpg', 'val/images/b/4.jpg');
    expect((await open('folder')).obstacle).toContain(
      'got one class, images, whose pictures are in its folders a and b; move these up, out of train/images and val/images',
    );
  });

  it('a class may be called train or test', async () => {
    await write('bus/1.jpg', 'car/2.jpg', 'train/3.jpg');
    expect((await open('folder')).classNames).toEqual(['bus', 'car', 'train']);
    await write('bus/old/4.jpg', 'train/old/5.jpg');
    const data = await open('folder');
    expect([data.classNames, data.parts]).toEqual([['bus', 'car', 'train'], []]);
  });

  it('test pictures without classes are passed over', async () => {
    await write('train/a/1.jpg', 'train/b/2.jpg', 'val/a/3.jpg', 'test/4.jpg', 'test/5.jpg');
    const data = await open('folder');
    expect(data.passedOver).toEqual([
      { what: 'pictures without a class', count: 2, examples: ['test/4.jpg', 'test/5.jpg'] },
    ]);
  });

  it('an empty folder of a class is like an absent one; an empty part is refused', async () => {
    await write('train/a/1.jpg', 'train/b/2.jpg', 'val/a/3.jpg');
    mkdirSync(join(root, 'val/b'));
    mkdirSync(join(root, 'train/c/deep'), { recursive: true });
    const data = await open('folder');
    expect(await countsOf(data)).toEqual({ train: [1, 1], eval: [1, 0] });
    expect(data.passedOver).toEqual([{ what: 'folders without pictures', count: 2, examples: ['train/c', 'val/b'] }]);
    mkdirSync(join(root, 'dev'));
    expect(await failure(open('folder'))).toContain(
      'dev: expected pictures for validation, got none; add some or remove',
    );
  });

  it.each([
    [['Train/a/1.jpg', 'train/b/2.jpg'], 'expected one folder for train, got Train and train; put them together'],
    [
      ['train/a/1.jpg', 'train/b/2.jpg', 'other/3.jpg'],
      'if train is a class, put its pictures directly into it or rename',
    ],
    [
      ['train/1.jpg', 'test/2.jpg'],
      'expected a folder for each class in test and train, got pictures directly in them',
    ],
    [
      ['train/a/1.jpg', 'train/b/2.jpg', 'val/c/3.jpg'],
      'expected a, b, got c in the pictures for validation, which train',
    ],
    [
      ['train/a/1.jpg', 'train/b/2.jpg', 'test/A/3.jpg'],
      'expected a, b, got A in the pictures for test, which training',
    ],
    [
      ['1.jpg', '2.jpg'],
      'got none but 2 pictures directly in the folder; make a folder for each class, or give the folder',
    ],
  ])('%j are refused: %s', async (names, message) => {
    await write(...names);
    expect(await failure(open('folder'))).toContain(message);
  });

  it('DatasetFolder takes classes alone', async () => {
    await write('Train/a/1.jpg', 'Train/b/2.jpg', 'val/a/3.jpg');
    expect(await failure(DatasetFolder.open(root))).toContain(
      `got the parts Train, val; open one of them, such as ${root}/Train`,
    );
    expect((await DatasetFolder.open(join(root, 'Train'), { cache: false })).classNames).toEqual(['a', 'b']);
  });
});

describe('one class', () => {
  it.each([
    [
      'photos/cat/1.jpg photos/dog/2.jpg',
      'photos, whose pictures are in its folders cat and dog; give folder:DIR/photos',
    ],
    [
      'a/b/c/1.jpg a/b/d/2.jpg a/b/e/3.jpg',
      'a, whose pictures are in its folders b/c, b/d and b/e; give folder:DIR/a/b',
    ],
    ['x/train/c/1.jpg x/val/c/2.jpg', 'x, whose pictures are in its folders train and val; give folder:DIR/x'],
    ['cat/1.jpg cat/2.jpg', 'cat; add pictures of another class'],
    ['train/p/c/1.jpg train/p/d/2.jpg', 'p, whose pictures are in its folders c and d; give folder:DIR/train/p'],
  ])('%s', async (names, message) => {
    await write(...names.split(' '));
    const { obstacle } = await open('folder');
    expect(obstacle).toBe(
      `[folder ${root}] classes: expected two or more, got one class, ${message.replace('DIR', root)}`,
    );
  });

  it('of a table', async () => {
    await write('1.jpg', '2.jpg');
    const location = join(root, 'list.csv');
    writeFileSync(location, 'file,label\n1.jpg,a\n2.jpg,a\n');
    expect((await open('csv', { location })).obstacle).toContain(
      'expected two or more, got one class, a; add pictures',
    );
    writeFileSync(location, 'file,label,split\n1.jpg,a,train\n2.jpg,b,val\n');
    expect(await failure(open('csv', { location }))).toContain('expected a, got b in the pictures for validation');
  });

  it('a network that knows the classes gets the same advice', async () => {
    await write('photos/cat/1.jpg', 'photos/dog/2.jpg');
    expect(await failure(open('folder', { classNames: ['cat', 'dog'] }))).toContain(
      `got photos as well (photos, whose pictures are in its folders cat and dog; give folder:${root}/photos)`,
    );
  });
});

describe('files that are data', () => {
  const bmp = Buffer.concat([Buffer.from('BM'), Buffer.alloc(12), Buffer.from([40, 0, 0, 0]), Buffer.alloc(40)]);
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1');

  it('contents decide, and notes name what is passed over', async () => {
    await write(
      'a/1.jfif',
      'a/2.jpe',
      'a/3',
      'a/4.JPG',
      'a/5.txt',
      'b/6.bmp',
      '@eaDir/a/7.jpg',
      '#recycle/8.jpg',
      '9.jpg',
    );
    await write('a/@eaDir/10.jpg/SYNOPHOTO_THUMB_M.jpg', 'b/.thumbnails/11.jpg');
    writeFileSync(join(root, 'a/12.heic'), heic);
    writeFileSync(join(root, 'a/13.jpg'), heic);
    writeFileSync(join(root, 'b/14.bmp'), bmp);
    writeFileSync(join(root, 'b/15.jpg'), 'damaged');
    writeFileSync(join(root, 'b/Thumbs.db'), '');
    writeFileSync(join(root, 'notes.txt'), 'none');
    const data = await open('folder');
    const all = await data.open('all');
    expect(all.files.map(({ path }) => basename(path))).toEqual([
      '1.jfif',
      '2.jpe',
      '3',
      '4.JPG',
      '5.txt',
      '15.jpg',
      '6.bmp',
    ]);
    expect(data.passedOver).toEqual([
      { what: 'pictures in no folder of a class', count: 1, examples: ['9.jpg'] },
      { what: 'HEIC pictures', count: 2, examples: ['a/12.heic', 'a/13.jpg'] },
      { what: 'BMP pictures', count: 1, examples: ['b/14.bmp'] },
      { what: '.txt files', count: 1, examples: ['notes.txt'] },
      {
        what: 'hidden or system files',
        count: 5,
        examples: ['#recycle', '@eaDir', 'a/@eaDir'],
      },
    ]);
  });

  it('a class of nothing but pictures that are not read is refused', async () => {
    await write('a/1.jpg', 'b/2.jpg');
    mkdirSync(join(root, 'c'));
    writeFileSync(join(root, 'c/1.jpg'), heic);
    expect(await failure(open('folder'))).toContain(
      'c: expected pictures that can be read, got 1 of the format HEIC alone; save them as JPEG or PNG',
    );
  });

  it('a pipe is never opened', async () => {
    await write('a/1.jpg', 'b/2.jpg');
    symlinkSync('/dev/null', join(root, 'a/device.jpg'));
    const { passedOver } = await open('folder');
    expect(passedOver).toEqual([{ what: 'pipes, sockets or devices', count: 1, examples: ['a/device.jpg'] }]);
  });

  it('formats are known by their first bytes', () => {
    const nameOf = (start: string | Uint8Array, name?: string) =>
      pictureFormat(typeof start === 'string' ? Buffer.from(start, 'latin1') : start, name)?.name ?? null;
    expect([nameOf(bmp), nameOf(heic), nameOf('RIFF1234WEBPVP8 '), nameOf('RIFF1234WAVEfmt ')]).toEqual([
      'BMP',
      'HEIC',
      'WebP',
      null,
    ]);
    expect([nameOf('BMW is a car.'), nameOf('P5 x'), nameOf(''), nameOf('II*\0....', 'x.nef')]).toEqual([
      null,
      'PNM',
      null,
      'camera raw',
    ]);
    expect([nameOf('II*\0....', 'x.tif'), nameOf(`${'\0'.repeat(128)}DICM`)]).toEqual(['TIFF', 'DICOM']);
  });
});

describe('locations', () => {
  it('a file for a folder, and a folder for a file, are distinguished', async () => {
    await write('a/1.jpg');
    for (const name of ['x.zip', 'x.csv', 'x']) writeFileSync(join(root, name), 'x');
    expect(await failure(open('csv'))).toBe(
      `[csv] ${root}: expected a table, got a folder; give folder:${root}, or a table in it`,
    );
    const refused = (name: string) => failure(open('folder', { location: join(root, name) }));
    expect(await refused('x.zip')).toContain('got a file; unpack it and give the folder');
    expect(await refused('x.csv')).toContain(`give csv:${root}/x.csv`);
    expect(await refused('a/1.jpg')).toContain('it is a picture: give the folder that has a folder for each class');
    expect(await refused('x')).toContain(`give folder:${root}, or csv:`);
  });
});

it('notes say what may be meant otherwise', async () => {
  await write('Cat/1.jpg', 'cat/2.jpg', 'dog/3.jpg');
  expect((await open('folder')).notes).toEqual(['the classes Cat and cat differ in capitals alone']);
});

it.each([
  [['cat_train', 'cat_val', 'dog_train', 'dog_val'], 'train/cat'],
  [['train cat', 'test cat', 'train dog'], 'train/cat'],
  [['Training-a', 'Testing-a'], 'train/a'],
])('classes and parts in one name are refused: %j', async (folders, place) => {
  await write(...folders.map((folder) => `${folder}/1.jpg`));
  const message = await failure(open('folder'));
  expect(message).toContain(`got classes and parts in one name (${[...folders].sort().join(', ')})`);
  expect(message).toContain(`such as ${place}`);
});

it('words for parts in the names of some classes are no parts', async () => {
  await write('train_station/1.jpg', 'night_train/2.jpg', 'test_tube/3.jpg');
  expect((await open('folder')).classNames).toEqual(['night_train', 'test_tube', 'train_station']);
});

it('folders whose names look the same are one class', async () => {
  await write('caf\u00e9/1.jpg', 'cafe\u0301/2.jpg', 'bar/3.jpg', 'bar /4.jpg');
  const data = await open('folder');
  expect(data.classNames).toEqual(['bar', 'caf\u00e9']);
  expect((await data.open('all')).classCounts).toEqual([2, 2]);
  expect(data.notes).toEqual([
    "the folders 'bar' and 'bar ' are one class, bar",
    "the folders 'cafe\\u{301}' and 'caf\\u{e9}' are one class, caf\u00e9",
  ]);
});

it('pictures for a test alone are evaluated, not learned from', async () => {
  await write('Test/a/1.jpg', 'Test/b/2.jpg');
  const data = await open('folder', { classNames: ['a', 'b'] });
  expect((await data.open('test')).classCounts).toEqual([1, 1]);
  expect(await failure(data.open('train'))).toContain('pictures for training: expected some, got only those for test;');
});

it('classes with the same folders inside are noted', async () => {
  await write('north/cat/1.jpg', 'north/dog/2.jpg', 'south/cat/3.jpg', 'south/dog/4.jpg');
  expect((await open('folder')).notes).toEqual([
    'the pictures of every class are in its folders cat and dog; these are not taken for classes',
  ]);
});

describe('rows of a table', () => {
  const openTable = (columns: TableOptions, ...lines: string[]) => {
    writeFileSync(join(root, 'list.csv'), `${lines.join('\n')}\n`);
    return open('csv', { location: join(root, 'list.csv'), imageLoading: { cache: false, table: columns } });
  };
  const table = (...lines: string[]) => openTable({}, ...lines);

  it('have parts by usual names; the test chooses nothing', async () => {
    await write('1.jpg', '2.jpg', '3.jpg', '4.jpg', '5.jpg');
    const rows = ['1.jpg,a,Train', '2.jpg,b,TRAINING', '3.jpg,a,Val', '4.jpg,b,Test', '5.jpg,a,test'];
    const data = await table('file,label,split', ...rows);
    expect(data.parts.map(({ role, images }) => [role, images])).toEqual([
      ['train', 2],
      ['validation', 1],
      ['test', 2],
    ]);
    expect(await countsOf(data)).toEqual({ train: [1, 1], eval: [1, 0] });
    expect((await data.open('test')).classCounts).toEqual([1, 1]);
  });

  it('without validation some are held out of the training rows', async () => {
    await write('1.jpg', '2.jpg', '3.jpg', '4.jpg', '5.jpg');
    const data = await table(
      'file,label,split',
      '1.jpg,a,train',
      '2.jpg,b,train',
      '3.jpg,a,train',
      '4.jpg,b,train',
      '5.jpg,a,test',
    );
    expect(data.holdOut).not.toBeNull();
    expect(await countsOf(data)).toEqual({ train: [1, 1], eval: [1, 1] });
  });

  it('without a part are refused', async () => {
    await write('1.jpg', '2.jpg');
    expect(await failure(table('file,label,split', '1.jpg,a,train', '2.jpg,b'))).toContain(
      'expected train, validation (or val, dev) or test in the column split, got nothing for',
    );
  });

  it('have parts by the cells of a column with any name', async () => {
    await write('1.jpg', '2.jpg', '3.jpg', '4.jpg');
    const rows = ['1.jpg,a,Train,train', '2.jpg,b,train,val', '3.jpg,a,Test,train', '4.jpg,b,TEST,x'];
    const data = await table('file,label,subset,remark', ...rows);
    expect(data.parts).toEqual([
      { role: 'train', from: "'Train' in subset", images: 2 },
      { role: 'test', from: "'Test' in subset", images: 2 },
    ]);
    const two = rows.map((row) => row.replace(',x', ',val'));
    expect(await failure(table('file,label,subset,remark', ...two))).toContain(
      'got subset and remark; say which it is',
    );
    // A column of classes is none, and neither is one without training.
    const vehicles = await table('file,label,state', '1.jpg,train,test', '2.jpg,dev,val', '3.jpg,train,val');
    expect(vehicles.classNames).toEqual(['dev', 'train']);
    expect(vehicles.parts).toEqual([]);
  });

  it.each([
    ['is_valid', 'True,true,FALSE,False', ['train', 'validation']],
    ['isTest', '1,1,0,0', ['train', 'test']],
    ['is_train', 'yes,yes,no,no', ['train', 'test']],
  ])('have parts by flags in %s', async (name, flags, roles) => {
    await write('1.jpg', '2.jpg', '3.jpg', '4.jpg');
    const rows = flags.split(',').map((flag, i) => `${i + 1}.jpg,${i % 2 === 0 ? 'a' : 'b'},${flag}`);
    const data = await table(`file,label,${name}`, ...rows);
    expect(data.parts.map(({ role, images }) => [role, images])).toEqual(roles.map((role) => [role, 2]));
    expect(data.notes).toEqual([]);
    // The flags of a name without `is` may mean something else.
    const bare = name.replace(/^is_?/, '');
    const unused = await table(`file,label,${bare}`, ...rows);
    expect(unused.parts).toEqual([]);
    expect(unused.notes).toEqual([expect.stringContaining(`the column ${bare} is not used; a column split with`)]);
    const asked = await openTable({ splitColumn: bare }, `file,label,${bare}`, ...rows);
    expect(asked.parts.map(({ role }) => role)).toEqual(roles);
    const constant = await table(`file,label,${name}`, ...rows.map((row) => row.replace(/,[^,]*$/, ',0')));
    expect(constant.parts).toEqual([]);
  });

  it('are refused with parts in most rows alone, and mention numbers of folds', async () => {
    await write('1.jpg', '2.jpg', '3.jpg', '4.jpg');
    const rows = ['1.jpg,a,train', '2.jpg,b,train', '3.jpg,a,test'];
    for (const [cell, got] of [
      ['', 'nothing'],
      ['unused', "'unused'"],
    ]) {
      expect(await failure(table('file,label,subset', ...rows, `4.jpg,b,${cell}`))).toContain(
        `expected a part of the data in each row of the column subset, as in others, got ${got} in row 5; correct`,
      );
    }
    const folds = await table('file,label,fold', '1.jpg,a,0', '2.jpg,b,0', '3.jpg,a,1', '4.jpg,b,1');
    expect(folds.notes).toEqual([expect.stringContaining('the column fold is not used')]);
  });

  it('are refused without a number where the other labels are numbers', async () => {
    await write('1.jpg', '2.jpg', '3.jpg');
    const message = await failure(table('file,label', '1.jpg,0.0', '2.jpg,1', '3.jpg,NaN'));
    expect(message).toContain('expected a number as the class in each row, as in others, got NaN in row 4 (3.jpg)');
    const words = await table('file,label', '1.jpg,crack', '2.jpg,none', '3.jpg,None');
    expect(words.classNames).toEqual(['None', 'crack', 'none']);
    expect(words.notes).toEqual(
      ['the classes None and none differ in capitals alone'].map((note) => `${root}/list.csv: ${note}`),
    );
  });
});

it('progress is reported while files are looked at', async () => {
  await write('a/1.jpg', 'b/2.jpg', 'b/3.txt');
  const seen: string[] = [];
  await open('folder', { onProgress: ({ stage, done, total }) => seen.push(`${stage} ${done}/${total}`) });
  expect(seen).toEqual(['looking at files 1/3', 'looking at files 2/3', 'looking at files 3/3']);
});
