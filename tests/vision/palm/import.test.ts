import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { PALM } from '../../../src/vision/palm/dataset.js';
import { importPalm } from '../../../src/vision/palm/import.js';
import { compileInto } from '../../compiled.js';
import { makeWorkbook, makeZip } from '../../zipWriter.js';
import { jpeg } from '../pictures.js';
import { inside, sheet, tree } from './archives.js';
import {
  bad,
  failure,
  folder,
  importBound,
  out,
  released,
  run,
  training,
  trainingZip,
  validation,
  validationZip,
  write,
} from './setUp.js';

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

  it('reports synthetic pictures, the test set, and pictures with other names', async () => {
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
    const message = importBound({});
    expect(message).toMatch(/^FileError .*out\/PALM-Training400\/P0003\.jpg \(data\/P0003\.jpg: .*got EACCES/);
    expect(Object.keys(tree(out))).toHaveLength(7);
  });

  it('is listed and left out', () => {
    expect(JSON.parse(importBound({ onBadImage: 'skip' }))).toMatchObject({
      train: { images: 4 },
      copied: 7,
      quarantine: [
        { path: 'out/PALM-Training400/P0003.jpg', reason: expect.stringMatching(/readable file, got EACCES/) },
      ],
    });
  });
});

describe('interruptions', () => {
  it('a signal ends the import; the next one continues', async () => {
    const data = released();
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => controller.abort(reason);
    await expect(run(data, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    const { present, copied } = await run(data);
    expect(present).toBeGreaterThan(0);
    expect(present + copied).toBe(7);
  });

  it('a full disk is an error, what is there stays, and the next import continues', async () => {
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
