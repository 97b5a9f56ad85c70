import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import { PALM } from '../../src/vision/palm/dataset.js';
import { importPalm, type PalmImportOptions } from '../../src/vision/palm/import.js';
import { compileInto } from '../compiled.js';
import { temporaryFolder } from '../temporary.js';
import { makeWorkbook, makeZip, type ZipPart } from '../zipWriter.js';
import {
  inside,
  makeLabelsZip,
  makeTrainingZip,
  makeValidationZip,
  pictureParts,
  sheet,
  tree,
} from './palmArchives.js';
import { halfJpeg, jpeg } from './pictures.js';

const base = temporaryFolder();
let folder: string;
let out: string;
let number = 0;
let training: ZipPart[];
let validation: ZipPart[];
let bad: Buffer;

beforeAll(async () => {
  training = await pictureParts(['P0001', 'P0002', 'N0001', 'H0001']);
  validation = await pictureParts(['V0001', 'V0002', 'V0003']);
  bad = await halfJpeg();
});

beforeEach(() => {
  folder = join(base, `${number++}`);
  mkdirSync(folder);
  out = join(folder, 'out');
});

function write(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
  return path;
}

const trainingZip = (parts = training) => makeTrainingZip(parts);
const validationZip = (parts = validation) => makeValidationZip(parts);

/** The three archives as they are released. */
function released(into = 'data'): string {
  write(`${into}/training.zip`, trainingZip());
  write(`${into}/validation.zip`, validationZip());
  write(`${into}/valid_gt.zip`, makeLabelsZip());
  return join(folder, into);
}

const run = (given: string | string[], options: PalmImportOptions = {}) =>
  importPalm(given, out, { cache: false, ...options });

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

/** An import in a process whose user may not read everything, as root may. @returns the summary, or name and message */
function importAsNobody(options: PalmImportOptions): string {
  return asNobody(`importPalm('data', 'out', ${JSON.stringify({ cache: false, numWorkers: 0, ...options })})`);
}

function asNobody(call: string): string {
  if (!existsSync(join(folder, 'package.json'))) {
    compileInto(folder);
  }
  const script = `
    import { importPalm } from './vision/palm/import.js';
    import { PALM } from './vision/palm/dataset.js';
    await ${call}.then(
      (result) => console.log(JSON.stringify(result)),
      ({ name, message }) => console.log(name + ' ' + message),
    );`;
  const args = [process.execPath, write('script.js', script)];
  if (process.getuid?.() === 0) args.unshift('setpriv', '--reuid=65534', '--clear-groups');
  chmodSync(base, 0o755);
  return execFileSync(args[0], args.slice(1), { cwd: folder, encoding: 'utf8' });
}

const imported = [
  'PALM-Training400/H0001.jpg',
  'PALM-Training400/N0001.jpg',
  'PALM-Training400/P0001.jpg',
  'PALM-Training400/P0002.jpg',
  'PALM-Validation400/V0001.jpg',
  'PALM-Validation400/V0002.jpg',
  'PALM-Validation400/V0003.jpg',
  'palm.json',
];

describe('importing', () => {
  it('the released archives: counts, sizes, labels, and nothing else in the folder', async () => {
    const data = released();
    const before = tree(data);
    const progress: string[] = [];
    const summary = await run(data, {
      onProgress: ({ done, total, file }) => progress.push(`${done}/${total} ${file}`),
    });
    expect(summary).toEqual({
      folder: out,
      recordFile: join(out, 'palm.json'),
      synthetic: false,
      train: { images: 4, pathologic: 2, byPrefix: { H: 1, N: 1, P: 2 } },
      validation: { images: 3, pathologic: 2, byPrefix: { V: 3 } },
      sizes: [{ width: 8, height: 6, camera: null, images: 7, pathologic: 4 }],
      quarantine: [],
      warnings: ['expected 400 train pictures, got 4', 'expected 400 validation pictures, got 3'],
      copied: 7,
      present: 0,
      sha256: {
        train: expect.stringMatching(/^[0-9a-f]{64}$/),
        validation: (await PALM.open({ dataDir: out, mode: 'validation', cache: false })).sha256,
      },
    });
    expect(Object.keys(tree(out))).toEqual(imported);
    expect(readdirSync(out)).toEqual(['PALM-Training400', 'PALM-Validation400', 'palm.json']);
    expect(tree(data)).toEqual(before);
    for (const { name, data: contents } of training) {
      expect(readFileSync(join(out, 'PALM-Training400', name)).equals(contents as Buffer)).toBe(true);
    }
    expect(progress).toHaveLength(7);
    expect(progress[6]).toMatch(/^7\/7 PALM-/);
    const { images } = JSON.parse(readFileSync(join(out, 'palm.json'), 'utf8'));
    expect(images[2]).toMatchObject({
      file: 'PALM-Training400/P0001.jpg',
      set: 'train',
      label: 1,
      source: 'data/training.zip/PALM-Training400/PALM-Training400.zip/PALM-Training400/P0001.jpg',
    });
  });

  it('the same again: nothing is copied, nothing changes; what is missing is copied', async () => {
    const data = released();
    const first = await run(data);
    const before = tree(out);
    expect(await run(data)).toEqual({ ...first, copied: 0, present: 7 });
    expect(tree(out)).toEqual(before);
    rmSync(join(out, 'PALM-Training400/P0002.jpg'));
    rmSync(join(out, 'palm.json'));
    expect(await run(data)).toEqual({ ...first, copied: 1, present: 6 });
    expect(tree(out)).toEqual(before);
  });

  it('one archive after the other', async () => {
    const data = released();
    const whole = await importPalm(data, join(folder, 'whole'), { cache: false });
    const first = await run(join(data, 'training.zip'));
    expect(first.warnings).toContain('expected 400 validation pictures, got 0');
    expect(await failure(run(join(data, 'validation.zip')))).toMatch(/expected one for each validation picture/);
    const second = await run([join(data, 'validation.zip'), join(data, 'valid_gt.zip')]);
    expect(second).toMatchObject({ train: whole.train, validation: whole.validation, sha256: whole.sha256, copied: 3 });
    expect(await failure(run(join(data, 'valid_gt.zip')))).toMatch(
      /expected files such as P0001\.jpg.*got none among 1 files/,
    );
  });

  it.each<[string, () => string | string[]]>([
    [
      'unpacked one inside the other',
      () => {
        for (const { name, data } of training) write(`palm/PALM-Training400/PALM-Training400/${name}`, data);
        write('palm/PALM-Training400/PALM-Training400.zip', makeZip(inside('PALM-Training400', training)));
        for (const { name, data } of validation) write(`palm/PALM-Validation400/${name}`, data);
        write('palm/labels.csv', sheet.map((row) => row.join(',')).join('\r\n'));
        return join(folder, 'palm');
      },
    ],
    [
      'as in the competition, one table for all',
      () => {
        for (const { name, data } of [...training, ...validation]) write(`Train/fundus_image/${name}`, data);
        write('PALM-Testing400-Images/T0001.jpg', training[0].data);
        const names = ['P0001', 'P0002', 'N0001', 'H0001', 'V0001', 'V0002', 'V0003', 'T0001'];
        const rows = names.map((name, i) => [i % 3 === 0 ? `${name}.JPG` : name, [1, 1, 0, 0, 0, 1, 1, 1][i]]);
        write('Train/Classification.xlsx', makeWorkbook([['Image Name', 'PM Label'], ...rows]));
        return folder;
      },
    ],
    [
      'with masks of the same names, and columns in another order',
      () => {
        for (const { name, data } of training) {
          write(`PALM/Training/Images/${name}`, data);
          write(`PALM/Training/Disc Masks/${name}`, bad);
          write(`PALM/Training/Lesion_Masks/Atrophy/${name}`, bad);
          write(`PALM/PALM-Training400-Annotation-D&F/${name}`, bad);
        }
        for (const { name, data } of validation) write(`PALM/Validation/Images/${name.toLowerCase()}`, data);
        write(
          'PALM/Validation/Classification Labels.csv',
          'Label;Fovea_X;imgName\n0;1,5;V0001.jpg\n1;2,5;V0002.jpg\n1.0;;V0003.jpg\n',
        );
        return [join(folder, 'PALM/Training'), join(folder, 'PALM')];
      },
    ],
    [
      'archives of other names, flat',
      () => [
        write('a.zip', makeZip(training.map((part) => ({ ...part, name: `./${part.name}` })))),
        write(
          'b.zip',
          makeZip([
            ...validation,
            { name: 'labels.csv', data: 'imgName,Label\nV0001.jpg,0\nV0002.jpg,1\nV0003.jpg,1' },
          ]),
        ),
      ],
    ],
  ])('%s', async (_, arrange) => {
    const summary = await run(arrange());
    expect(summary.train).toEqual({ images: 4, pathologic: 2, byPrefix: { H: 1, N: 1, P: 2 } });
    expect(summary.validation).toEqual({ images: 3, pathologic: 2, byPrefix: { V: 3 } });
    expect(Object.keys(tree(out))).toEqual(imported);
    const whole = await importPalm(released('same'), join(folder, 'whole'), { cache: false });
    expect(summary.sha256).toEqual(whole.sha256);
  });

  it('into the folder of the files themselves, and into one below', async () => {
    const data = released();
    for (const target of [join(data, 'below'), data]) {
      const first = await importPalm(data, target, { cache: false });
      expect(await importPalm(data, target, { cache: false })).toEqual({ ...first, copied: 0, present: 7 });
    }
    expect(readdirSync(data).sort()).toEqual(
      [
        'PALM-Training400',
        'PALM-Validation400',
        'below',
        'palm.json',
        'training.zip',
        'valid_gt.zip',
        'validation.zip',
      ].sort(),
    );
  });

  it('tells of drawn pictures, of the test set, and of pictures named otherwise', async () => {
    const data = released();
    write('data/SYNTHETIC.txt', 'drawn');
    write('data/T0001.jpg', training[0].data);
    write('data/photo.jpg', training[0].data);
    const summary = await run(data);
    expect(summary.synthetic).toBe(true);
    expect(summary.warnings.slice(2)).toEqual([
      'left out 1 pictures of the test set (T…): training and validation pictures are what is used',
      'left out pictures that are named otherwise: data/photo.jpg',
    ]);
    expect((await PALM.open({ dataDir: out })).synthetic).toBe(true);
  });

  it('clears away what killed imports left, and nothing that is in use', async () => {
    const mark = `.fovea-import-${hostname()}-`;
    const gone = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
    for (const pid of [gone, process.ppid]) write(`out/${mark}${pid}-01234567/0`, 'x');
    write(`out/${mark}mine/0`, 'x');
    await run(released());
    expect(readdirSync(out).filter((name) => name.startsWith('.'))).toEqual([
      `${mark}${process.ppid}-01234567`,
      `${mark}mine`,
    ]);
  });
});

describe('bad pictures', () => {
  const data = async () => {
    released();
    write('data/validation.zip', validationZip([...validation.slice(0, 2), { name: 'V0003.jpg', data: bad }]));
    write('data/training.zip', trainingZip([...training, { name: 'P0003.jpg', data: 'no picture' }]));
    return join(folder, 'data');
  };

  it('end the import, all of them named, with everything in place', async () => {
    const message = await failure(run(await data()));
    expect(message).toMatch(
      /expected ones that can be decoded, got .*P0003\.jpg \(.*begins with 6e 6f.*V0003\.jpg \(.+\)/,
    );
    expect(message).toMatch(/leave them out with `onBadImage: 'skip'`$/);
    expect(existsSync(join(out, 'palm.json'))).toBe(false);
    expect(Object.keys(tree(out))).toHaveLength(8);
  });

  it('are listed and left out', async () => {
    const summary = await run(await data(), { onBadImage: 'skip' });
    expect(summary.train.images).toBe(4);
    expect(summary.validation).toEqual({ images: 2, pathologic: 1, byPrefix: { V: 2 } });
    expect(summary.quarantine.map(({ path }) => path)).toEqual([
      join(out, 'PALM-Training400/P0003.jpg'),
      join(out, 'PALM-Validation400/V0003.jpg'),
    ]);
    expect(summary.quarantine[1].reason).toMatch(/^expected an intact picture, got /);
    expect(readFileSync(join(out, 'PALM-Validation400/V0003.jpg')).equals(bad)).toBe(true);
    const dataset = await PALM.open({ dataDir: out, mode: 'validation', cache: false });
    expect(dataset.length).toBe(2);
    expect(dataset.quarantine).toEqual(summary.quarantine.slice(1));
    expect((await run(await data(), { onBadImage: 'skip' })).copied).toBe(0);
  });
});

describe('a picture that may not be read', () => {
  beforeEach(() => {
    released();
    chmodSync(write('data/P0003.jpg', bad), 0);
    mkdirSync(out);
    chmodSync(out, 0o777);
  });

  it('is named at the end, as other bad ones', () => {
    const message = importAsNobody({});
    expect(message).toMatch(/^FileError .*out\/PALM-Training400\/P0003\.jpg \(data\/P0003\.jpg: .*got EACCES/);
    expect(Object.keys(tree(out))).toHaveLength(7);
  });

  it('is listed and left out', () => {
    expect(JSON.parse(importAsNobody({ onBadImage: 'skip' }))).toMatchObject({
      train: { images: 4 },
      copied: 7,
      quarantine: [
        { path: 'out/PALM-Training400/P0003.jpg', reason: expect.stringMatching(/readable file, got EACCES/) },
      ],
    });
  });
});

describe('the data set', () => {
  it('has images in the order BGR and labels', async () => {
    await run(released());
    const train = await PALM.open({ dataDir: out, size: 2, cache: false });
    expect(train.classNames).toEqual(['non-PM', 'PM']);
    expect(train.files.map(({ path, label }) => [path.slice(-9), label])).toEqual([
      ['H0001.jpg', 0],
      ['N0001.jpg', 0],
      ['P0001.jpg', 1],
      ['P0002.jpg', 1],
    ]);
    expect(train.images[0]).toMatchObject({ width: 8, height: 6 });
    const { images, shape, labels } = await train.readBatch([2, 1]);
    expect([shape, [...labels]]).toEqual([
      [2, 3, 2, 2],
      [1, 0],
    ]);
    expect(Math.max(...images)).toBeLessThanOrEqual(1);
    const red = await PALM.open({ dataDir: out, size: 2, cache: false, order: 'RGB' });
    const inRed = (await red.readBatch([2, 1])).images;
    const plane = (array: typeof images, sample: number, channel: number) =>
      array.slice(4 * (3 * sample + channel), 4 * (3 * sample + channel + 1));
    for (const sample of [0, 1]) {
      expect([0, 1, 2].map((channel) => plane(images, sample, channel))).toEqual(
        [2, 1, 0].map((channel) => plane(inRed, sample, channel)),
      );
      expect(plane(images, sample, 0)).not.toEqual(plane(images, sample, 2));
    }
    const validation = await PALM.open({ dataDir: out, mode: 'validation', cache: false });
    expect((await validation.get(0)).shape).toEqual([3, 224, 224]);
    expect(validation.sha256).not.toBe(train.sha256);
  });

  it('leaves out what went bad since, if that is wanted', async () => {
    const { sha256: whole } = await run(released()).then(() => PALM.open({ dataDir: out, cache: false }));
    const path = (name: string) => join(out, 'PALM-Training400', `${name}.jpg`);
    writeFileSync(path('N0001'), Buffer.alloc(readFileSync(path('N0001')).length, 'x'));
    writeFileSync(path('P0001'), 'x');
    const open = (onBadImage: 'fail' | 'skip') => PALM.open({ dataDir: out, cache: false, onBadImage });
    const { files, images, quarantine, labels, sha256 } = await open('skip');
    expect(files.map((file) => file.path)).toEqual([path('H0001'), path('P0002')]);
    expect([[...labels], images.map(({ file }) => file.slice(-9))]).toEqual([
      [0, 1],
      ['H0001.jpg', 'P0002.jpg'],
    ]);
    expect(quarantine).toEqual([
      { path: path('N0001'), reason: expect.stringMatching(/begins with 78 78/) },
      { path: path('P0001'), reason: expect.stringMatching(/expected the file that was imported/) },
    ]);
    expect(sha256).not.toBe(whole);
    expect(await failure(open('fail'))).toMatch(/missing or changed ones: PALM-Training400\/P0001\.jpg; import again/);
    for (const name of ['H0001', 'N0001', 'P0002']) rmSync(path(name));
    expect(await failure(open('skip'))).toMatch(/missing or changed ones/);
  });

  it('tells folders that may not be read from pictures that are gone', async () => {
    await run(released());
    const open = () => asNobody("PALM.open({ dataDir: 'out', cache: false, onBadImage: 'skip' })");
    chmodSync(join(out, 'PALM-Training400'), 0);
    expect(open()).toMatch(
      /^FileError .*out\/PALM-Training400: expected a readable folder, got EACCES.*make the folder/,
    );
    chmodSync(out, 0);
    expect(open()).toMatch(
      /^FileError .*out\/palm\.json: expected the list.*got EACCES.*; make the folder and its files/,
    );
    chmodSync(out, 0o755);
    chmodSync(join(out, 'PALM-Training400'), 0o755);
  });

  it('refuses what was not imported, or changed since', async () => {
    expect(await failure(PALM.open({ dataDir: folder }))).toMatch(
      /palm\.json: expected the list that an import writes, got ENOENT.*; import the data set into .* first/,
    );
    await run(write('training.zip', trainingZip()));
    expect(await failure(PALM.open({ dataDir: out, mode: 'validation' }))).toMatch(
      /expected validation pictures, got none/,
    );
    expect(await failure(PALM.open({ dataDir: out, mode: 'test' as 'train' }))).toMatch(/mode: expected 'train' or/);
    rmSync(join(out, 'PALM-Training400/P0001.jpg'));
    writeFileSync(join(out, 'PALM-Training400/P0002.jpg'), 'x');
    expect(await failure(PALM.open({ dataDir: out }))).toMatch(
      /missing or changed ones: PALM-Training400\/P0001\.jpg, PALM-Training400\/P0002\.jpg; import again/,
    );
    for (const text of ['{', '{}', '{"format":"fovea-palm","version":2}']) {
      writeFileSync(join(out, 'palm.json'), text);
      expect(await failure(PALM.open({ dataDir: out }))).toMatch(
        /palm\.json: expected the list that an import writes, got .+;/,
      );
    }
  });
});

describe('refuses', () => {
  it.each<[string, (string | number | null)[][], RegExp]>([
    [
      'a missing label',
      sheet.slice(0, 3),
      /expected one for each validation picture, got none for data\/validation\.zip\/.*V0003/,
    ],
    ['an empty label', [...sheet.slice(0, 3), [3, 'V0003.jpg', null]], /got row 4 \(V0003\.jpg\): no label; correct/],
    ['a row without a name', [...sheet, [4, null, 1]], /got row 5: no name of a picture/],
    ['a doubled label', [...sheet, [4, 'V0002.jpg', 1]], /got row 5 \(V0002\.jpg\): as in row 3 already/],
    [
      'an unknown label',
      [...sheet.slice(0, 3), [3, 'V0003.jpg', 2]],
      /row 4 \(V0003\.jpg\): label '2' instead of 0 or 1/,
    ],
    [
      'a label without a picture',
      [...sheet, [4, 'V0004.jpg', 1]],
      /expected one for each label, got none for V0004 \(.*xlsx, row 5\)/,
    ],
    ['a label against the name', [...sheet, [4, 'N0001.jpg', 1]], /got 1 for N0001 \(.*row 5\); correct the table/],
    [
      'no column of labels',
      sheet.map((row) => row.slice(0, 2)),
      /expected one column with the labels \(Label\), got columns ID, imgName/,
    ],
    ['two columns of labels', sheet.map((row) => [...row.slice(0, 3), row[2]]), /got Label and Label/],
  ])('%s', async (_, rows, message) => {
    const data = released();
    write('data/valid_gt.zip', makeLabelsZip(rows));
    const text = await failure(run(data));
    expect(text).toMatch(message);
    expect(existsSync(join(out, 'palm.json'))).toBe(false);
    expect(readdirSync(out)).toEqual([]);
    write('data/valid_gt.zip', makeLabelsZip());
    expect((await run(data)).copied).toBe(7);
  });

  it.each<[string, (data: string) => void, RegExp]>([
    [
      'no labels at all',
      (data) => rmSync(join(data, 'valid_gt.zip')),
      /give valid_gt\.zip, PM_Label_and_Fovea_Location/,
    ],
    [
      'two tables that differ',
      () => write('data/labels.csv', 'imgName,Label\nV0001,1'),
      /expected the labels of .*, got/,
    ],
    [
      'an unknown letter',
      () => write('data/more/X0001.jpg', training[0].data),
      /names that begin with P, H, N .* got data\/more\/X0001\.jpg/,
    ],
    [
      'two pictures of one name',
      () => write('data/more/P0001.jpg', training[1].data),
      /expected the same picture as data\/more\/P0001/,
    ],
    [
      'a class without pictures',
      () => write('data/training.zip', trainingZip(training.slice(2))),
      /expected train pictures with and without pathologic myopia, got none with it among 2; give the other class/,
    ],
    [
      'half an archive',
      () => write('data/training.zip', trainingZip().subarray(0, 900)),
      /training\.zip: expected an intact zip/,
    ],
    [
      'half an archive in an archive',
      () =>
        write(
          'data/training.zip',
          makeZip([{ name: 'PALM-Training400.zip', data: makeZip(training).subarray(0, 900) }]),
        ),
      /data\/training\.zip\/PALM-Training400\.zip: expected an intact zip archive, got .*/,
    ],
    [
      'half a table',
      () => write('data/valid_gt.zip', makeZip([{ name: 'labels.xlsx', data: makeWorkbook(sheet).subarray(0, 600) }])),
      /\[table\] data\/valid_gt\.zip\/labels\.xlsx: expected \.xlsx or \.csv, got a damaged workbook/,
    ],
    [
      'a picture with a wrong checksum',
      () => write('data/training.zip', trainingZip([{ ...training[0], crc32: 1 }])),
      /P0001\.jpg: expected checksum 00000001, got/,
    ],
    [
      'a password',
      () => write('data/training.zip', trainingZip([{ ...training[0], encrypted: true, stored: false }])),
      /without a password/,
    ],
    [
      'names that lead out',
      () => write('data/validation.zip', makeZip([{ ...validation[0], name: '../../V0001.jpg' }])),
      /invalid relative path/,
    ],
    [
      'absolute names',
      () => write('data/validation.zip', makeZip([{ ...validation[0], name: '/V0001.jpg' }])),
      /absolute path/,
    ],
    [
      'links',
      () => write('data/training.zip', trainingZip([{ name: 'P0001.jpg', data: '/etc/passwd', mode: 0o120777 }])),
      /P0001\.jpg: expected a file, got a symbolic link/,
    ],
    [
      'a bomb',
      () => write('data/training.zip', trainingZip([{ name: 'P0001.jpg', data: new Uint8Array(2 ** 22) }])),
      /at most 100 times its packed size|unpack to/,
    ],
    [
      'archives without end',
      () => {
        let nested = makeZip(training);
        for (let i = 0; i < 4; i++) nested = makeZip([{ name: 'PALM.zip', data: nested }]);
        write('data/training.zip', nested);
      },
      /expected at most 3 archives in each other, got more/,
    ],
  ])('%s', async (_, spoil, message) => {
    const data = released();
    spoil(data);
    const before = tree(data);
    expect(await failure(run(data))).toMatch(message);
    expect(tree(data)).toEqual(before);
    expect(existsSync(join(out, 'palm.json'))).toBe(false);
    expect(readdirSync(out).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('more than the limits allow', async () => {
    const data = released();
    expect(await failure(run(data, { limits: { maxBytes: 3000 } }))).toMatch(
      /expected at most 3000 bytes unpacked in all/,
    );
    expect(await failure(run(data, { limits: { maxEntries: 3 } }))).toMatch(/expected at most 3 files in all/);
  });

  it('sources that are none', async () => {
    expect(await failure(run([]))).toMatch(/sources: expected a folder or archives, got none/);
    expect(await failure(run(join(folder, 'none')))).toMatch(/none: expected a folder or a zip archive, got ENOENT/);
    expect(await failure(run(write('a.txt', 'text')))).toMatch(
      /a\.txt: expected a folder or a zip archive, got another file/,
    );
    expect(await failure(run(write('a.zip', 'text')))).toMatch(/a\.zip: expected an intact zip archive/);
    mkdirSync(join(folder, 'empty'));
    expect(await failure(run(join(folder, 'empty')))).toMatch(/expected files such as P0001\.jpg/);
    expect(await failure(importPalm(folder, write('file', ''), {}))).toMatch(
      /file: expected a folder to write to, got EEXIST/,
    );
  });

  it('to replace a file of another content', async () => {
    const data = released();
    const mine = write('out/PALM-Training400/P0001.jpg', 'mine');
    expect(await failure(run(data))).toMatch(
      /P0001\.jpg: expected no such file or data\/training\.zip.*got other contents/,
    );
    expect(readFileSync(mine, 'utf8')).toBe('mine');
    const same = Buffer.from(training[0].data as Uint8Array);
    same[same.length - 3] ^= 1;
    writeFileSync(mine, same);
    expect(await failure(run(data))).toMatch(/got other contents; import into another folder, or move this file away/);
    expect(readFileSync(mine).equals(same)).toBe(true);
  });

  it('folders that may not be read or written to', () => {
    released();
    mkdirSync(out);
    chmodSync(out, 0o555);
    chmodSync(join(folder, 'data'), 0);
    // The way out is looked at before the sources.
    expect(importAsNobody({})).toMatch(/^FileError \[palm\] out: expected to write it, got EACCES/);
    chmodSync(out, 0o777);
    expect(importAsNobody({})).toMatch(/^FileError .*EACCES/);
    chmodSync(join(folder, 'data'), 0o755);
  });
});

describe('interruptions', () => {
  it('a signal ends the import; the next one goes on', async () => {
    const data = released();
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => controller.abort(reason);
    await expect(run(data, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    const { present, copied } = await run(data);
    expect(present).toBeGreaterThan(0);
    expect(present + copied).toBe(7);
  });

  it('a full disk is an error, what is there stays, and the next import goes on', async () => {
    // The limit on file sizes stands for the full disk.
    const large = { name: 'P0009.jpg', data: await jpeg('P0009', 1600, 1600), stored: true };
    const padded = { ...large, data: Buffer.concat([large.data, Buffer.alloc(100_000, 'x')]) };
    write('data/training.zip', makeZip([...training, padded]));
    compileInto(folder);
    const script = `
      import { importPalm } from './vision/palm/import.js';
      await importPalm('data', 'out', { cache: false, numWorkers: 0 }).then(
        ({ present, copied }) => console.log(present + ' ' + copied),
        ({ name, message }) => console.log(name + ' ' + message),
      );`;
    write('script.js', script);
    const start = (command: string) => execFileSync('bash', ['-c', command], { cwd: folder, encoding: 'utf8' });
    expect(start(`ulimit -f 64 && exec '${process.execPath}' script.js`)).toBe(
      'FileError [file] out/PALM-Training400/P0009.jpg: expected to write it, got EFBIG: file too large; ' +
        'raise the limit on file sizes (ulimit -f)\n',
    );
    const kept = tree(out);
    expect(Object.keys(kept).length).toBeGreaterThan(1);
    expect(Object.keys(kept).filter((name) => !/^PALM-Training400\/[HNP]000\d\.jpg$/.test(name))).toEqual([]);
    const count = Object.keys(kept).length;
    expect(start(`exec '${process.execPath}' script.js`)).toBe(`${count} ${5 - count}\n`);
    expect(tree(out)).toMatchObject(kept);
  });

  it('a copy of the folder is the same data set', async () => {
    await run(released());
    const copy = join(folder, 'copy');
    cpSync(out, copy, { recursive: true });
    const [here, there] = await Promise.all(
      [out, copy].map((dataDir) => PALM.open({ dataDir, cache: false, size: 2 })),
    );
    expect(there.sha256).toBe(here.sha256);
    expect(await there.readBatch([0, 1, 2, 3])).toEqual(await here.readBatch([0, 1, 2, 3]));
  });
});
